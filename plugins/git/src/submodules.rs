//! Submodules: repositories at places of another one's tree, each of them an address to be judged.

use gix_config::{File, Source, file, file::init::Options};
use gix_hash::ObjectId;
use sti_plugin::{Address, Problem, log};

use crate::{
    checkout::Checkout,
    kept::Keeper,
    location::Location,
    reference::RequestedRef,
    repository::{self, Found},
    trouble,
};

/// How many submodules may lie in each other.
const MOST_DEPTH: usize = 10;

/// How many there may be in all.
const MOST: usize = 1000;

/// The place of a submodule in its repository's tree, and its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gitlink {
    /// From the top of its repository.
    pub(crate) path: String,
    pub(crate) commit: ObjectId,
}

/// A submodule that is still to be fetched.
#[derive(Debug, PartialEq, Eq)]
struct Submodule {
    /// From the top of all, with a slash at its end.
    prefix: String,
    location: Location,
    commit: ObjectId,
    depth: usize,
}

/// Writes a repository with all its submodules. Only one of them is in memory at a time.
pub(crate) fn write_all(checkout: &mut Checkout, found: Found, location: &Location, address: &Address) -> Result<(), Problem> {
    let location = found.origin.as_ref().unwrap_or(location).clone();
    let top = Submodule { prefix: String::new(), location, commit: found.commit, depth: 0 };
    let mut waiting = write_one(checkout, found, &top)?;
    let mut count = 0;
    while let Some(submodule) = waiting.pop() {
        count += 1;
        if submodule.depth > MOST_DEPTH || count > MOST {
            return Err(too_many(&submodule));
        }
        log::info(format!("submodule `{}`: fetches `{}`", submodule.prefix.trim_end_matches('/'), submodule.location.text()));
        // Only the tree as a whole is ever there already.
        let keeper = Keeper::new(address, &submodule.location);
        let found = repository::open(&submodule.location, &RequestedRef::Commit(submodule.commit), &keeper, &|_, _| Ok(false))?;
        let written = found.map(|found| write_one(checkout, found, &submodule)).transpose()?;
        waiting.extend(written.into_iter().flatten());
    }
    Ok(())
}

/// Writes one repository, and answers with its submodules.
fn write_one(checkout: &mut Checkout, found: Found, place: &Submodule) -> Result<Vec<Submodule>, Problem> {
    let written = checkout.write(&place.prefix, &found, &place.location)?;
    drop(found);
    if written.links.is_empty() {
        return Ok(Vec::new());
    }
    if !checkout.with_submodules() {
        log::info(format!("{} submodules are left out", written.links.len()));
        return Ok(Vec::new());
    }
    let list = written.list.unwrap_or_default();
    let list = File::from_bytes_no_includes(&list, file::Metadata::from(Source::Worktree), Options::default())
        .map_err(|error| unsafe_submodule(format!("`.gitmodules` cannot be read: {}", trouble::told(&error))))?;
    written.links.iter().filter_map(|link| resolve(&list, link, place).transpose()).collect()
}

/// Finds the address of a submodule; none where its repository says that it need not be fetched.
fn resolve(list: &File, link: &Gitlink, place: &Submodule) -> Result<Option<Submodule>, Problem> {
    let shown = format!("{}{}", place.prefix, link.path);
    let sections = list.sections_by_name("submodule").into_iter().flatten();
    let Some(section) = sections.filter(|section| section.value("path").is_some_and(|path| path == link.path.as_str())).last()
    else {
        log::warning(format!("`{shown}` is a submodule of which `.gitmodules` does not say the address: it stays empty"));
        return Ok(None);
    };
    let name = section.header().subsection_name().map(ToString::to_string).unwrap_or_default();
    let is_path = !name.is_empty() && name.split(['/', '\\']).all(|part| !matches!(part, "" | ".." | "."));
    if !is_path || looks_like_option(&name) || looks_like_option(&link.path) {
        return Err(unsafe_submodule(format!("the submodule `{shown}` has the name `{}`", name.escape_debug())));
    }
    let value = |key: &str| section.value(key).map(|value| value.to_string());
    match value("update").as_deref() {
        Some("none") => return Ok(None),
        Some(command) if command.starts_with('!') => {
            return Err(unsafe_submodule(format!("the submodule `{shown}` names a command: `{}`", command.escape_debug())));
        }
        _ => {}
    }
    let url = value("url").unwrap_or_default();
    if url.is_empty() || looks_like_option(&url) || url.chars().any(char::is_control) {
        return Err(unsafe_submodule(format!("the submodule `{shown}` has the address `{}`", url.escape_debug())));
    }
    let location = place.location.submodule(&url)?;
    Ok(Some(Submodule { prefix: shown + "/", location, commit: link.commit, depth: place.depth + 1 }))
}

/// Other programs would take it for an option, and git refuses it for that.
fn looks_like_option(text: &str) -> bool {
    text.starts_with('-')
}

fn unsafe_submodule(message: String) -> Problem {
    Problem::invalid("unsafe-submodule", message)
        .hint("leave submodules out with `--no-submodules`, and do not use them before you know who made them so")
}

fn too_many(submodule: &Submodule) -> Problem {
    let path = submodule.prefix.trim_end_matches('/');
    let message = format!("there are submodules without end: at `{path}` they are more than {MOST_DEPTH} deep or {MOST} in all");
    Problem::exhausted("too-many-submodules", message).hint("leave them out with `--no-submodules`")
}
