//! Calls of a tree-writer: each is a verb, and a path of parts that were chosen to do harm.

use cap_std::{ambient_authority, fs::Dir};
use sti_core::{
    Problem, ProblemKind,
    tree::{GrowingFile, TreeWriter, WriteLimits},
};

use crate::{
    deck::Deck,
    yard::{Growing, Written, Yard},
};

/// Parts of paths. What a byte finds behind the last of them is text of its own.
const PARTS: &[&str] =
    &["a", "b", "A", "d", "link", "decoy", "file", "tree", "..", ".", "", "ä", "a\u{308}", "\0", "new\nline", ".top-0"];

/// The most calls of one row.
const MOST_CALLS: usize = 600;

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
    let writer = TreeWriter::new(&top, limits).expect("it is empty");
    let mut row =
        Row { decoy: yard.decoy_path(), writer, open: Vec::new(), written: Written::default(), state: State::default() };
    for _ in 0..MOST_CALLS {
        if deck.is_over() || row.state.is_over {
            break;
        }
        row.call(&mut deck);
    }
    let Row { writer, open, written, state, .. } = row;
    let ended = writer.finish();
    yard.check_decoy();
    match ended {
        Ok(summary) => {
            assert!(open.is_empty() && !state.is_given_up, "a file was never finished");
            if !state.is_over {
                assert!(
                    summary.entries <= limits.entries && summary.bytes <= limits.bytes,
                    "{summary:?} is more than {limits:?}"
                );
                assert_eq!(summary.entries, written.entries() + state.removed, "what was counted is not what is there");
                assert!(state.is_refused || summary.bytes == state.bytes, "{summary:?} for {} bytes", state.bytes);
                yard.check_written(&written);
            }
        }
        Err(problem) => assert!(state.is_over || state.is_given_up || !open.is_empty(), "{problem:?}"),
    }
}

/// A row of calls that is under way.
struct Row {
    decoy: String,
    writer: TreeWriter,
    open: Vec<(GrowingFile, Growing)>,
    written: Written,
    state: State,
}

#[derive(Default)]
struct State {
    /// A limit was reached: no host goes on behind that.
    is_over: bool,
    /// A file was given up: the tree cannot be finished.
    is_given_up: bool,
    /// Something was refused, which may have been counted.
    is_refused: bool,
    /// Entries that were taken back: they stay counted.
    removed: u64,
    bytes: u64,
}

impl Row {
    fn call(&mut self, deck: &mut Deck<'_>) {
        let outcome = match deck.byte() % 12 {
            0 | 1 => self.put_file(deck),
            2 => self.put_directory(deck),
            3 | 4 => self.put_symlink(deck),
            5 => self.put_hardlink(deck),
            6 => self.open_file(deck),
            7 => self.append(deck),
            8 => self.end_file(deck),
            9 => self.remove(deck),
            10 => self.set_top(deck),
            _ => self.writer.expect(&self.path(deck), deck.short().into()),
        };
        if let Err(problem) = outcome {
            let is_plain = problem.kind != ProblemKind::Internal && problem.kind != ProblemKind::Unavailable;
            assert!(is_plain, "{problem:?}");
            assert!(!problem.message.chars().any(char::is_control), "{problem:?} cannot be shown");
            self.state.is_over |= problem.kind == ProblemKind::Exhausted;
            self.state.is_refused = true;
        }
    }

    fn put_file(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let (path, mode, bytes) = (self.path(deck), mode(deck), deck.bytes());
        self.writer.put_file(&path, mode, bytes)?;
        self.state.bytes += bytes.len() as u64;
        self.written.file(&path, mode, bytes);
        Ok(())
    }

    fn put_directory(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let (path, mode) = (self.path(deck), mode(deck));
        self.writer.put_directory(&path, mode)?;
        self.written.directory(&path, mode);
        Ok(())
    }

    fn put_symlink(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let (path, target) = (self.path(deck), self.path(deck));
        self.writer.put_symlink(&path, &target)?;
        self.written.symlink(&path, &target);
        Ok(())
    }

    fn put_hardlink(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let (path, existing) = (self.path(deck), self.path(deck));
        self.writer.put_hardlink(&path, &existing)?;
        self.written.hardlink(&path, &existing);
        Ok(())
    }

    fn open_file(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let (path, mode) = (self.path(deck), mode(deck));
        let file = self.writer.open_file(&path, mode)?;
        self.open.push((file, self.written.file(&path, mode, b"")));
        Ok(())
    }

    fn append(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let Some(at) = deck.place(self.open.len()) else { return Ok(()) };
        let (file, growing) = &mut self.open[at];
        let bytes = deck.bytes();
        self.writer.append(file, bytes)?;
        self.state.bytes += bytes.len() as u64;
        growing.borrow_mut().extend(bytes);
        Ok(())
    }

    fn end_file(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let Some(at) = deck.place(self.open.len()) else { return Ok(()) };
        let (file, _) = self.open.swap_remove(at);
        if deck.byte() == 0xff {
            self.writer.give_up_file(file);
            self.state.is_given_up = true;
            return Ok(());
        }
        self.writer.finish_file(file)
    }

    fn remove(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let path = self.path(deck);
        self.writer.remove(&path)?;
        self.written.remove(&path);
        self.state.removed += 1;
        Ok(())
    }

    fn set_top(&mut self, deck: &mut Deck<'_>) -> Result<(), Problem> {
        let path = self.path(deck);
        self.writer.set_top(&path)?;
        self.written.set_top(&path);
        Ok(())
    }

    fn path(&self, deck: &mut Deck<'_>) -> String {
        let count = deck.byte();
        // The decoy by its whole name, to which a link may lead.
        if count == 0xff {
            return self.decoy.clone();
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
    u32::from(deck.short() & 0o17777)
}
