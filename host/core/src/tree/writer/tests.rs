//! Everything is written below a directory of the test, beside a decoy that must stay as it is.
#![expect(clippy::disallowed_methods, reason = "looks at the disk past the handles that are tested")]

mod behind;
mod hostile;
mod top;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

use cap_std::{ambient_authority, fs::Dir};

use super::{DroppedBits, PUT_OFF_EACH, TreeWriter, WriteLimits};
use crate::{Problem, ProblemKind};

/// A directory that is filled, and a decoy beside it.
struct Yard {
    whole: tempfile::TempDir,
}

impl Yard {
    fn new() -> Self {
        let whole = tempfile::tempdir().unwrap();
        fs::create_dir(whole.path().join("tree")).unwrap();
        fs::create_dir(whole.path().join("decoy")).unwrap();
        fs::write(whole.path().join("decoy/file"), "untouched").unwrap();
        Self { whole }
    }

    fn tree(&self) -> PathBuf {
        self.whole.path().join("tree")
    }

    fn writer(&self) -> TreeWriter {
        self.limited(WriteLimits::default())
    }

    fn limited(&self, limits: WriteLimits) -> TreeWriter {
        TreeWriter::new(&Dir::open_ambient_dir(self.tree(), ambient_authority()).unwrap(), limits).unwrap()
    }

    fn assert_untouched(&self) {
        assert_eq!(fs::read_to_string(self.whole.path().join("decoy/file")).unwrap(), "untouched");
        let names = |path: PathBuf| fs::read_dir(path).unwrap().count();
        assert_eq!((names(self.whole.path().join("decoy")), names(self.whole.path().to_owned())), (1, 2));
    }
}

fn code(written: Result<(), Problem>) -> String {
    written.expect_err("it must be refused").code
}

fn mode(path: PathBuf) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn writes_files_directories_and_links_with_their_modes() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_file("deep/er/tool", 0o775, b"#!").unwrap();
    tree.put_file("secret", 0o600, b"").unwrap();
    tree.put_directory("deep", 0o700).unwrap();
    tree.put_directory("empty", 0o777).unwrap();
    tree.put_symlink("out", "../decoy/file").unwrap();
    tree.put_hardlink("deep/same", "deep/er/tool").unwrap();
    let mut large = tree.open_file("large", 0o644).unwrap();
    tree.append(&mut large, vec![7; 100_000]).unwrap();
    tree.append(&mut large, vec![8; 100_000]).unwrap();
    tree.finish_file(large).unwrap();
    let summary = tree.finish().unwrap();
    assert_eq!((summary.entries, summary.bytes), (8, 200_002));
    let at = |path: &str| yard.tree().join(path);
    assert_eq!([mode(at("deep/er/tool")), mode(at("secret")), mode(at("deep")), mode(at("empty"))], [0o775, 0o600, 0o700, 0o777]);
    assert_eq!(fs::read_link(at("out")).unwrap(), PathBuf::from("../decoy/file"));
    assert_eq!(fs::metadata(at("deep/same")).unwrap().ino(), fs::metadata(at("deep/er/tool")).unwrap().ino());
    assert_eq!(fs::metadata(at("large")).unwrap().len(), 200_000);
    yard.assert_untouched();
}

#[test]
fn a_directory_that_may_not_be_written_is_filled_all_the_same() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_directory("closed", 0o555).unwrap();
    tree.put_directory("closed/below", 0o000).unwrap();
    tree.put_file("closed/below/file", 0o444, b"x").unwrap();
    tree.finish().unwrap();
    assert_eq!(mode(yard.tree().join("closed")), 0o555);
    fs::set_permissions(yard.tree().join("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(mode(yard.tree().join("closed/below")), 0);
    fs::set_permissions(yard.tree().join("closed/below"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(mode(yard.tree().join("closed/below/file")), 0o444);
}

#[test]
fn modes_that_are_put_off_take_no_endless_memory() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.room = 10 * ("closed-0".len() + PUT_OFF_EACH);
    for number in 0..10 {
        tree.put_directory(&format!("closed-{number}"), 0o555).unwrap();
    }
    // One that is noted again, or not any more, takes nothing more.
    for mode in [0o500, 0o755, 0o555] {
        tree.put_directory("closed-7", mode).unwrap();
    }
    assert_eq!(code(tree.put_directory("x", 0o555)), "too-many-closed-directories");
}

#[test]
fn nothing_is_written_through_a_link_however_it_is_named() {
    let yard = Yard::new();
    let decoy = yard.whole.path().join("decoy").to_str().unwrap().to_owned();
    let mut tree = yard.writer();
    tree.put_symlink("absolute", &decoy).unwrap();
    tree.put_symlink("relative", "../decoy").unwrap();
    tree.put_symlink("chain", "relative").unwrap();
    tree.put_symlink("file", &format!("{decoy}/file")).unwrap();
    for link in ["absolute", "relative", "chain"] {
        assert_eq!(code(tree.put_file(&format!("{link}/new"), 0o644, b"x")), "below-a-file");
        assert_eq!(code(tree.put_file(&format!("{link}/deeper/new"), 0o644, b"x")), "below-a-file");
        assert_eq!(code(tree.put_directory(&format!("{link}/new"), 0o755)), "below-a-file");
        assert_eq!(code(tree.put_symlink(&format!("{link}/new"), "x")), "below-a-file");
        assert_eq!(code(tree.put_directory(link, 0o777)), "written-twice");
        assert_eq!(code(tree.put_hardlink("stolen", &format!("{link}/file"))), "not-found");
    }
    assert_eq!(code(tree.put_file("file", 0o644, b"x")), "written-twice");
    assert_eq!(code(tree.put_hardlink("stolen", "file")), "not-found");
    tree.finish().unwrap();
    yard.assert_untouched();
}

#[test]
fn a_path_is_written_once_and_never_below_a_file() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_file("a", 0o644, b"first").unwrap();
    assert_eq!(code(tree.put_file("a", 0o644, b"second")), "written-twice");
    assert_eq!(code(tree.put_directory("a", 0o755)), "written-twice");
    assert_eq!(code(tree.put_file("a/b", 0o644, b"x")), "below-a-file");
    assert_eq!(code(tree.put_file("a/b/c", 0o644, b"x")), "below-a-file");
    tree.put_directory("d", 0o755).unwrap();
    tree.put_directory("d", 0o700).unwrap();
    assert_eq!(code(tree.put_file("d", 0o644, b"x")), "written-twice");
    assert_eq!(code(tree.put_hardlink("e", "d")), "not-found");
    assert_eq!(code(tree.put_hardlink("e", "nothing")), "not-found");
    assert_eq!(code(tree.put_file("f", 0o104_755, b"x")), "invalid-mode");
    assert_eq!(code(tree.put_symlink("g", "")), "invalid-target");
    assert_eq!(code(tree.put_symlink("g", &"x".repeat(4_096))), "invalid-target");
    tree.finish().unwrap();
    assert_eq!(fs::read_to_string(yard.tree().join("a")).unwrap(), "first");
}

#[test]
fn set_id_and_sticky_bits_are_dropped_and_counted() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_file("plain", 0o755, b"").unwrap();
    assert_eq!(tree.dropped_bits(), None);
    tree.put_file("tool", 0o4755, b"").unwrap();
    let growing = tree.open_file("group", 0o2711).unwrap();
    tree.finish_file(growing).unwrap();
    tree.put_directory("sticky", 0o1777).unwrap();
    assert_eq!(tree.dropped_bits(), Some(&DroppedBits { entries: 3, first: "tool".to_owned() }));
    tree.finish().unwrap();
    let at = |path: &str| mode(yard.tree().join(path));
    assert_eq!([at("plain"), at("tool"), at("group"), at("sticky")], [0o755, 0o755, 0o711, 0o777]);
}

#[test]
fn what_was_written_can_be_taken_back_and_written_anew() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_file("a", 0o644, b"first").unwrap();
    tree.put_hardlink("b", "a").unwrap();
    tree.remove("a").unwrap();
    assert_eq!(code(tree.put_hardlink("c", "a")), "not-found");
    tree.put_file("a", 0o644, b"second").unwrap();
    tree.put_symlink("link", "../decoy").unwrap();
    tree.remove("link").unwrap();
    tree.put_directory("link", 0o755).unwrap();
    tree.put_file("link/file", 0o644, b"inside").unwrap();
    assert_eq!(code(tree.remove("link")), "not-empty");
    tree.remove("link/file").unwrap();
    tree.remove("link").unwrap();
    tree.put_file("link", 0o644, b"now a file").unwrap();
    for nothing in ["none", "a/b", "link/file"] {
        assert_eq!(code(tree.remove(nothing)), "not-found");
    }
    for unsafe_path in ["", "..", "../decoy/file", "/etc", "a/../b"] {
        assert_eq!(code(tree.remove(unsafe_path)), "unsafe-path");
    }
    // What was taken back stays counted, or a tree could be written for ever.
    assert_eq!(tree.finish().unwrap().entries, 7);
    let at = |path: &str| fs::read_to_string(yard.tree().join(path)).unwrap();
    assert_eq!([at("a"), at("b"), at("link")], ["second", "first", "now a file"]);
    yard.assert_untouched();
}

#[test]
fn a_directory_is_written_anew_where_another_was() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    tree.put_directory("a/b", 0o500).unwrap();
    tree.remove("a/b").unwrap();
    tree.remove("a").unwrap();
    tree.put_file("a/b", 0o644, b"x").unwrap();
    tree.finish().unwrap();
    assert_eq!(mode(yard.tree().join("a/b")), 0o644);
}

#[test]
fn limits_end_it_and_say_how_to_raise_them() {
    let limits = WriteLimits { entries: 3, bytes: 10, ..WriteLimits::default() };
    let yard = Yard::new();
    let mut tree = yard.limited(limits);
    tree.put_file("a/b", 0o644, b"12345").unwrap();
    let refused = tree.put_file("c", 0o644, b"123456").unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (ProblemKind::Exhausted, "too-many-bytes"));
    assert!(refused.hint.is_some_and(|hint| hint.contains("--limit bytes=")));
    tree.put_directory("d", 0o755).unwrap();
    let refused = tree.put_directory("e", 0o755).unwrap_err();
    assert_eq!(refused.code, "too-many-entries");
    assert!(
        refused.message.contains("more than 3 entries") && refused.hint.is_some_and(|hint| hint.contains("--limit entries="))
    );
}

#[test]
fn what_would_be_too_large_is_refused_before_it_is_begun() {
    let yard = Yard::new();
    let mut tree = yard.limited(WriteLimits { bytes: 10, ..WriteLimits::default() });
    tree.put_file("a", 0o644, b"12345").unwrap();
    tree.expect("b", 5).unwrap();
    for absurd in [6, u64::MAX] {
        let refused = tree.expect("b", absurd).unwrap_err();
        assert_eq!((refused.kind, refused.code.as_str()), (ProblemKind::Exhausted, "too-many-bytes"));
    }
    // What is not written does not count.
    assert_eq!(tree.finish().unwrap().bytes, 5);
}

#[test]
fn a_file_that_was_not_finished_is_a_failure() {
    let yard = Yard::new();
    for gives_up in [false, true] {
        let mut tree = yard.writer();
        let file = tree.open_file(if gives_up { "a" } else { "b" }, 0o644).unwrap();
        if gives_up {
            tree.give_up_file(file);
        }
        assert_eq!(tree.finish().unwrap_err().code, "not-finished");
    }
}
