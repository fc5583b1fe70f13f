//! A tree copied to another place: shared with the original where the file system can do that until one of them is changed, and never
//! linked. Modes, links and second names stay.

use std::{
    collections::HashMap,
    ffi::CStr,
    fs::File,
    io::{self, Seek},
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, Stat};

use crate::{aside::TREE, place};

/// Copies all that is in one directory into another one, which must be empty.
///
/// # Errors
/// Where something cannot be read or written, or is no file, directory or link.
pub fn copy_tree(from: &Dir, to: &Dir) -> io::Result<()> {
    let (from, to) = (place::open_directory(from, c".")?, place::open_directory(to, c".")?);
    let mut copy = Copy { top: to.as_fd(), linked: HashMap::new() };
    copy.inside(from.as_fd(), to.as_fd(), Path::new(""))?;
    let stat = rustix::fs::fstat(&from)?;
    // The directory has a mode of its own, unless the tree says otherwise.
    if Mode::from_raw_mode(stat.st_mode) == TREE { Ok(()) } else { set_mode(to.as_fd(), &stat) }
}

struct Copy<'a> {
    top: BorrowedFd<'a>,
    /// Where the first name of a file lies that has several.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl Copy<'_> {
    fn inside(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        for name in place::names(from)? {
            let stat = place::stat(from, &name)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    rustix::fs::mkdirat(to, &name, Mode::RWXU)?;
                    let (inner, copied) = (place::open_directory(from, &name)?, place::open_directory(to, &name)?);
                    self.inside(inner.as_fd(), copied.as_fd(), &below(path, &name))?;
                    set_mode(copied.as_fd(), &stat)?;
                }
                FileType::Symlink => {
                    rustix::fs::symlinkat(&rustix::fs::readlinkat(from, &name, Vec::new())?, to, &name)?;
                }
                FileType::RegularFile => self.file(from, to, &name, path, &stat)?,
                _ => return Err(io::Error::other(format!("`{}` is no file", below(path, &name).display()))),
            }
        }
        Ok(())
    }

    fn file(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, path: &Path, stat: &Stat) -> io::Result<()> {
        if stat.st_nlink > 1 {
            if let Some(first) = self.linked.get(&(stat.st_dev, stat.st_ino)) {
                return Ok(rustix::fs::linkat(self.top, first, to, name, AtFlags::empty())?);
            }
            self.linked.insert((stat.st_dev, stat.st_ino), below(path, name));
        }
        let copied = place::new_file(to, name, Mode::RUSR | Mode::WUSR)?;
        copy_file(&mut place::open_file(from, name)?, &copied)?;
        set_mode(copied.as_fd(), stat)
    }
}

/// Copies a file, by sharing its blocks where that can be done.
fn copy_file(from: &mut File, mut to: &File) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, &*from).is_err() {
        from.rewind()?;
        io::copy(from, &mut to)?;
    }
    Ok(())
}

fn set_mode(of: BorrowedFd<'_>, stat: &Stat) -> io::Result<()> {
    Ok(rustix::fs::fchmod(of, Mode::from_raw_mode(stat.st_mode & 0o777))?)
}

fn below(path: &Path, name: &CStr) -> PathBuf {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    path.join(OsStr::from_bytes(name.to_bytes()))
}
