//! What is asked of the system about names in one open directory. Nothing here follows a link.

use std::{
    ffi::{CStr, CString},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, RawDir, Stat},
    io::{Errno, Result},
    path::Arg,
};

/// What the system knows of a name.
pub fn stat(dir: impl AsFd, name: &CStr) -> Result<Stat> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// Opens a directory anew, so that each walk has a reading position of its own.
pub fn open_again(dir: impl AsFd) -> Result<OwnedFd> {
    open_directory(dir, c".")
}

/// Opens a directory in another one.
pub fn open_directory(dir: impl AsFd, name: impl Arg) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Opens a file for reading. A FIFO that took its place does not block, and must be refused by the caller.
pub fn open_file(dir: impl AsFd, name: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// The names in a directory but `.` and `..`, from its reading position on.
// A walk calls this on every level: its buffer must be gone from the stack before the next level begins.
#[inline(never)]
pub fn names(dir: impl AsFd) -> Result<Vec<CString>> {
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
    Ok(names)
}
