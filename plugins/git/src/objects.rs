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
use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_object::Kind;
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

pub(crate) use self::incoming::number;
use self::incoming::{Sizes, Tee};
use crate::{
    store::{self, Store},
    trouble::{self, Trouble},
};

/// The most that one object may take in memory, with what is needed to put it together.
pub(crate) const OBJECT_LIMIT: usize = 96 << 20;

/// How much of what was put together is kept for what builds on it.
pub(crate) const CACHE: usize = 16 << 20;

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
        let entries = BytesToEntriesIter::new_from_header(tee, Mode::Verify, EntryDataMode::Crc32, Sha1).map_err(told)?;
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
            Sha1,
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
            pack: data::File::from_data(pack, PathBuf::new(), Sha1)?.with_alloc_limit_bytes(Some(OBJECT_LIMIT)),
            index: index::File::from_data(index, PathBuf::new(), Sha1)?,
            tools: RefCell::new(tools),
        })
    }
}

impl Store for Objects {
    fn find(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Problem> {
        let Some(at) = self.index.lookup(id) else { return Ok(None) };
        let in_pack = |at| self.pack.entry(self.index.pack_offset_at_index(at));
        let resolve =
            |base: &oid, _: &mut Vec<u8>| self.index.lookup(base).map(|at| in_pack(at).map(ResolvedBase::InPack)).transpose();
        let Tools { cache, inflate } = &mut *self.tools.borrow_mut();
        let decoded = in_pack(at).and_then(|entry| self.pack.decode_entry(entry, buffer, inflate, &resolve, cache));
        Ok(Some(decoded.map_err(|error| trouble::corrupt(&error))?.kind))
    }

    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        Ok(store::starting(&self.index, prefix))
    }
}

fn slice<'a>(range: EntryRange, pack: &'a &[u8]) -> Option<&'a [u8]> {
    pack.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of the two documents of the first published collision, up to where they differ no more.
    const COLLISION: &str = "\
        255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f5479\
        70652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020522f4c65\
        6e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d312069732064\
        6561642121212121852fec092339759c39b1a1c63c4c97e1fffe017f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791f\
        e02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a480\
        2d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1";

    #[test]
    fn detects_the_published_collision_of_identifiers() {
        let bytes: Vec<u8> =
            (0..COLLISION.len()).step_by(2).map(|at| u8::from_str_radix(&COLLISION[at..at + 2], 16).unwrap()).collect();
        let mut hasher = gix_hash::hasher(Sha1);
        hasher.update(&bytes);
        assert!(hasher.try_finalize().unwrap_err().to_string().contains("collision"));
    }
}
