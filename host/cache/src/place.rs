//! The few things that are asked of the system about names in an open directory. Nothing here follows a link.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, RawDir, Stat},
    io::Errno,
};

pub(crate) fn open_directory(parent: impl AsFd, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Opens a file for reading; a FIFO in its place does not block.
pub(crate) fn open_file(parent: impl AsFd, name: &CStr) -> rustix::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty()).map(File::from)
}

/// Makes a file that was not there.
pub(crate) fn new_file(parent: impl AsFd, name: &CStr, mode: Mode) -> rustix::io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, mode).map(File::from)
}

pub(crate) fn stat(parent: impl AsFd, name: &CStr) -> rustix::io::Result<Stat> {
    rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// All names in a directory but `.` and `..`.
// Called on every level of a walk: its buffer must be gone from the stack before the next level begins.
#[inline(never)]
pub(crate) fn names(directory: impl AsFd) -> rustix::io::Result<Vec<CString>> {
    let directory = open_directory(&directory, c".")?;
    let mut buffer = [const { MaybeUninit::uninit() }; 16 * 1024];
    let mut listing = RawDir::new(&directory, &mut buffer);
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

/// A name of ours, which never holds a NUL.
pub(crate) fn name(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(io::Error::other)
}
