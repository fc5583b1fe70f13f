//! Where objects are found: what a server sent, or a directory of the user's.

use std::rc::Rc;

use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_object::{CommitRefIter, Kind, TagRefIter};
use sti_plugin::Problem;

use crate::trouble;

/// The most that one object may take in memory, with what is needed to put it together.
pub(crate) const OBJECT_LIMIT: usize = 96 << 20;

/// How many tags may point at each other.
const MOST_TAGS: usize = 16;

/// An object in memory.
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) content: Vec<u8>,
}

/// An object that was found.
pub(crate) enum Opened<'s> {
    /// It is in memory.
    Held(Rc<Object>),
    /// It is large, and is taken in pieces.
    Large(Box<dyn Large + 's>),
}

/// An object that is not in memory.
pub(crate) trait Large {
    fn kind(&self) -> Kind;

    fn size(&self) -> u64;

    /// Hands on all of it, piece by piece.
    fn pour(self: Box<Self>, take: &mut Take<'_>) -> Result<(), Problem>;
}

/// What takes pieces of an object.
pub(crate) type Take<'t> = dyn FnMut(&[u8]) -> Result<(), Problem> + 't;

/// Objects by identifier.
pub(crate) trait Store {
    /// Finds an object; none where there is no such. It is taken into memory, unless it is larger than this and need not be.
    fn open(&self, id: &oid, largest: u64) -> Result<Option<Opened<'_>>, Problem>;

    /// Tells the objects whose identifiers start so.
    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem>;

    /// Takes an object into memory; none where there is no such.
    fn find(&self, id: &oid) -> Result<Option<Rc<Object>>, Problem> {
        match self.open(id, OBJECT_LIMIT as u64)? {
            None => Ok(None),
            Some(Opened::Held(object)) => Ok(Some(object)),
            Some(Opened::Large(object)) => Err(too_large(object.size())),
        }
    }

    /// As [`Store::open`], of a file that must be there.
    fn open_file(&self, id: &oid, largest: u64) -> Result<Opened<'_>, Problem> {
        let opened = self.open(id, largest)?.ok_or_else(|| missing(id))?;
        let kind = match &opened {
            Opened::Held(object) => object.kind,
            Opened::Large(object) => object.kind(),
        };
        if kind == Kind::Blob { Ok(opened) } else { Err(of_another_kind(id, kind, Kind::Blob)) }
    }

    /// Takes an object into memory that must be there and of a kind.
    fn expect(&self, id: &oid, kind: Kind) -> Result<Rc<Object>, Problem> {
        match self.find(id)? {
            Some(found) if found.kind == kind => Ok(found),
            Some(found) => Err(of_another_kind(id, found.kind, kind)),
            None => Err(missing(id)),
        }
    }

    /// Follows tags to a commit.
    fn commit(&self, id: &oid) -> Result<ObjectId, Problem> {
        let mut id = id.to_owned();
        for _ in 0..MOST_TAGS {
            let object = self.find(&id)?.ok_or_else(|| missing(&id))?;
            match object.kind {
                Kind::Commit => return Ok(id),
                Kind::Tag => {
                    id = TagRefIter::from_bytes(&object.content, Sha1).target_id().map_err(|error| trouble::corrupt(&error))?;
                }
                other => {
                    return Err(Problem::invalid("not-a-commit", format!("`{id}` is a {other} and no commit"))
                        .hint("name a branch, a commit or a tag of one"));
                }
            }
        }
        Err(trouble::damaged(format_args!("more than {MOST_TAGS} tags point at each other")))
    }

    /// Tells the tree of a commit.
    fn tree_of(&self, commit: &oid) -> Result<ObjectId, Problem> {
        let commit = self.expect(commit, Kind::Commit)?;
        CommitRefIter::from_bytes(&commit.content, Sha1).tree_id().map_err(|error| trouble::corrupt(&error))
    }

    /// Tells the commits that came before a commit.
    fn parents_of(&self, commit: &oid) -> Result<Vec<ObjectId>, Problem> {
        let commit = self.expect(commit, Kind::Commit)?;
        Ok(CommitRefIter::from_bytes(&commit.content, Sha1).parent_ids().collect())
    }

    /// Finds the commits whose identifiers start so.
    fn commits_starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        let mut found = Vec::new();
        for id in self.starting(prefix)? {
            if self.find(&id)?.is_some_and(|object| object.kind == Kind::Commit) {
                found.push(id);
            }
        }
        Ok(found)
    }
}

/// Names an object by what it holds. One that was made to collide with another is refused.
pub(crate) fn name(kind: Kind, content: &[u8]) -> Result<ObjectId, Problem> {
    gix_object::compute_hash(Sha1, kind, content).map_err(|error| trouble::corrupt(&error))
}

/// Makes the problem of an object that would have to be in memory.
pub(crate) fn too_large(size: u64) -> Problem {
    let message = format!("the repository holds a file of {} MiB that must be put together in memory", size >> 20);
    Problem::exhausted("object-too-large", message).hint(
        "keep such files in Git LFS, or build from a checkout: `git clone --depth 1` it, and give the directory as the source",
    )
}

fn missing(id: &oid) -> Problem {
    trouble::damaged(format_args!("the object `{id}` is missing"))
}

fn of_another_kind(id: &oid, found: Kind, expected: Kind) -> Problem {
    trouble::damaged(format_args!("the object `{id}` is a {found} where a {expected} should be"))
}
