//! What both formats write into: strips names, knows what was written before, passes bytes on in pieces, and counts.

use std::{collections::HashMap, io::BufRead};

use sti_plugin::{Problem, ProblemKind, TreeWriter, log};

use crate::{
    damage::{damaged, told, truncated},
    names::{Name, shown},
    seen::{Before, Seen},
};

/// What a second entry of a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The last one counts, as with GNU tar.
    Replaces,
    /// A mistake, but for directories.
    IsRefused,
}

/// A tree that is being filled.
pub(crate) struct Output<'a> {
    tree: &'a TreeWriter<'a>,
    /// How many leading parts of names are left out.
    levels: usize,
    again: Again,
    seen: Seen,
    written: u64,
    /// Bytes of entries that have none in the tree.
    passed: u64,
    /// Targets of symbolic links: a tree has hard links of files only, and a second equal link is as good.
    symlinks: HashMap<String, String>,
    symlink_bytes: usize,
    whole: Vec<u8>,
}

/// Files up to this size are written by one call.
const SMALL: u64 = 1 << 20;
/// How many bytes of symbolic links are remembered; no hard link can lead to one that comes later.
const MOST_SYMLINK_BYTES: usize = 16 << 20;
/// How many entries there are between two words about progress.
const STRIDE: u64 = 64;

impl<'a> Output<'a> {
    pub(crate) fn new(tree: &'a TreeWriter<'a>, levels: usize, again: Again) -> Self {
        Self {
            tree,
            levels,
            again,
            seen: Seen::default(),
            written: 0,
            passed: 0,
            symlinks: HashMap::new(),
            symlink_bytes: 0,
            whole: Vec::new(),
        }
    }

    /// Holds an entry without content in the tree against the limit of bytes: they cost the same, if only to pass over them.
    pub(crate) fn pass(&mut self, name: &Name, bytes: u64) -> Result<(), Problem> {
        self.passed = self.passed.saturating_add(bytes);
        self.tree.expect(name.as_str(), self.passed)
    }

    /// Makes a directory.
    pub(crate) fn directory(&mut self, name: &Name, mode: u32) -> Result<(), Problem> {
        match self.path(name, true)? {
            Some(path) => self.tree.put_directory(path, mode),
            None => Ok(()),
        }
    }

    /// Writes a file of so many bytes: a small one at once, a large one in pieces.
    pub(crate) fn file(&mut self, name: &Name, mode: u32, size: u64, bytes: &mut dyn BufRead) -> Result<(), Problem> {
        let Some(path) = self.path(name, false)? else { return Ok(()) };
        if size <= SMALL {
            let piece = bytes.fill_buf().map_err(|error| told(&error))?;
            if piece.len() as u64 == size {
                let length = piece.len();
                self.tree.put_file(path, mode, piece)?;
                bytes.consume(length);
                return must_end(bytes);
            }
            self.whole.clear();
            let whole = &mut self.whole;
            copy(bytes, size, |piece| {
                whole.extend_from_slice(piece);
                Ok(())
            })?;
            return self.tree.put_file(path, mode, &self.whole);
        }
        self.tree.expect(path, size)?;
        let mut file = self.tree.open_file(path, mode)?;
        copy(bytes, size, |piece| file.write(piece))?;
        file.finish()
    }

    /// Makes a symbolic link, whose target is data.
    pub(crate) fn symlink(&mut self, name: &Name, target: &str) -> Result<(), Problem> {
        let Some(path) = self.path(name, false)? else { return Ok(()) };
        self.symlink_bytes += path.len() + target.len();
        if self.symlink_bytes <= MOST_SYMLINK_BYTES {
            self.symlinks.insert(path.to_owned(), target.to_owned());
        }
        self.tree.put_symlink(path, target)
    }

    /// Gives a file, or a symbolic link, that was written before a second name. Its target is a name of the archive, and stripped like one.
    pub(crate) fn hardlink(&mut self, name: &Name, target: &Name) -> Result<(), Problem> {
        let missing = || {
            let (name, target) = (shown(name.as_str().as_bytes()), shown(target.as_str().as_bytes()));
            Problem::invalid("hard-link-missing", format!("`{name}` is a hard link to `{target}`, which is no file before it"))
                .hint("keep the file and its links in one archive, in their order, and below what is stripped from names")
        };
        if name.below(self.levels).is_none() {
            return Ok(());
        }
        let existing = target.below(self.levels).ok_or_else(missing)?;
        if let Some(target) = self.symlinks.get(existing).cloned() {
            return self.symlink(name, &target);
        }
        let Some(path) = self.path(name, false)? else { return Ok(()) };
        self.tree.put_hardlink(path, existing).map_err(|problem| match problem.kind() {
            ProblemKind::NotFound => missing(),
            _ => problem,
        })
    }

    /// The path in the tree, with nothing there any more that is to be replaced; or none where nothing of the name is left, or nothing is
    /// to be done.
    fn path<'n>(&mut self, name: &'n Name, is_directory: bool) -> Result<Option<&'n str>, Problem> {
        let Some(path) = name.below(self.levels) else { return Ok(None) };
        match (self.seen.note(path, is_directory), self.again) {
            (Before::Nothing, _) => {}
            (Before::Directory, Again::Replaces) if is_directory => {}
            (Before::Directory, Again::IsRefused) if is_directory => return Ok(None),
            (_, Again::Replaces) => self.make_way(path)?,
            (_, Again::IsRefused) => return Err(twice(path)),
        }
        self.written += 1;
        if self.written.is_multiple_of(STRIDE) {
            log::progress("unpacking", self.written, None);
        }
        Ok(Some(path))
    }

    /// Takes back what is there. A directory that is not empty stays, and what is to be written there is refused by the tree.
    fn make_way(&mut self, path: &str) -> Result<(), Problem> {
        self.symlinks.remove(path);
        match self.tree.remove(path) {
            Err(problem) if problem.kind() != ProblemKind::Invalid => Err(problem),
            _ => Ok(()),
        }
    }
}

fn twice(path: &str) -> Problem {
    Problem::invalid("duplicate-entry", format!("the entry `{}` is there twice", shown(path.as_bytes())))
        .hint("make the archive anew with one of them")
}

/// Passes exactly so many bytes on, piece by piece, and makes sure that there are no more.
fn copy(bytes: &mut dyn BufRead, size: u64, mut take: impl FnMut(&[u8]) -> Result<(), Problem>) -> Result<(), Problem> {
    let mut left = size;
    while left > 0 {
        let piece = bytes.fill_buf().map_err(|error| told(&error))?;
        if piece.is_empty() {
            return Err(truncated(format!("{left} bytes of a file are missing")));
        }
        let taken = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        take(&piece[..taken])?;
        bytes.consume(taken);
        left -= taken as u64;
    }
    must_end(bytes)
}

fn must_end(bytes: &mut dyn BufRead) -> Result<(), Problem> {
    if bytes.fill_buf().map_err(|error| told(&error))?.is_empty() {
        return Ok(());
    }
    Err(damaged("a file is longer than its header says"))
}
