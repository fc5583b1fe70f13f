//! What is asked of the system about one name in one open directory. Nothing here follows a link.

use std::{
    ffi::{CStr, CString},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat},
    io::{Errno, Result},
    path::Arg,
};

/// When a file was last written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modified {
    /// Since 1970; negative before.
    pub seconds: i64,
    /// Below 1,000,000,000.
    pub nanoseconds: u32,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    File,
    Directory,
    Symlink,
    Special(&'static str),
}

impl Type {
    pub(super) fn of(stat: &Stat) -> Self {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Special("FIFO"),
            FileType::Socket => Self::Special("socket"),
            _ => Self::Special("device"),
        }
    }
}

impl Modified {
    pub(super) fn of(stat: &Stat) -> Self {
        Self { seconds: stat.st_mtime, nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or_default() }
    }
}

pub(super) fn permissions(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

pub(super) fn stat(dir: impl AsFd, name: &CStr) -> Result<Stat> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// Opens a directory anew, so that each walk has a reading position of its own.
pub(super) fn open_again(dir: impl AsFd) -> Result<OwnedFd> {
    open_directory(dir, c".")
}

pub(super) fn open_directory(dir: impl AsFd, name: impl Arg) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Opens a file for reading. A FIFO that took its place does not block, and must be refused by the caller.
pub(super) fn open_file(dir: impl AsFd, name: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

pub(super) fn link_target(dir: impl AsFd, name: &CStr) -> Result<CString> {
    rustix::fs::readlinkat(dir, name, Vec::new())
}

/// The names in a directory in the order of their bytes.
// A walk calls this on every level: its buffer must be gone from the stack before the next level begins.
#[inline(never)]
pub(super) fn sorted_names(dir: impl AsFd) -> Result<Vec<CString>> {
    let mut buffer = [const { MaybeUninit::uninit() }; 16 * 1024];
    let mut listing = RawDir::new(dir.as_fd(), &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = listing.next() {
        match entry {
            Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
            Ok(entry) => names.push(entry.file_name().to_owned()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    names.sort_unstable();
    Ok(names)
}
