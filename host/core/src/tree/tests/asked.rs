//! A plugin's questions.

use super::*;
use crate::{
    ProblemKind,
    tree::{Listed, ListedKind},
};

fn asked() -> (TempDir, Dir) {
    made(|dir| {
        dir.create_dir_all("src/deep").unwrap();
        for (path, text) in [("src/main.py", "print"), ("src/deep/a.py", ""), ("run", "#!"), ("ignored", ""), ("z\u{e9}", "")] {
            dir.write(path, text).unwrap();
            set_mode(dir, path, if path == "run" { 0o755 } else { 0o644 });
        }
        dir.write(OsStr::from_bytes(b"\xff"), "").unwrap();
        dir.write(".s2iignore", "ignored").unwrap();
        dir.symlink("src", "link").unwrap();
        rustix::fs::mkfifoat(dir, "src/fifo", Mode::RUSR).unwrap();
    })
}

fn kind_of<T: std::fmt::Debug>(answer: Result<T, crate::Problem>) -> ProblemKind {
    answer.unwrap_err().kind
}

#[test]
fn lists_directories_by_name() {
    let (_kept, dir) = asked();
    let tree = tree(&dir);
    let names: Vec<_> = tree.entries("").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [".s2iignore", "link", "run", "src", "z\u{e9}"]);
    let listed = |name: &str, kind, size| Listed { name: name.to_owned(), kind, size, executable: kind == ListedKind::Directory };
    assert_eq!(tree.entries("src").unwrap(), [listed("deep", ListedKind::Directory, 0), listed("main.py", ListedKind::File, 5)]);
    assert_eq!(kind_of(tree.entries("link")), ProblemKind::NotFound);
    assert_eq!(kind_of(tree.entries("run")), ProblemKind::NotFound);
}

#[test]
fn looks_at_single_paths() {
    let (_kept, dir) = asked();
    let tree = tree(&dir);
    let kind = |path: &str| tree.look_at(path).unwrap().map(|entry| entry.kind);
    assert_eq!(kind(""), Some(ListedKind::Directory));
    assert_eq!(kind("src/deep/a.py"), Some(ListedKind::File));
    assert_eq!(kind("link"), Some(ListedKind::Symlink));
    for nothing in ["link/main.py", "gone", "run/below", "ignored", "src/fifo"] {
        assert_eq!(kind(nothing), None, "{nothing}");
    }
    assert!(tree.look_at("run").unwrap().unwrap().executable);
    for invalid in ["/run", "../x", "src/", "./run", "src//deep", "a\0b"] {
        assert_eq!(kind_of(tree.look_at(invalid)), ProblemKind::Invalid, "{invalid:?}");
    }
}

#[test]
fn reads_files_up_to_the_limit_and_links_as_written() {
    let (_kept, dir) = asked();
    let tree = tree(&dir);
    assert_eq!(tree.read("src/main.py", 5).unwrap(), b"print");
    assert_eq!(kind_of(tree.read("src/main.py", 4)), ProblemKind::Exhausted);
    for nothing in ["link/main.py", "gone", "src", "ignored", "src/fifo"] {
        assert_eq!(kind_of(tree.read(nothing, 9)), ProblemKind::NotFound, "{nothing}");
    }
    assert_eq!(kind_of(tree.read("", 9)), ProblemKind::Invalid);
    assert_eq!(tree.link_target("link").unwrap(), "src");
    assert_eq!(kind_of(tree.link_target("run")), ProblemKind::NotFound);
}

#[test]
fn finds_paths_by_globs() {
    let (_kept, dir) = asked();
    dir.remove_file("src/fifo").unwrap();
    let tree = tree(&dir);
    assert_eq!(tree.find("**/*.py", 9).unwrap(), ["src/deep/a.py", "src/main.py"]);
    assert_eq!(tree.find("**/*.py", 1).unwrap(), ["src/deep/a.py"]);
    assert_eq!(tree.find("*.py", 9).unwrap(), [""; 0]);
    assert_eq!(tree.find("{run,ignored,s?c}", 9).unwrap(), ["run", "src"]);
    assert_eq!(tree.find("run", 0).unwrap(), [""; 0]);
    assert_eq!(kind_of(tree.find("{a", 9)), ProblemKind::Invalid);
}
