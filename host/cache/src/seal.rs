//! Whether anything was changed since it was kept: the kernel notes for each file, directory and link when it was last changed in any way,
//! and offers nobody a way to say otherwise.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::MetadataExt,
    },
};

use rustix::fs::{FileType, Stat};

use crate::place;

/// A time of change: seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seal(i64, i64);

impl Seal {
    /// The time of a file that was made when all else was there.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self(metadata.ctime(), metadata.ctime_nsec()))
    }

    /// Whether something was last changed before.
    pub(crate) fn covers(self, stat: &Stat) -> bool {
        let nanoseconds = i64::try_from(stat.st_ctime_nsec).unwrap_or(i64::MAX);
        Self(stat.st_ctime, nanoseconds) <= self
    }

    /// Whether that holds for a directory and all that is in it.
    pub(crate) fn covers_all(self, directory: BorrowedFd<'_>) -> rustix::io::Result<bool> {
        if !self.covers(&rustix::fs::fstat(directory)?) {
            return Ok(false);
        }
        for name in place::names(directory)? {
            let stat = place::stat(directory, &name)?;
            let is_covered = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => self.covers_all(place::open_directory(directory, &name)?.as_fd())?,
                _ => self.covers(&stat),
            };
            if !is_covered {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
