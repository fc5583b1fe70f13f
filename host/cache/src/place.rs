//! The few things that are asked of the system about names in an open directory. Nothing here follows a link.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io,
    os::fd::AsFd,
};

use rustix::fs::{Mode, OFlags};
use sti_core::directory;

pub(crate) use sti_core::directory::{open_directory, stat};

/// Opens a file for reading; a FIFO in its place does not block.
pub(crate) fn open_file(parent: impl AsFd, name: &CStr) -> rustix::io::Result<File> {
    directory::open_file(parent, name).map(File::from)
}

/// Makes a file that was not there.
pub(crate) fn new_file(parent: impl AsFd, name: &CStr, mode: Mode) -> rustix::io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, mode).map(File::from)
}

/// All names in a directory but `.` and `..`, whoever else reads it.
pub(crate) fn names(directory: impl AsFd) -> rustix::io::Result<Vec<CString>> {
    directory::names(directory::open_again(directory)?)
}

/// A name of ours, which never holds a NUL.
pub(crate) fn name(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(io::Error::other)
}
