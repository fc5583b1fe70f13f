//! From an address and a reference to the objects of one commit.

use gix_hash::ObjectId;
use sti_plugin::{Problem, log};

use crate::{
    kept::{self, Keeper, Kept},
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
pub(crate) fn open(
    location: &Location,
    wanted: &RequestedRef,
    keeper: &Keeper,
    is_there: &IsThere,
) -> Result<Option<Found>, Problem> {
    // A whole identifier says it all, unless it is a tag's that was never met: no server is asked.
    if let RequestedRef::Commit(id) = wanted
        && is_there(&keeper.commit_of(*id), None)?
    {
        return Ok(None);
    }
    if matches!(wanted, RequestedRef::Before(..)) {
        return Err(reference::without_history());
    }
    let mut fetch = Fetch { remote: Remote::connect(location)?, location, keeper, is_there };
    match wanted {
        RequestedRef::Commit(id) => fetch.commit(*id).map(Some),
        RequestedRef::Name(name) => fetch.named(name),
        RequestedRef::Head | RequestedRef::Before(..) => fetch.head(),
    }
}

/// One repository while it is fetched.
struct Fetch<'f> {
    remote: Remote,
    location: &'f Location,
    keeper: &'f Keeper<'f>,
    is_there: &'f IsThere<'f>,
}

impl Fetch<'_> {
    fn head(&mut self) -> Result<Option<Found>, Problem> {
        let references = self.remote.references(&["HEAD".to_owned()])?;
        let head = references.iter().find(|reference| reference.name == "HEAD").ok_or_else(|| empty(self.location.text()))?;
        self.tip(head, head.target.as_deref().map(short))
    }

    fn named(&mut self, name: &str) -> Result<Option<Found>, Problem> {
        let likely = self.remote.references(&reference::prefixes(name))?;
        if let Some(found) = reference::choose(name, &likely)? {
            return self.tip(found, Some(short(&found.name)));
        }
        let all = self.remote.references(&["refs/heads/".to_owned(), "refs/tags/".to_owned()])?;
        if reference::is_abbreviated(name)
            && let Some(id) = expand(&mut self.remote, &name.to_ascii_lowercase(), &all)?
        {
            return if (self.is_there)(&id, None)? { Ok(None) } else { self.commit(id).map(Some) };
        }
        Err(reference::missing(self.location.text(), name, &all))
    }

    fn tip(&mut self, tip: &Reference, reference: Option<&str>) -> Result<Option<Found>, Problem> {
        if (self.is_there)(&tip.object, reference)? {
            return Ok(None);
        }
        let objects = self.objects(tip.object)?;
        found(tip.object, objects).map(Some)
    }

    /// A server may send a commit by its identifier or not; where it does not, its branches may hold it.
    fn commit(&mut self, id: ObjectId) -> Result<Found, Problem> {
        let objects = match self.objects(id) {
            Err(problem) if problem.code() == "commit-not-served" && !self.remote.sends_any_commit() => {
                search(self.location, id, problem)?
            }
            fetched => fetched?,
        };
        let found = found(id, objects)?;
        if found.commit != id {
            self.keeper.keep_tag(id, found.commit)?;
        }
        Ok(found)
    }

    /// Fetches a commit with its files: what it adds to one that was kept, where the server sends that, or all of it. It is kept in turn.
    fn objects(&mut self, id: ObjectId) -> Result<Packs, Problem> {
        let sends_additions = self.remote.sends_additions();
        let known = if sends_additions { self.keeper.load() } else { None };
        let added = match known {
            Some(known) if known.commit == id => return Ok(known.packs),
            Some(known) => self.additions(id, known)?,
            None => None,
        };
        let objects = match added {
            Some(objects) => objects,
            None => self.remote.fetch(&Request { wants: &[id], history: History::None }, None)?,
        };
        if sends_additions {
            self.keeper.keep(objects.commit(&id)?, &objects)?;
        }
        Ok(objects)
    }

    /// Fetches what a commit adds to another one; nothing where the two do not fit together.
    fn additions(&mut self, id: ObjectId, known: Kept) -> Result<Option<Packs>, Problem> {
        log::debug(format!("asks for what `{id}` adds to `{}`", known.commit));
        match self.remote.fetch(&Request { wants: &[id], history: History::None }, Some(known)) {
            Ok(objects) if kept::is_whole(&objects, objects.commit(&id)?)? => Ok(Some(objects)),
            Err(problem) if problem.code() != "damaged-repository" => Err(problem),
            Ok(_) | Err(_) => {
                // Nobody knows how far the other side came on this line.
                self.remote = Remote::connect(self.location)?;
                Ok(None)
            }
        }
    }
}

fn found(id: ObjectId, objects: Packs) -> Result<Found, Problem> {
    Ok(Found { commit: objects.commit(&id)?, origin: None, objects: Box::new(objects) })
}

/// Looks for a commit in everything that a server has. The line to it ended with its refusal.
fn search(location: &Location, id: ObjectId, refusal: Problem) -> Result<Packs, Problem> {
    log::info(format!("the server does not send `{id}` by itself: looks for it in the whole history"));
    let mut remote = Remote::connect(location)?;
    let tips = tips(&remote.references(&["refs/heads/".to_owned(), "refs/tags/".to_owned()])?)?;
    let objects = remote.fetch(&Request { wants: &tips, history: History::Whole }, None)?;
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
        found = remote.fetch(&Request { wants: &tips, history: History::CommitsOnly }, None)?.commits_starting(start)?;
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
