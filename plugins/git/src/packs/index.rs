//! Where the objects of a pack begin.

use gix_hash::{ObjectId, Prefix, oid};
use gix_pack::index::File;

/// Objects of one pack by identifier.
pub(crate) enum Index {
    /// As git wrote it beside the pack.
    Written(Box<File<Vec<u8>>>),
    /// As it was found out while the pack was received, in the order of the identifiers.
    Found(Vec<Known>),
}

/// An object, and where it begins.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(super) id: ObjectId,
    pub(super) at: u64,
}

impl Index {
    /// Tells where an object begins.
    pub(super) fn find(&self, id: &oid) -> Option<u64> {
        match self {
            Self::Written(file) => file.lookup(id).map(|number| file.pack_offset_at_index(number)),
            Self::Found(known) => {
                known.binary_search_by(|known| known.id.as_slice().cmp(id.as_bytes())).ok().map(|number| known[number].at)
            }
        }
    }

    /// Tells the objects whose identifiers start so.
    pub(super) fn starting(&self, prefix: &str) -> Vec<ObjectId> {
        let Ok(prefix) = Prefix::from_hex(prefix) else { return Vec::new() };
        match self {
            Self::Written(file) => {
                let mut range = 0..0;
                file.lookup_prefix(prefix, Some(&mut range));
                range.map(|number| file.oid_at_index(number).to_owned()).collect()
            }
            Self::Found(known) => {
                let start = known.partition_point(|known| prefix.cmp_oid(&known.id).is_gt());
                let starts_so = |known: &&Known| prefix.cmp_oid(&known.id).is_eq();
                known[start..].iter().take_while(starts_so).map(|known| known.id).collect()
            }
        }
    }
}
