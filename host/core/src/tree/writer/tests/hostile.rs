//! Whatever a hostile fetcher does, nothing beside its tree is touched.

use std::{
    fs::{self, DirEntry},
    path::Path,
};

use proptest::prelude::*;

use super::{TreeWriter, Yard};
use crate::Problem;

/// Parts of which hostile paths are made.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just(String::new()),
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("link".to_owned()),
        Just("decoy".to_owned()),
        Just("file".to_owned()),
        "[ -~]{0,6}",
    ]
}

/// One thing that a hostile fetcher does.
#[derive(Clone, Debug)]
enum Deed {
    File(String),
    Directory(String),
    Symlink(String, String),
    Hardlink(String, String),
    Remove(String),
    SetTop(String),
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 1..5).prop_map(|parts| parts.join("/"))
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        path().prop_map(Deed::File),
        path().prop_map(Deed::Directory),
        (path(), path()).prop_map(|(path, target)| Deed::Symlink(path, target)),
        (path(), path()).prop_map(|(path, existing)| Deed::Hardlink(path, existing)),
        path().prop_map(Deed::Remove),
        path().prop_map(Deed::SetTop),
    ]
}

fn do_it(tree: &mut TreeWriter, deed: Deed) -> Result<(), Problem> {
    match deed {
        Deed::File(path) => tree.put_file(&path, 0o644, b"overwritten"),
        Deed::Directory(path) => tree.put_directory(&path, 0o755),
        Deed::Symlink(path, target) => tree.put_symlink(&path, &target),
        Deed::Hardlink(path, existing) => tree.put_hardlink(&path, &existing),
        Deed::Remove(path) => tree.remove(&path),
        Deed::SetTop(path) => tree.set_top(&path),
    }
}

/// All entries of a directory with everything below, following nothing.
fn entries(directory: &Path) -> u64 {
    let below = |entry: DirEntry| if entry.file_type().unwrap().is_dir() { entries(&entry.path()) } else { 0 };
    fs::read_dir(directory).unwrap().map(|entry| 1 + below(entry.unwrap())).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_stays_inside(deeds in prop::collection::vec(deed(), 1..30)) {
        let yard = Yard::new();
        let mut tree = yard.writer();
        let mut removed = 0;
        for deed in deeds {
            let removes = matches!(deed, Deed::Remove(_));
            if do_it(&mut tree, deed).is_ok() && removes {
                removed += 1;
            }
        }
        let counted = tree.finish();
        yard.assert_untouched();
        // The disk has what the writer believes to be there, no less and no more.
        prop_assert_eq!(counted.map(|summary| summary.entries - removed), Ok(entries(&yard.tree())));
    }

    /// A directory of links and files beside which nothing lies becomes the top, and the decoys stay what they are.
    #[test]
    fn whatever_becomes_the_top_was_inside(deeds in prop::collection::vec(deed(), 1..20), top in path()) {
        let yard = Yard::new();
        let mut tree = yard.writer();
        for deed in deeds {
            let below = |path: String| format!("a/b/{path}");
            let _refused = do_it(&mut tree, match deed {
                Deed::File(path) => Deed::File(below(path)),
                Deed::Directory(path) => Deed::Directory(below(path)),
                Deed::Symlink(path, target) => Deed::Symlink(below(path), target),
                Deed::Hardlink(path, existing) => Deed::Hardlink(below(path), below(existing)),
                Deed::Remove(path) | Deed::SetTop(path) => Deed::Remove(below(path)),
            });
        }
        let _refused = tree.set_top(&top);
        let _refused = tree.set_top("a/b");
        tree.finish().unwrap();
        yard.assert_untouched();
    }
}
