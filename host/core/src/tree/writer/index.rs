//! What was written so far, by hashes of paths: a million paths would be too much memory, a million hashes are not.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Symlink,
}

/// Paths and what lies there. The hashes are keyed anew each time, so that nobody can choose two paths of one hash; if two meet all the
/// same, the second path is refused as one that is written twice.
#[derive(Debug, Default)]
pub(super) struct Index {
    key: RandomState,
    kinds: HashMap<u64, Kind>,
}

impl Index {
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        self.kinds.get(&self.key.hash_one(path)).copied()
    }

    pub(super) fn insert(&mut self, path: &str, kind: Kind) {
        self.kinds.insert(self.key.hash_one(path), kind);
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.kinds.remove(&self.key.hash_one(path));
    }
}
