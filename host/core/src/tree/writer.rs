//! A tree to fill: the one place where the paths of strangers are judged before anything is written.
//!
//! Paths, limits, and what was written before are judged at once, in memory. The disk's part is done by a thread beside ([`behind`]),
//! through handles of directories that are opened below the top without following a link ([`hand`]), so no path leads out of it
//! whatever it looks like and whatever was written before.

mod behind;
mod hand;
mod index;
mod paths;
mod refusals;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use cap_std::fs::Dir;

use super::Summary;
use crate::Problem;
use behind::Behind;
use hand::{Deed, Hand};
use index::{Index, Kind};
use refusals as refused;

const SYMLINK_TARGET: usize = 4_095;

/// Bytes of all paths whose modes are put off. They are the only ones that are held.
const PUT_OFF: usize = 64 << 20;
/// What each of them takes beside its bytes.
const PUT_OFF_EACH: usize = 64;

/// How much a tree may hold. A policy can say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteLimits {
    /// Files, directories and links together.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Bytes of a path.
    pub path_bytes: usize,
    /// Parts of a path.
    pub depth: usize,
}

impl Default for WriteLimits {
    /// What fits real projects.
    fn default() -> Self {
        Self { entries: 1_000_000, bytes: 32 << 30, path_bytes: 4_096, depth: super::walk::MOST_DEEP }
    }
}

/// A tree that grows below a directory, which was empty.
///
/// What the disk says may be told late, by a later call or by [`TreeWriter::finish`]; nothing more is written then. Where a writer is
/// dropped instead, it has ended to write when that returns.
#[derive(Debug)]
pub struct TreeWriter {
    limits: WriteLimits,
    written: Summary,
    index: Index,
    /// The directory of the last path: the next one mostly lies there too.
    parent: String,
    /// Modes that would keep us from writing: set at the end, the deepest first.
    later: BTreeMap<String, u32>,
    /// How much more of them is held.
    room: usize,
    dropped: Option<DroppedBits>,
    /// Files that were opened and not finished.
    open: u64,
    opened: u64,
    /// The directory that becomes the top at the end; nothing is written any more.
    top: Option<String>,
    behind: Behind,
}

/// A file that grows.
#[derive(Debug)]
pub struct GrowingFile {
    number: u64,
    path: String,
}

/// Modes that lost their set-user-id, set-group-id or sticky bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedBits {
    /// How many entries.
    pub entries: u64,
    /// The path of the first.
    pub first: String,
}

impl fmt::Display for DroppedBits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, first) = (self.entries, refused::printable(&self.first));
        write!(formatter, "dropped set-user-id, set-group-id or sticky bits of {entries} entries, first of `{first}`")
    }
}

impl TreeWriter {
    /// Fills a directory, which must be empty and nobody else's.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn new(dir: &Dir, limits: WriteLimits) -> std::io::Result<Self> {
        let behind = Behind::new(Hand::new(dir)?);
        Ok(Self {
            limits,
            written: Summary::default(),
            index: Index::default(),
            parent: String::new(),
            later: BTreeMap::new(),
            room: PUT_OFF,
            dropped: None,
            open: 0,
            opened: 0,
            top: None,
            behind,
        })
    }

    /// Whether nothing was written yet.
    pub fn is_untouched(&self) -> bool {
        self.written == Summary::default() && self.open == 0 && self.later.is_empty()
    }

    /// How much it may hold.
    pub fn limits(&self) -> &WriteLimits {
        &self.limits
    }

    /// Makes a directory, or sets the mode of one that is there.
    pub fn put_directory(&mut self, path: &str, mode: u32) -> Result<(), Problem> {
        const OURS: u32 = 0o700;
        let mode = self.permissions(path, mode)?;
        let is_new = !path.is_empty() && self.index.kind(path) != Some(Kind::Directory);
        if is_new {
            self.enter(path, Kind::Directory)?;
        } else {
            self.must_be_open(path)?;
        }
        let now = Some(mode).filter(|mode| mode & OURS == OURS);
        match now {
            Some(_) => self.forget(path),
            None => self.put_off(path, mode)?,
        }
        let path = path.to_owned();
        match (is_new, now) {
            (true, mode) => self.behind.carry_out(Deed::Directory { path, mode }),
            (false, Some(mode)) => self.behind.carry_out(Deed::Mode { path, mode }),
            (false, None) => Ok(()),
        }
    }

    /// Writes a whole file.
    pub fn put_file(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Result<(), Problem> {
        let bytes = bytes.into();
        let mode = self.permissions(path, mode)?;
        self.weigh(path, bytes.len())?;
        self.enter(path, Kind::File)?;
        self.behind.carry_out(Deed::File { path: path.to_owned(), mode, bytes })
    }

    /// Says how many bytes a file will have, so that one that is too large is refused before it is begun.
    pub fn expect(&self, path: &str, bytes: u64) -> Result<(), Problem> {
        match self.written.bytes.checked_add(bytes) {
            Some(all) if all <= self.limits.bytes => Ok(()),
            _ => Err(refused::too_many_bytes(path, self.limits.bytes)),
        }
    }

    /// Opens a file that is written piece by piece. It counts as unfinished until [`TreeWriter::finish_file`].
    pub fn open_file(&mut self, path: &str, mode: u32) -> Result<GrowingFile, Problem> {
        let mode = self.permissions(path, mode)?;
        self.enter(path, Kind::File)?;
        self.opened += 1;
        let file = GrowingFile { number: self.opened, path: path.to_owned() };
        self.behind.carry_out(Deed::Open { file: file.number, path: path.to_owned(), mode })?;
        self.open += 1;
        Ok(file)
    }

    /// Appends to a file.
    pub fn append(&mut self, file: &mut GrowingFile, bytes: impl Into<Vec<u8>>) -> Result<(), Problem> {
        let bytes = bytes.into();
        self.weigh(&file.path, bytes.len())?;
        self.behind.carry_out(Deed::Append { file: file.number, bytes })
    }

    /// Ends a file.
    #[expect(clippy::needless_pass_by_value, reason = "nobody can write to it afterwards")]
    pub fn finish_file(&mut self, file: GrowingFile) -> Result<(), Problem> {
        self.open = self.open.saturating_sub(1);
        self.behind.carry_out(Deed::Close { file: file.number })
    }

    /// Gives a file up before it is whole: the tree cannot be finished any more.
    #[expect(clippy::needless_pass_by_value, reason = "nobody can write to it afterwards")]
    pub fn give_up_file(&mut self, file: GrowingFile) {
        // Whatever fails now is told by the next call.
        let _failed = self.behind.carry_out(Deed::Close { file: file.number });
    }

    /// Makes a symbolic link: its target is data, and nobody looks where it leads.
    pub fn put_symlink(&mut self, path: &str, target: &str) -> Result<(), Problem> {
        if target.is_empty() || target.len() > SYMLINK_TARGET || target.contains('\0') {
            return Err(refused::odd_target(path, target.len()));
        }
        self.enter(path, Kind::Symlink)?;
        self.behind.carry_out(Deed::Symlink { path: path.to_owned(), target: target.to_owned() })
    }

    /// Gives an earlier file of this tree a second name.
    pub fn put_hardlink(&mut self, path: &str, existing: &str) -> Result<(), Problem> {
        paths::judge(existing, &self.limits)?;
        if self.index.kind(existing) != Some(Kind::File) {
            return Err(refused::no_file_yet(existing));
        }
        self.enter(path, Kind::File)?;
        self.behind.carry_out(Deed::Hardlink { path: path.to_owned(), existing: existing.to_owned() })
    }

    /// Takes back a file, a link, or a directory with nothing in it. It stays counted, with its bytes.
    pub fn remove(&mut self, path: &str) -> Result<(), Problem> {
        self.must_be_open(path)?;
        paths::judge(path, &self.limits)?;
        match self.index.kind(path) {
            None => return Err(refused::nothing_there(path)),
            Some(Kind::Directory) => {
                // Whether something lies in it, only the disk knows.
                self.behind.settle()?.remove_directory(path)?;
                self.forget(path);
                self.parent.clear();
            }
            Some(_) => self.behind.carry_out(Deed::Remove { path: path.to_owned() })?,
        }
        self.index.remove(path);
        Ok(())
    }

    /// Takes a directory for the whole: what lies in it becomes the top at the end. Nothing may lie beside it, or be written after.
    pub fn set_top(&mut self, directory: &str) -> Result<(), Problem> {
        self.must_be_open(directory)?;
        paths::judge(directory, &self.limits)?;
        if self.index.kind(directory) != Some(Kind::Directory) {
            return Err(refused::nothing_there(directory));
        }
        self.behind.settle()?.must_be_alone(directory)?;
        self.top = Some(directory.to_owned());
        Ok(())
    }

    /// Which modes lost bits until now.
    pub fn dropped_bits(&self) -> Option<&DroppedBits> {
        self.dropped.as_ref()
    }

    /// Ends the tree: what was opened must be finished, a directory becomes the top, and directories get the modes that were put off.
    pub fn finish(mut self) -> Result<Summary, Problem> {
        let hand = self.behind.settle()?;
        if self.open > 0 {
            return Err(refused::unfinished(self.open));
        }
        if let Some(top) = &self.top {
            hand.lift(top)?;
            self.written.entries -= top.split('/').count() as u64;
        }
        for (path, mode) in self.later.iter().rev() {
            if let Some(path) = below(path, self.top.as_deref()) {
                hand.set_mode(path, *mode)?;
            }
        }
        Ok(self.written)
    }

    /// Notes a new entry, and the directories above it where they are missing.
    fn enter(&mut self, path: &str, kind: Kind) -> Result<(), Problem> {
        self.must_be_open(path)?;
        let parent = paths::judge(path, &self.limits)?;
        if parent != self.parent {
            self.make_parents(path)?;
            parent.clone_into(&mut self.parent);
        }
        if self.index.kind(path).is_some() {
            return Err(refused::written_twice(path));
        }
        self.count(path)?;
        self.index.insert(path, kind);
        Ok(())
    }

    fn make_parents(&mut self, path: &str) -> Result<(), Problem> {
        for (slash, _) in path.match_indices('/') {
            let above = &path[..slash];
            match self.index.kind(above) {
                Some(Kind::Directory) => {}
                Some(_) => return Err(refused::below_a_file(path)),
                None => {
                    self.count(above)?;
                    self.index.insert(above, Kind::Directory);
                    self.behind.carry_out(Deed::Directory { path: above.to_owned(), mode: None })?;
                }
            }
        }
        Ok(())
    }

    /// Notes a mode that is set at the end.
    fn put_off(&mut self, path: &str, mode: u32) -> Result<(), Problem> {
        if self.later.insert(path.to_owned(), mode).is_none() {
            let left = self.room.checked_sub(path.len() + PUT_OFF_EACH);
            self.room = left.ok_or_else(|| refused::too_many_closed(path, PUT_OFF))?;
        }
        Ok(())
    }

    fn forget(&mut self, path: &str) {
        if self.later.remove(path).is_some() {
            self.room += path.len() + PUT_OFF_EACH;
        }
    }

    fn must_be_open(&self, path: &str) -> Result<(), Problem> {
        if self.top.is_some() { Err(refused::after_the_top(path)) } else { Ok(()) }
    }

    /// The nine bits of a mode. Set-id and sticky bits mean nothing in a source, and are dropped.
    fn permissions(&mut self, path: &str, mode: u32) -> Result<u32, Problem> {
        refused::odd_mode(path, mode)?;
        if mode > 0o777 {
            let dropped = self.dropped.get_or_insert_with(|| DroppedBits { entries: 0, first: path.to_owned() });
            dropped.entries += 1;
        }
        Ok(mode & 0o777)
    }

    fn weigh(&mut self, path: &str, bytes: usize) -> Result<(), Problem> {
        self.written.bytes = self.written.bytes.saturating_add(bytes as u64);
        self.expect(path, 0)
    }

    fn count(&mut self, path: &str) -> Result<(), Problem> {
        self.written.entries += 1;
        if self.written.entries > self.limits.entries {
            return Err(refused::too_many_entries(path, self.limits.entries));
        }
        Ok(())
    }
}

/// Where a path lies once another directory is the top; nowhere where that is the directory itself, or above it.
fn below<'path>(path: &'path str, top: Option<&str>) -> Option<&'path str> {
    match top {
        None => Some(path),
        Some(top) => path.strip_prefix(top)?.strip_prefix('/'),
    }
}
