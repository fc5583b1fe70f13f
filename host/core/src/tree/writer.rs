//! A tree to fill: the one place where the paths of strangers are judged before anything is written.
//!
//! Everything is written through handles of directories that were opened below the top without following a link, so no path leads out
//! of it whatever it looks like and whatever was written before.

mod paths;
mod refusals;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    ffi::CString,
    fs::File,
    io::Write,
    os::fd::{AsFd, OwnedFd},
};

use cap_std::fs::Dir;
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{Summary, handle};
use crate::Problem;
use paths::Judged;
use refusals as refused;

const SYMLINK_TARGET: usize = 4_095;

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
#[derive(Debug)]
pub struct TreeWriter {
    top: OwnedFd,
    limits: WriteLimits,
    written: Summary,
    /// What the process takes away from modes.
    umask: u32,
    /// The directory of the last path: the next one mostly lies there too.
    last: Option<(String, OwnedFd)>,
    /// Modes that would keep us from writing: set at the end, the deepest first.
    later: BTreeMap<String, u32>,
    /// Files that were opened and not finished.
    open: u64,
}

/// A file that grows.
#[derive(Debug)]
pub struct GrowingFile {
    file: File,
    path: String,
}

impl TreeWriter {
    /// Fills a directory, which must be empty and nobody else's.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn new(dir: &Dir, limits: WriteLimits) -> std::io::Result<Self> {
        let top = handle::open_again(dir)?;
        let umask = umask_seen_in(&top)?;
        let written = Summary::default();
        Ok(Self { top, limits, written, umask, last: None, later: BTreeMap::new(), open: 0 })
    }

    /// Whether nothing was written yet.
    pub fn is_untouched(&self) -> bool {
        self.written == Summary::default() && self.open == 0 && self.later.is_empty() && self.last.is_none()
    }

    /// How much it may hold.
    pub fn limits(&self) -> &WriteLimits {
        &self.limits
    }

    /// Makes a directory, or sets the mode of one that is there.
    pub fn put_directory(&mut self, path: &str, mode: u32) -> Result<(), Problem> {
        refused::odd_mode(path, mode)?;
        if path.is_empty() {
            return self.set_directory_mode(path, mode);
        }
        let judged = Judged::of(path, &self.limits)?;
        let parent = self.parent(&judged)?;
        match rustix::fs::mkdirat(parent.as_fd(), &judged.name, Mode::from_raw_mode(0o755)) {
            Ok(()) => self.count(path)?,
            Err(Errno::EXIST) if is_directory(parent.as_fd(), &judged.name) => {}
            Err(errno) => return Err(refused::of(errno, &judged, parent.as_fd())),
        }
        self.give_back(&judged, parent);
        self.set_directory_mode(path, mode)
    }

    /// Writes a whole file.
    pub fn put_file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), Problem> {
        let mut file = self.open_file(path, mode)?;
        self.append(&mut file, bytes)?;
        self.finish_file(file);
        Ok(())
    }

    /// Opens a file that is written piece by piece. It counts as unfinished until [`TreeWriter::finish_file`].
    pub fn open_file(&mut self, path: &str, mode: u32) -> Result<GrowingFile, Problem> {
        refused::odd_mode(path, mode)?;
        let judged = Judged::of(path, &self.limits)?;
        let parent = self.parent(&judged)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(parent.as_fd(), &judged.name, flags, Mode::from_raw_mode(mode));
        let file = opened.map_err(|errno| refused::of(errno, &judged, parent.as_fd()))?;
        if mode & self.umask != 0 {
            let set = rustix::fs::fchmod(&file, Mode::from_raw_mode(mode));
            set.map_err(|errno| refused::of(errno, &judged, parent.as_fd()))?;
        }
        self.give_back(&judged, parent);
        self.count(path)?;
        self.open += 1;
        Ok(GrowingFile { file: file.into(), path: path.to_owned() })
    }

    /// Appends to a file.
    pub fn append(&mut self, file: &mut GrowingFile, bytes: &[u8]) -> Result<(), Problem> {
        self.written.bytes = self.written.bytes.saturating_add(bytes.len() as u64);
        if self.written.bytes > self.limits.bytes {
            return Err(refused::too_many_bytes(&file.path, self.limits.bytes));
        }
        file.file.write_all(bytes).map_err(|error| refused::unwritten(&file.path, &error))
    }

    /// Ends a file.
    pub fn finish_file(&mut self, file: GrowingFile) {
        drop(file);
        self.open = self.open.saturating_sub(1);
    }

    /// Makes a symbolic link: its target is data, and nobody looks where it leads.
    pub fn put_symlink(&mut self, path: &str, target: &str) -> Result<(), Problem> {
        let judged = Judged::of(path, &self.limits)?;
        if target.is_empty() || target.len() > SYMLINK_TARGET || target.contains('\0') {
            return Err(refused::odd_target(path, target.len()));
        }
        let parent = self.parent(&judged)?;
        let made = rustix::fs::symlinkat(target, parent.as_fd(), &judged.name);
        made.map_err(|errno| refused::of(errno, &judged, parent.as_fd()))?;
        self.give_back(&judged, parent);
        self.count(path)
    }

    /// Gives an earlier file of this tree a second name.
    pub fn put_hardlink(&mut self, path: &str, existing: &str) -> Result<(), Problem> {
        let (judged, first) = (Judged::of(path, &self.limits)?, Judged::of(existing, &self.limits)?);
        let from = self.open_directory(first.parent).map_err(|_| refused::no_file_yet(existing))?;
        match rustix::fs::statat(&from, &first.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {}
            _ => return Err(refused::no_file_yet(existing)),
        }
        let parent = self.parent(&judged)?;
        let linked = rustix::fs::linkat(&from, &first.name, parent.as_fd(), &judged.name, AtFlags::empty());
        linked.map_err(|errno| refused::of(errno, &judged, parent.as_fd()))?;
        self.give_back(&judged, parent);
        self.count(path)
    }

    /// Ends the tree: what was opened must be finished, and directories get the modes that were put off.
    pub fn finish(self) -> Result<Summary, Problem> {
        if self.open > 0 {
            return Err(refused::unfinished(self.open));
        }
        for (path, mode) in self.later.iter().rev() {
            let directory = self.open_directory(path).map_err(|errno| refused::gone(path, errno))?;
            let set = rustix::fs::fchmod(&directory, Mode::from_raw_mode(*mode));
            set.map_err(|errno| refused::gone(path, errno))?;
        }
        Ok(self.written)
    }

    /// The directory that a path lies in; made where it is missing. To be given back.
    fn parent(&mut self, judged: &Judged<'_>) -> Result<OwnedFd, Problem> {
        if let Some((path, directory)) = self.last.take()
            && path == judged.parent
        {
            return Ok(directory);
        }
        match self.open_directory(judged.parent) {
            Ok(directory) => Ok(directory),
            Err(Errno::NOENT) => self.make_parents(judged),
            Err(errno) => Err(refused::of(errno, judged, self.top.as_fd())),
        }
    }

    fn make_parents(&mut self, judged: &Judged<'_>) -> Result<OwnedFd, Problem> {
        let mut directory = handle::open_again(&self.top).map_err(|errno| refused::gone(judged.parent, errno))?;
        for part in judged.parent.split('/') {
            let name = CString::new(part).map_err(|_| refused::gone(part, Errno::INVAL))?;
            match rustix::fs::mkdirat(&directory, &name, Mode::from_raw_mode(0o755)) {
                Ok(()) => self.count(judged.parent)?,
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(refused::of(errno, judged, directory.as_fd())),
            }
            directory =
                handle::open_directory(&directory, &name).map_err(|errno| refused::of(errno, judged, self.top.as_fd()))?;
        }
        Ok(directory)
    }

    fn give_back(&mut self, judged: &Judged<'_>, parent: OwnedFd) {
        self.last = Some((judged.parent.to_owned(), parent));
    }

    /// The kernel refuses links anywhere on the way, and everything that leads above the top.
    fn open_directory(&self, path: &str) -> rustix::io::Result<OwnedFd> {
        if path.is_empty() {
            return handle::open_again(&self.top);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&self.top, path, flags, Mode::empty(), resolve)
    }

    fn set_directory_mode(&mut self, path: &str, mode: u32) -> Result<(), Problem> {
        const OURS: u32 = 0o700;
        self.later.remove(path);
        if mode & OURS != OURS {
            self.later.insert(path.to_owned(), mode);
            return Ok(());
        }
        let directory = self.open_directory(path).map_err(|errno| refused::gone(path, errno))?;
        rustix::fs::fchmod(&directory, Mode::from_raw_mode(mode)).map_err(|errno| refused::gone(path, errno))
    }

    fn count(&mut self, path: &str) -> Result<(), Problem> {
        self.written.entries += 1;
        if self.written.entries > self.limits.entries {
            return Err(refused::too_many_entries(path, self.limits.entries));
        }
        Ok(())
    }
}

fn is_directory(parent: impl AsFd, name: &CString) -> bool {
    handle::stat(parent, name).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// Nothing tells the umask without changing it for a moment, for all threads: so it is seen at work, on a file without a name.
fn umask_seen_in(top: &OwnedFd) -> rustix::io::Result<u32> {
    let probe = rustix::fs::openat(top, c".", OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::from_raw_mode(0o777));
    match probe {
        Ok(file) => Ok(0o777 & !(rustix::fs::fstat(&file)?.st_mode & 0o777)),
        // A file system without nameless files: every mode is set.
        Err(_) => Ok(0o777),
    }
}
