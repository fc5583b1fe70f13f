//! Calls of a tree-writer: each is a verb, and a path of parts that were chosen to do harm.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use sti_core::{
    Problem, ProblemKind,
    tree::{GrowingFile, Summary, TreeWriter, WriteLimits},
};
use tempfile::TempDir;

use crate::deck::Deck;

/// Parts of paths. What a byte finds behind the last of them is text of its own.
const PARTS: &[&str] = &["a", "b", "A", "d", "link", "decoy", "file", "tree", "..", ".", "", "ä", "a\u{308}", "\0", "new\nline"];

/// The most calls of one row.
const MOST_CALLS: usize = 200;

/// Makes a row of calls, in a directory with a decoy beside it.
///
/// # Panics
/// Where something does not hold, or no temporary directory can be made.
pub fn tree_writer(bytes: &[u8]) {
    let mut deck = Deck::new(bytes);
    let yard = Yard::new();
    let limits = WriteLimits {
        entries: deck.byte().max(1).into(),
        bytes: u64::from(deck.byte()) * 16,
        path_bytes: usize::from(deck.byte()).max(8),
        depth: usize::from(deck.byte() % 16).max(1),
    };
    let top = Dir::open_ambient_dir(yard.tree(), ambient_authority()).expect("a directory of our own");
    let mut row = Row { yard: &yard, writer: TreeWriter::new(&top, limits).expect("it is empty"), open: Vec::new(), is_over: false };
    for _ in 0..MOST_CALLS {
        if deck.is_over() || row.is_over {
            break;
        }
        row.call(&mut deck);
    }
    let Row { writer, open, is_over, .. } = row;
    let is_unfinished = !open.is_empty();
    let ended = writer.finish();
    yard.check_decoy();
    let found = yard.walk();
    match ended {
        Ok(summary) if !is_over => {
            assert!(!is_unfinished, "a file was never finished");
            assert_eq!(summary, found, "what was counted is not what is there");
            assert!(found.entries <= limits.entries && found.bytes <= limits.bytes, "{found:?} is more than {limits:?}");
        }
        Ok(_) => {}
        Err(problem) => assert!(is_unfinished || is_over, "{problem:?}"),
    }
}

/// A row of calls that is under way.
struct Row<'y> {
    yard: &'y Yard,
    writer: TreeWriter,
    open: Vec<GrowingFile>,
    /// A limit was reached: no host goes on behind that.
    is_over: bool,
}

impl Row<'_> {
    fn call(&mut self, deck: &mut Deck<'_>) {
        let verb = deck.byte() % 8;
        let outcome = match verb {
            0 => self.put_file(deck),
            1 => {
                let (path, mode) = (self.path(deck), mode(deck));
                self.writer.put_directory(&path, mode).map(|()| self.yard.check_reached(&path))
            }
            2 | 3 => {
                let (path, target) = (self.path(deck), self.path(deck));
                self.writer.put_symlink(&path, &target).map(|()| self.yard.check_reached(&path))
            }
            4 => {
                let (path, existing) = (self.path(deck), self.path(deck));
                self.writer.put_hardlink(&path, &existing).map(|()| {
                    self.yard.check_reached(&path);
                    self.yard.check_reached(&existing);
                })
            }
            5 => {
                let (path, mode) = (self.path(deck), mode(deck));
                self.writer.open_file(&path, mode).map(|file| self.open.push(file))
            }
            6 => match self.open.last_mut() {
                Some(file) => self.writer.append(file, deck.bytes()),
                None => Ok(()),
            },
            _ => {
                if let Some(file) = self.open.pop() {
                    self.writer.finish_file(file);
                }
                Ok(())
            }
        };
        if let Err(problem) = outcome {
            check_problem(&problem);
            self.is_over |= problem.kind == ProblemKind::Exhausted;
        }
    }

    fn put_file(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let (path, mode, bytes) = (self.path(deck), mode(deck), deck.bytes());
        self.writer.put_file(&path, mode, bytes)?;
        self.yard.check_reached(&path);
        let written = self.yard.tree().join(&path);
        let metadata = fs::symlink_metadata(&written).expect("it was just written");
        assert!(metadata.is_file() && metadata.mode() & 0o7777 == mode, "{path:?} has the mode {:o}", metadata.mode());
        assert_eq!(metadata.len(), bytes.len() as u64, "{path:?}");
        Ok(())
    }

    fn path(&self, deck: &mut Deck<'_>) -> String {
        let count = deck.byte();
        // The decoy by its whole name, to which a link may lead.
        if count == 0xff {
            return self.yard.decoy().to_string_lossy().into_owned();
        }
        let parts = (0..count % 8).map(|_| {
            let part = usize::from(deck.byte());
            PARTS.get(part).map_or_else(|| String::from_utf8_lossy(deck.bytes()).into_owned(), |part| (*part).to_owned())
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Mostly a mode that can be, with all bits now and then.
fn mode(deck: &mut Deck<'_>) -> u32 {
    u32::from(deck.short() & 0o1777)
}

fn check_problem(problem: &Problem) {
    assert!(problem.kind != ProblemKind::Internal && problem.kind != ProblemKind::Unavailable, "{problem:?}");
    assert!(!problem.message.chars().any(char::is_control), "{problem:?} cannot be shown");
}

/// A directory that is filled, and a decoy beside it.
struct Yard(TempDir);

impl Yard {
    fn new() -> Self {
        let yard = Self(TempDir::new().expect("a temporary directory"));
        fs::create_dir(yard.tree()).expect("a directory of our own");
        fs::create_dir(yard.decoy()).expect("a directory of our own");
        fs::write(yard.decoy().join("file"), "untouched").expect("a file of our own");
        yard
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    fn decoy(&self) -> PathBuf {
        self.0.path().join("decoy")
    }

    /// Nothing beside the tree is another than it was: neither names, nor bytes, nor modes, nor the number of names of the file.
    fn check_decoy(&self) {
        let names = |path: &Path| fs::read_dir(path).expect("it is there").count();
        assert_eq!([names(self.0.path()), names(&self.decoy())], [2, 1], "something lies beside the tree");
        let file = self.decoy().join("file");
        let metadata = fs::symlink_metadata(&file).expect("it is there");
        assert_eq!((metadata.nlink(), metadata.mode() & 0o7000), (1, 0), "the decoy has another name, or other bits");
        assert_eq!(fs::read(&file).expect("it can be read"), b"untouched");
        assert_eq!(fs::symlink_metadata(self.decoy()).expect("it is there").mode() & 0o7700, 0o700, "the decoy was changed");
    }

    /// What was written lies where its path says, below directories and no link.
    fn check_reached(&self, path: &str) {
        let mut at = self.tree();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            assert!(path.is_empty() || !matches!(part, "" | "." | ".."), "{path:?} is written");
            at.push(part);
            let metadata = fs::symlink_metadata(&at).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            assert!(parts.peek().is_none() || metadata.is_dir(), "{path:?} was reached through what is no directory");
        }
    }

    /// Counts what is there, without following anything.
    fn walk(&self) -> Summary {
        let (mut summary, mut inodes, mut waiting) = (Summary::default(), HashSet::new(), vec![self.tree()]);
        while let Some(directory) = waiting.pop() {
            // It may have been closed by its mode.
            fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("a directory of our own");
            for entry in fs::read_dir(&directory).expect("a directory of our own") {
                let entry = entry.expect("a directory of our own");
                let metadata = entry.metadata().expect("it is there");
                summary.entries += 1;
                if metadata.is_dir() {
                    waiting.push(entry.path());
                } else if metadata.is_file() && inodes.insert(metadata.ino()) {
                    summary.bytes += metadata.len();
                }
            }
        }
        summary
    }
}
