//! What is asked of the system about one name in one open directory. Nothing here follows a link.

use std::{
    ffi::{CStr, CString},
    os::fd::AsFd,
};

use rustix::{
    fs::{FileType, Stat},
    io::Result,
};

use crate::directory;
pub(super) use crate::directory::{open_again, open_directory, open_file, stat};

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

pub(super) fn link_target(dir: impl AsFd, name: &CStr) -> Result<CString> {
    rustix::fs::readlinkat(dir, name, Vec::new())
}

/// The names in a directory in the order of their bytes.
pub(super) fn sorted_names(dir: impl AsFd) -> Result<Vec<CString>> {
    let mut names = directory::names(dir)?;
    names.sort_unstable();
    Ok(names)
}
