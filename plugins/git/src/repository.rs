//! From an address and a reference to the objects of one commit.

use gix_hash::ObjectId;
use sti_plugin::{Problem, log};

use crate::{
    location::Location,
    packs::Packs,
    reference::{self, RequestedRef},
    remote::{History, Reference, Remote, Request},
    store::Store,
};

/// A commit, and where its files are.
pub(crate) struct Found {
    pub(crate) commit: ObjectId,
    /// What relative addresses of submodules start from, where that is not the address itself.
    pub(crate) origin: Option<Location>,
    pub(crate) objects: Box<dyn Store>,
}

/// Asked as soon as a commit is known, with the branch or tag where there is one, and before any of its files come: whether its tree is
/// there already.
pub(crate) type IsThere<'a> = dyn Fn(&ObjectId, Option<&str>) -> Result<bool, Problem> + 'a;

/// Fetches what a reference means; nothing where its tree is there already.
pub(crate) fn open(location: &Location, wanted: &RequestedRef, is_there: &IsThere) -> Result<Option<Found>, Problem> {
    match wanted {
        // A whole identifier says it all: no server is asked.
        RequestedRef::Commit(id) if is_there(id, None)? => Ok(None),
        RequestedRef::Commit(id) => fetch_commit(&mut Remote::connect(location)?, location, *id).map(Some),
        RequestedRef::Head => fetch_head(&mut Remote::connect(location)?, location, is_there),
        RequestedRef::Name(name) => fetch_named(&mut Remote::connect(location)?, location, name, is_there),
        RequestedRef::Before(..) => Err(reference::without_history()),
    }
}

fn fetch_head(remote: &mut Remote, location: &Location, is_there: &IsThere) -> Result<Option<Found>, Problem> {
    let references = remote.references(&["HEAD".to_owned()])?;
    let head = references.iter().find(|reference| reference.name == "HEAD").ok_or_else(|| empty(location.text()))?;
    fetch_tip(remote, head, head.target.as_deref().map(short), is_there)
}

fn fetch_named(remote: &mut Remote, location: &Location, name: &str, is_there: &IsThere) -> Result<Option<Found>, Problem> {
    let likely = remote.references(&reference::prefixes(name))?;
    if let Some(found) = reference::choose(name, &likely)? {
        return fetch_tip(remote, found, Some(short(&found.name)), is_there);
    }
    let all = remote.references(&["refs/heads/".to_owned(), "refs/tags/".to_owned()])?;
    if reference::is_abbreviated(name)
        && let Some(id) = expand(remote, &name.to_ascii_lowercase(), &all)?
    {
        return if is_there(&id, None)? { Ok(None) } else { fetch_commit(remote, location, id).map(Some) };
    }
    Err(reference::missing(location.text(), name, &all))
}

fn fetch_tip(
    remote: &mut Remote,
    tip: &Reference,
    reference: Option<&str>,
    is_there: &IsThere,
) -> Result<Option<Found>, Problem> {
    if is_there(&tip.object, reference)? {
        return Ok(None);
    }
    let objects = remote.fetch(&Request { wants: &[tip.object], history: History::None })?;
    Ok(Some(Found { commit: objects.commit(&tip.object)?, origin: None, objects: Box::new(objects) }))
}

/// A server may send a commit by its identifier or not; where it does not, its branches may hold it.
fn fetch_commit(remote: &mut Remote, location: &Location, id: ObjectId) -> Result<Found, Problem> {
    let objects = match remote.fetch(&Request { wants: &[id], history: History::None }) {
        Err(problem) if problem.code() == "commit-not-served" && !remote.sends_any_commit() => search(location, id, problem)?,
        fetched => fetched?,
    };
    Ok(Found { commit: objects.commit(&id)?, origin: None, objects: Box::new(objects) })
}

/// Looks for a commit in everything that a server has. The line to it ended with its refusal.
fn search(location: &Location, id: ObjectId, refusal: Problem) -> Result<Packs, Problem> {
    log::info(format!("the server does not send `{id}` by itself: looks for it in the whole history"));
    let mut remote = Remote::connect(location)?;
    let tips = tips(&remote.references(&["refs/heads/".to_owned(), "refs/tags/".to_owned()])?)?;
    let objects = remote.fetch(&Request { wants: &tips, history: History::Whole })?;
    if objects.find(&id)?.is_some() { Ok(objects) } else { Err(refusal) }
}

/// The most commits that are asked for at once, since a request has a limit.
const MOST_TIPS: usize = 50_000;

fn tips(all: &[Reference]) -> Result<Vec<ObjectId>, Problem> {
    let mut tips: Vec<_> = all.iter().map(|reference| reference.object).collect();
    tips.sort_unstable();
    tips.dedup();
    if tips.len() <= MOST_TIPS {
        return Ok(tips);
    }
    Err(Problem::exhausted(
        "too-many-references",
        format!("the repository has more than {MOST_TIPS} branches and tags to look through"),
    )
    .hint("name a branch or tag that holds the commit"))
}

/// Finds the commit whose identifier starts so: among the tips first, then in the history, which is fetched without any files.
fn expand(remote: &mut Remote, start: &str, all: &[Reference]) -> Result<Option<ObjectId>, Problem> {
    let tips = tips(all)?;
    let mut found: Vec<_> = tips.iter().copied().filter(|tip| tip.to_string().starts_with(start)).collect();
    if found.is_empty() && !tips.is_empty() {
        if !remote.can_leave_out_files() {
            return Err(Problem::invalid(
                "commit-abbreviated",
                format!("this server cannot tell which commit starts with `{start}`"),
            )
            .hint("give the whole identifier of 40 digits, which `git rev-parse` tells in a clone"));
        }
        log::info(format!("looks for the commit `{start}` in the history"));
        found = remote.fetch(&Request { wants: &tips, history: History::CommitsOnly })?.commits_starting(start)?;
    }
    reference::only(start, &found)
}

/// Takes away what every branch or tag has in front.
pub(crate) fn short(name: &str) -> &str {
    ["refs/heads/", "refs/tags/"].iter().find_map(|place| name.strip_prefix(place)).unwrap_or(name)
}

fn empty(address: &str) -> Problem {
    Problem::not_found("empty-repository", format!("`{address}` has no commit that it takes for its own"))
        .hint("push a commit, or name a branch: `--ref main`")
}
