//! Which paths were written already. A million paths would be too much memory; a million hashes are not.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// What was written at a path before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    Directory,
    /// A file or a link.
    Other,
}

/// Paths, and whether a directory is there: that is the last bit of their hashes.
#[derive(Default)]
pub(crate) struct Seen {
    key: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Notes what is to be written at a path, and tells what was there.
    pub(crate) fn note(&mut self, path: &str, is_directory: bool) -> Before {
        let hash = self.key.hash_one(path);
        let (directory, other) = (hash | 1, hash & !1);
        let (now, not_any_more) = if is_directory { (directory, other) } else { (other, directory) };
        let (was_other, was_same) = (self.hashes.remove(&not_any_more), !self.hashes.insert(now));
        match (was_same, was_other, is_directory) {
            (false, false, _) => Before::Nothing,
            (true, _, true) | (_, true, false) => Before::Directory,
            (true, _, false) | (_, true, true) => Before::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_was_there_last() {
        let mut seen = Seen::default();
        for (path, is_directory, before) in [
            ("a", false, Before::Nothing),
            ("a", false, Before::Other),
            ("a", true, Before::Other),
            ("a", true, Before::Directory),
            ("a", false, Before::Directory),
            ("b", true, Before::Nothing),
        ] {
            assert_eq!(seen.note(path, is_directory), before, "{path} {is_directory}");
        }
    }
}
