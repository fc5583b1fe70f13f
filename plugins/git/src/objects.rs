//! What a server sent: a pack in memory, checked, indexed and under limits.

mod incoming;

use std::{
    cell::{OnceCell, RefCell},
    io::BufRead,
    path::PathBuf,
    rc::Rc,
    sync::atomic::AtomicBool,
};

use gix_error::ErrorExt;
use gix_hash::{Kind, ObjectId, Prefix, oid};
use gix_object::{CommitRefIter, TagRefIter};
use gix_pack::{
    cache::lru::MemoryCappedHashmap,
    data::{
        self, EntryRange,
        decode::entry::ResolvedBase,
        input::{BytesToEntriesIter, EntryDataMode, Mode},
    },
    index,
};
use gix_utils::progress::Discard;
use gix_zlib::Inflate;
use sti_plugin::Problem;

use self::incoming::{Sizes, Tee};
use crate::trouble::{self, Trouble};

pub(crate) use gix_object::Kind as ObjectKind;

/// The most that one object may take in memory, with what is needed to put it together.
const OBJECT_LIMIT: usize = 96 << 20;

/// How much of what was put together is kept for what builds on it.
const CACHE: usize = 16 << 20;

/// How many tags may point at each other.
const MOST_TAGS: usize = 16;

/// Objects by identifier.
pub(crate) struct Objects {
    pack: data::File<Vec<u8>>,
    index: index::File<Vec<u8>>,
    tools: RefCell<Tools>,
}

struct Tools {
    cache: MemoryCappedHashmap,
    inflate: Inflate,
}

impl Objects {
    /// Reads a pack to its end. Every object is put together once, to learn its identifier: what is found by one has that content.
    pub(crate) fn receive(reader: &mut dyn BufRead, trouble: &Trouble) -> Result<Self, Problem> {
        let told = |error: gix_error::Error| trouble.or(|| trouble::corrupt(&error));
        let received = Rc::new(RefCell::new(Vec::new()));
        let tee = Tee::new(reader, &received, trouble);
        let entries = BytesToEntriesIter::new_from_header(tee, Mode::Verify, EntryDataMode::Crc32, Kind::Sha1).map_err(told)?;
        let mut sizes = Sizes::default();
        let mut judged = entries.map(|entry| {
            let entry = entry?;
            sizes.add(&entry, &received.borrow()).map_err(|problem| trouble.keep(problem).raise())?;
            Ok(entry)
        });
        let (pack, mut index) = (OnceCell::new(), Vec::new());
        let whole_pack = || {
            Ok((slice as for<'a> fn(EntryRange, &'a &[u8]) -> Option<&'a [u8]>, pack.get_or_init(|| received.take()).as_slice()))
        };
        let outcome = index::write_data_iter_to_stream(
            index::Version::default(),
            whole_pack,
            &mut judged,
            Some(1),
            &mut Discard,
            &mut index,
            &AtomicBool::new(false),
            Kind::Sha1,
            Some(OBJECT_LIMIT),
            data::Version::V2,
        );
        outcome.map_err(told)?;
        drop(judged);
        Self::of(pack.into_inner().unwrap_or_default(), index).map_err(|error| trouble::corrupt(&error))
    }

    fn of(pack: Vec<u8>, index: Vec<u8>) -> gix_error::Result<Self> {
        let tools = Tools { cache: MemoryCappedHashmap::new(CACHE), inflate: Inflate::default() };
        Ok(Self {
            pack: data::File::from_data(pack, PathBuf::new(), Kind::Sha1)?.with_alloc_limit_bytes(Some(OBJECT_LIMIT)),
            index: index::File::from_data(index, PathBuf::new(), Kind::Sha1)?,
            tools: RefCell::new(tools),
        })
    }

    /// Tells whether there is an object.
    pub(crate) fn has(&self, id: &oid) -> bool {
        self.index.lookup(id).is_some()
    }

    /// Reads an object into a buffer, and tells its kind.
    pub(crate) fn find(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<ObjectKind, Problem> {
        let at = self.index.lookup(id).ok_or_else(|| trouble::damaged(format_args!("the object `{id}` is missing")))?;
        let in_pack = |at| self.pack.entry(self.index.pack_offset_at_index(at));
        let resolve =
            |base: &oid, _: &mut Vec<u8>| self.index.lookup(base).map(|at| in_pack(at).map(ResolvedBase::InPack)).transpose();
        let Tools { cache, inflate } = &mut *self.tools.borrow_mut();
        let decoded = in_pack(at).and_then(|entry| self.pack.decode_entry(entry, buffer, inflate, &resolve, cache));
        Ok(decoded.map_err(|error| trouble::corrupt(&error))?.kind)
    }

    /// Reads an object that must be of a kind.
    pub(crate) fn expect(&self, id: &oid, kind: ObjectKind, buffer: &mut Vec<u8>) -> Result<(), Problem> {
        match self.find(id, buffer)? {
            found if found == kind => Ok(()),
            found => Err(trouble::damaged(format_args!("the object `{id}` is a {found} where a {kind} should be"))),
        }
    }

    /// Follows tags to a commit.
    pub(crate) fn commit(&self, id: &oid) -> Result<ObjectId, Problem> {
        let (mut id, mut buffer) = (id.to_owned(), Vec::new());
        for _ in 0..MOST_TAGS {
            match self.find(&id, &mut buffer)? {
                ObjectKind::Commit => return Ok(id),
                ObjectKind::Tag => {
                    id = TagRefIter::from_bytes(&buffer, Kind::Sha1).target_id().map_err(|error| trouble::corrupt(&error))?;
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
    pub(crate) fn tree_of(&self, commit: &oid) -> Result<ObjectId, Problem> {
        let mut buffer = Vec::new();
        self.expect(commit, ObjectKind::Commit, &mut buffer)?;
        CommitRefIter::from_bytes(&buffer, Kind::Sha1).tree_id().map_err(|error| trouble::corrupt(&error))
    }

    /// Finds the commits whose identifiers start so.
    pub(crate) fn commits_starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        let Ok(prefix) = Prefix::from_hex(prefix) else { return Ok(Vec::new()) };
        let mut range = 0..0;
        self.index.lookup_prefix(prefix, Some(&mut range));
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        for id in range.map(|at| self.index.oid_at_index(at)) {
            if self.find(id, &mut buffer)? == ObjectKind::Commit {
                found.push(id.to_owned());
            }
        }
        Ok(found)
    }
}

fn slice<'a>(range: EntryRange, pack: &'a &[u8]) -> Option<&'a [u8]> {
    pack.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}
