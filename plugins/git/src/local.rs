//! A repository in a directory of the user's, which the host shows to be read.
//!
//! Nothing of it is obeyed: no hook is run, and of its configuration only the formats are read, and where it was cloned from.

mod database;
mod directory;
mod loose;
mod references;

use gix_hash::ObjectId;
use sti_plugin::Problem;

use self::{database::Database, directory::Directory};
use crate::{
    location::Location,
    reference::{self, RequestedRef, Step},
    repository::{Found, IsThere, short},
    store::Store,
};

/// Finds what a reference means in a directory; nothing where its tree is there already.
pub(crate) fn open(
    top: std::path::PathBuf,
    address: &str,
    wanted: &RequestedRef,
    is_there: &IsThere,
) -> Result<Option<Found>, Problem> {
    let directory = Directory::find(top, address)?;
    let database = Database::open(directory, address)?;
    let (commit, reference) = resolve(database.directory(), &database, address, wanted)?;
    if is_there(&commit, reference.as_deref())? {
        return Ok(None);
    }
    let origin = database.directory().origin()?.and_then(|url| Location::parse(&url).ok());
    let origin = origin.filter(|location| !matches!(location, Location::Local(_)));
    Ok(Some(Found { commit, origin, objects: Box::new(database) }))
}

fn resolve(
    directory: &Directory,
    database: &Database,
    address: &str,
    wanted: &RequestedRef,
) -> Result<(ObjectId, Option<String>), Problem> {
    match wanted {
        RequestedRef::Head => {
            let (id, branch) = references::head(directory, address)?;
            Ok((database.commit(&id)?, branch.as_deref().map(short).map(str::to_owned)))
        }
        RequestedRef::Commit(id) if database.find(id)?.is_none() => {
            Err(reference::missing(address, &id.to_string(), &references::all(directory)?))
        }
        RequestedRef::Commit(id) => Ok((database.commit(id)?, None)),
        RequestedRef::Before(base, steps) => {
            let (id, _) = resolve(directory, database, address, base)?;
            Ok((before(database, id, steps)?, None))
        }
        RequestedRef::Name(name) => {
            let all = references::all(directory)?;
            if let Some(found) = reference::choose(name, &all)? {
                return Ok((database.commit(&found.object)?, Some(short(&found.name).to_owned())));
            }
            let commits =
                if reference::is_abbreviated(name) { database.commits_starting(&name.to_ascii_lowercase())? } else { Vec::new() };
            let only = reference::only(name, &commits)?.ok_or_else(|| reference::missing(address, name, &all))?;
            Ok((only, None))
        }
    }
}

/// Goes back in the history.
fn before(database: &Database, start: ObjectId, steps: &[Step]) -> Result<ObjectId, Problem> {
    let mut id = start;
    for step in steps {
        let (times, parent) = match *step {
            Step::Back(times) => (times, 1),
            Step::Parent(parent) => (1, parent),
        };
        for _ in 0..times {
            let Some(at) = parent.checked_sub(1) else { continue };
            id = database.parents_of(&id)?.get(at).copied().ok_or_else(|| {
                Problem::not_found(
                    "reference-not-found",
                    format!("the history of `{start}` does not go so far back: `{id}` has no such parent"),
                )
                .hint("a shallow clone has only the newest commits: `git fetch --unshallow` brings the others")
            })?;
        }
    }
    Ok(id)
}
