//! A directory that becomes the whole.

use std::fs;

use super::{Yard, code, mode};

#[test]
fn what_lies_in_a_directory_becomes_the_top() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_directory("app", 0o500).unwrap();
    tree.put_file("app/tool", 0o755, b"#!").unwrap();
    // A thing may have the name of the directory that it lies in, or one that a writer would use for a while.
    tree.put_file("app/app/file", 0o644, b"deep").unwrap();
    tree.put_symlink("app/.top-0", "../decoy").unwrap();
    tree.put_directory("app/closed", 0o555).unwrap();
    tree.put_hardlink("app/closed/same", "app/tool").unwrap();
    tree.set_top("app").unwrap();
    let summary = tree.finish().unwrap();
    assert_eq!((summary.entries, summary.bytes), (6, 6));
    let at = |path: &str| yard.tree().join(path);
    assert_eq!(fs::read_to_string(at("tool")).unwrap(), "#!");
    assert_eq!(fs::read_to_string(at("app/file")).unwrap(), "deep");
    assert_eq!(fs::read_link(at(".top-0")).unwrap().to_str(), Some("../decoy"));
    assert_eq!((mode(at("closed")), mode(at("closed/same"))), (0o555, 0o755));
    assert_eq!(fs::read_dir(yard.tree()).unwrap().count(), 4);
    yard.assert_untouched();
}

#[test]
fn a_deeper_directory_becomes_the_top_too() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_file("a/b/c/b/file", 0o644, b"x").unwrap();
    tree.set_top("a/b/c").unwrap();
    assert_eq!(tree.finish().unwrap().entries, 2);
    assert!(yard.tree().join("b/file").is_file());
}

#[test]
fn nothing_lies_beside_the_top_and_nothing_comes_after_it() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_file("a/b/file", 0o644, b"x").unwrap();
    tree.put_symlink("a/link", "b").unwrap();
    for nothing in ["none", "a/link", "a/b/file", "a/link/x"] {
        assert_eq!(code(tree.set_top(nothing)), "not-found");
    }
    for unsafe_path in ["", ".", "..", "a/..", "/a"] {
        assert_eq!(code(tree.set_top(unsafe_path)), "unsafe-path");
    }
    assert_eq!(code(tree.set_top("a/b")), "not-alone");
    tree.set_top("a").unwrap();
    assert_eq!(code(tree.set_top("a")), "after-the-top");
    assert_eq!(code(tree.put_file("c", 0o644, b"x")), "after-the-top");
    assert_eq!(code(tree.put_directory("a", 0o755)), "after-the-top");
    assert_eq!(code(tree.remove("a/b/file")), "after-the-top");
    tree.finish().unwrap();
    assert!(yard.tree().join("b/file").is_file());
}
