//! Where objects are found: what a server sent, or a directory of the user's.

use gix_hash::{Kind::Sha1, ObjectId, Prefix, oid};
use gix_object::{CommitRefIter, Kind, TagRefIter};
use gix_pack::index;
use sti_plugin::Problem;

use crate::trouble;

/// How many tags may point at each other.
const MOST_TAGS: usize = 16;

/// Objects by identifier.
pub(crate) trait Store {
    /// Reads an object into a buffer, and tells its kind; none where there is no such object.
    fn find(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Problem>;

    /// Tells the objects whose identifiers start so.
    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem>;

    /// Reads an object that must be there and of a kind.
    fn expect(&self, id: &oid, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), Problem> {
        match self.find(id, buffer)? {
            Some(found) if found == kind => Ok(()),
            Some(found) => Err(trouble::damaged(format_args!("the object `{id}` is a {found} where a {kind} should be"))),
            None => Err(missing(id)),
        }
    }

    /// Follows tags to a commit.
    fn commit(&self, id: &oid) -> Result<ObjectId, Problem> {
        let (mut id, mut buffer) = (id.to_owned(), Vec::new());
        for _ in 0..MOST_TAGS {
            match self.find(&id, &mut buffer)?.ok_or_else(|| missing(&id))? {
                Kind::Commit => return Ok(id),
                Kind::Tag => id = TagRefIter::from_bytes(&buffer, Sha1).target_id().map_err(|error| trouble::corrupt(&error))?,
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
        let mut buffer = Vec::new();
        self.expect(commit, Kind::Commit, &mut buffer)?;
        CommitRefIter::from_bytes(&buffer, Sha1).tree_id().map_err(|error| trouble::corrupt(&error))
    }

    /// Tells the commits that came before a commit.
    fn parents_of(&self, commit: &oid) -> Result<Vec<ObjectId>, Problem> {
        let mut buffer = Vec::new();
        self.expect(commit, Kind::Commit, &mut buffer)?;
        Ok(CommitRefIter::from_bytes(&buffer, Sha1).parent_ids().collect())
    }

    /// Finds the commits whose identifiers start so.
    fn commits_starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        for id in self.starting(prefix)? {
            if self.find(&id, &mut buffer)? == Some(Kind::Commit) {
                found.push(id);
            }
        }
        Ok(found)
    }
}

/// Tells the objects of a pack whose identifiers start so.
pub(crate) fn starting(index: &index::File<Vec<u8>>, prefix: &str) -> Vec<ObjectId> {
    let Ok(prefix) = Prefix::from_hex(prefix) else { return Vec::new() };
    let mut range = 0..0;
    index.lookup_prefix(prefix, Some(&mut range));
    range.map(|at| index.oid_at_index(at).to_owned()).collect()
}

fn missing(id: &oid) -> Problem {
    trouble::damaged(format_args!("the object `{id}` is missing"))
}
