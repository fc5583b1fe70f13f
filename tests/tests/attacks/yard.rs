//! Where attacks take place: a directory that is filled, beside a decoy that must stay as it is.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use sti_tests::{Lab, Outcome};
use tempfile::TempDir;

/// How a fetch ends: the exit code and the condition.
pub(crate) type End = (i32, &'static str);

pub(crate) const INVALID: End = (1, "source-invalid");
pub(crate) const TOO_LARGE: End = (1, "source-too-large");
pub(crate) const NOT_GRANTED: End = (3, "not-granted");
pub(crate) const FAILED: End = (5, "fetch-failed");
pub(crate) const BAD_REFERENCE: End = (2, "invalid-ref");
pub(crate) const BAD_ARGUMENT: End = (2, "invalid-argument");

pub(crate) struct Yard {
    pub(crate) lab: Lab,
    before: Vec<String>,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let lab = Lab::new();
        let root = lab.root();
        copy(&warm().path().join("cache"), &root.join("home/.cache"));
        fs::create_dir_all(root.join("decoy/below")).unwrap();
        fs::create_dir(root.join("in")).unwrap();
        fs::write(root.join("decoy/file"), "untouched").unwrap();
        fs::write(root.join("decoy/below/file"), "untouched").unwrap();
        let before = seen(&root.join("decoy"));
        Self { lab, before }
    }

    /// A path of the decoy, whole.
    pub(crate) fn decoy(&self, path: &str) -> String {
        self.lab.root().join("decoy").join(path).to_str().unwrap().to_owned()
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.lab.root().join("out")
    }

    /// Writes a file to be fetched, and answers with its address.
    pub(crate) fn archive(&self, bytes: &[u8]) -> String {
        let path = self.lab.root().join("in/archive");
        fs::write(&path, bytes).unwrap();
        format!("archive:{}", path.display())
    }

    /// Fetches into an empty directory; the decoy must be as it was, and nothing may be left anywhere else.
    #[track_caller]
    pub(crate) fn fetch(&self, what: &str, address: &str, more: &[&str]) -> Outcome {
        let _gone = fs::remove_dir_all(self.out());
        let outcome = self.lab.sti([&["fetch", address, "out", "--json"], more].concat());
        self.check(what, &outcome);
        outcome
    }

    /// Fetches what must be refused in this way, in words that hold these.
    #[track_caller]
    pub(crate) fn refuses(&self, what: &str, address: &str, more: &[&str], end: End, words: &[&str]) {
        let outcome = self.fetch(what, address, more);
        assert_eq!(outcome.status.code(), Some(end.0), "{what}\n{outcome}");
        outcome.assert_error(end.0, end.1, words);
        assert_eq!(names(&self.out()), Vec::<OsString>::new(), "{what}: something of it is left\n{outcome}");
    }

    /// Fetches what is odd and no attack, and holds what comes of it against a list of `path = content` and `path -> target`.
    #[track_caller]
    pub(crate) fn takes(&self, what: &str, address: &str, more: &[&str], files: &[&str]) {
        let outcome = self.fetch(what, address, more);
        assert_eq!(outcome.status.code(), Some(0), "{what}\n{outcome}");
        assert_eq!(listing(&self.out()), files, "{what}");
    }

    /// What must hold after each call.
    #[track_caller]
    pub(crate) fn check(&self, what: &str, outcome: &Outcome) {
        let root = self.lab.root();
        assert_eq!(seen(&root.join("decoy")), self.before, "{what} reached the decoy\n{outcome}");
        // What is kept for the next fetch, as `bytes-KEY` and `tree-KEY`, stays.
        let is_kept = |name: &OsString| ["bytes-", "tree-"].iter().any(|kind| name.to_string_lossy().starts_with(kind));
        let beside = |directory: &Path, except: &str| {
            let others = names(directory).into_iter().filter(|name| name != except);
            others.collect::<Vec<_>>()
        };
        assert_eq!(beside(root, "out"), ["decoy", "home", "in", "run", "temp"], "{what} left something\n{outcome}");
        for empty in ["temp", "run", "home/.cache/sti/sources"] {
            let mut left = beside(&root.join(empty), "lock");
            left.retain(|name| !is_kept(name));
            assert_eq!(left, Vec::<OsString>::new(), "{what} left something in {empty}\n{outcome}");
        }
        let printed = outcome.stdout.len() + outcome.stderr.len();
        assert!(printed < 64 << 10, "{what}: {printed} bytes are printed\n{outcome}");
        assert!(!outcome.stderr.contains("panicked"), "{what}\n{outcome}");
    }
}

/// The plugins as they are compiled, which is done once for all yards.
fn warm() -> &'static TempDir {
    static WARM: OnceLock<TempDir> = OnceLock::new();
    let made = || {
        let (lab, kept) = (Lab::new(), TempDir::new().unwrap());
        // Neither is there; the plugins are compiled all the same.
        for address in ["archive:none.tar", "http://127.0.0.1:1/none.git"] {
            assert_ne!(lab.sti(["fetch", address, "out"]).status.code(), Some(0), "{address}");
        }
        copy(&lab.root().join("home/.cache"), &kept.path().join("cache"));
        kept
    };
    WARM.get_or_init(made)
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success(), "{} cannot be copied", from.display());
}

fn names(directory: &Path) -> Vec<OsString> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// All that can be seen of a directory: names, modes, times, numbers of names, and bytes.
fn seen(directory: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for name in names(directory) {
        let path = directory.join(name);
        let metadata = fs::symlink_metadata(&path).unwrap();
        let times = (metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec());
        let bytes = if metadata.is_file() { fs::read_to_string(&path).unwrap() } else { String::new() };
        lines.push(format!("{} {:o} {} {times:?} {bytes}", path.display(), metadata.mode(), metadata.nlink()));
        if metadata.is_dir() {
            lines.extend(seen(&path));
        }
    }
    lines
}

/// Files and links below a directory; empty directories end in a slash.
fn listing(top: &Path) -> Vec<String> {
    let (mut lines, mut waiting) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(directory) = waiting.pop() {
        let inside = names(&top.join(&directory));
        if inside.is_empty() && directory != Path::new("") {
            lines.push(format!("{}/", directory.display()));
        }
        for name in inside {
            let path = directory.join(name);
            let metadata = fs::symlink_metadata(top.join(&path)).unwrap();
            if metadata.is_dir() {
                waiting.push(path);
            } else if metadata.is_symlink() {
                lines.push(format!("{} -> {}", path.display(), fs::read_link(top.join(&path)).unwrap().display()));
            } else {
                let content = fs::read(top.join(&path)).unwrap();
                let content =
                    if content.len() > 40 { format!("{} bytes", content.len()) } else { content.escape_ascii().to_string() };
                lines.push(format!("{} = {content}", path.display()));
            }
        }
    }
    lines.sort();
    lines
}
