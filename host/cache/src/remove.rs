//! Removes a directory of ours with all that is in it, by handles: no link is followed, and what may not be written is made so first.

use std::{
    ffi::CStr,
    os::fd::{AsFd, BorrowedFd},
};

use cap_std::fs::Dir;
use rustix::{
    fs::{AtFlags, FileType, Mode},
    io::{Errno, Result},
};

use crate::place;

/// Removes all that is in a directory, and leaves the directory.
///
/// # Errors
/// Where something cannot be removed; the rest may be gone.
pub fn empty(directory: &Dir) -> std::io::Result<()> {
    empty_but(directory, "")
}

/// The same for all but what bears one name.
///
/// # Errors
/// As [`empty`].
pub fn empty_but(directory: &Dir, kept: &str) -> std::io::Result<()> {
    for inside in place::names(directory)? {
        if inside.as_bytes() != kept.as_bytes() {
            remove(directory.as_fd(), &inside)?;
        }
    }
    Ok(())
}

/// Removes what bears a name in a directory, whatever it is.
pub(crate) fn remove(parent: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    let stat = match place::stat(parent, name) {
        Err(Errno::NOENT) => return Ok(()),
        stat => stat?,
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return rustix::fs::unlinkat(parent, name, AtFlags::empty());
    }
    let directory = match place::open_directory(parent, name) {
        Err(Errno::ACCESS) => {
            make_ours(parent, name)?;
            place::open_directory(parent, name)?
        }
        directory => directory?,
    };
    if stat.st_mode & 0o700 != 0o700 {
        rustix::fs::fchmod(&directory, Mode::RWXU)?;
    }
    for inside in place::names(&directory)? {
        remove(directory.as_fd(), &inside)?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// Lets us into a directory that nobody may read. It lies where nobody but us can put a link in its place.
fn make_ours(parent: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())
}
