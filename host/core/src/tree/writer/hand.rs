//! Carries out what was judged: the only code that touches the disk. Every directory is opened below the top, through no link and not
//! above it, which the kernel holds; and no name that is there is ever written over.

use std::{
    collections::HashMap,
    fs::File,
    io::Write,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use cap_std::fs::Dir;
use rustix::{
    fs::{AtFlags, Mode, OFlags, RenameFlags, ResolveFlags},
    io::Errno,
};

use super::{paths::split, refusals as refused};
use crate::{Problem, tree::handle};

/// Something to be done. Files that grow have numbers.
#[derive(Debug)]
pub(super) enum Deed {
    /// Makes a directory; without a mode it is as the umask leaves it.
    Directory {
        path: String,
        mode: Option<u32>,
    },
    /// Sets the mode of a directory.
    Mode {
        path: String,
        mode: u32,
    },
    File {
        path: String,
        mode: u32,
        bytes: Vec<u8>,
    },
    Open {
        file: u64,
        path: String,
        mode: u32,
    },
    Append {
        file: u64,
        bytes: Vec<u8>,
    },
    Close {
        file: u64,
    },
    Symlink {
        path: String,
        target: String,
    },
    Hardlink {
        path: String,
        existing: String,
    },
    /// Removes a file or a link.
    Remove {
        path: String,
    },
}

impl Deed {
    /// How many bytes wait with it.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::File { bytes, .. } | Self::Append { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }
}

/// The top, held open, and what is open below.
#[derive(Debug)]
pub(super) struct Hand {
    top: OwnedFd,
    /// What the process takes away from modes.
    umask: u32,
    /// The directory of the last path: the next one mostly lies there too.
    last: Option<(String, OwnedFd)>,
    growing: HashMap<u64, (String, File)>,
}

impl Hand {
    pub(super) fn new(dir: &Dir) -> std::io::Result<Self> {
        let top = handle::open_again(dir)?;
        let umask = umask_seen_in(&top)?;
        Ok(Self { top, umask, last: None, growing: HashMap::new() })
    }

    pub(super) fn carry_out(&mut self, deed: Deed) -> Result<(), Problem> {
        match deed {
            Deed::Directory { path, mode } => self.make_directory(&path, mode),
            Deed::Mode { path, mode } => self.set_mode(&path, mode),
            Deed::File { path, mode, bytes } => {
                let mut file = self.open_file(&path, mode)?;
                file.write_all(&bytes).map_err(|error| refused::unwritten(&path, &error))
            }
            Deed::Open { file, path, mode } => {
                let opened = self.open_file(&path, mode)?;
                self.growing.insert(file, (path, opened));
                Ok(())
            }
            Deed::Append { file, bytes } => match self.growing.get_mut(&file) {
                Some((path, file)) => file.write_all(&bytes).map_err(|error| refused::unwritten(path, &error)),
                None => Ok(()),
            },
            Deed::Close { file } => {
                self.growing.remove(&file);
                Ok(())
            }
            Deed::Symlink { path, target } => {
                self.within(&path, |parent, name| rustix::fs::symlinkat(target.as_str(), parent, name))
            }
            Deed::Hardlink { path, existing } => self.link(&path, &existing),
            Deed::Remove { path } => self.within(&path, |parent, name| rustix::fs::unlinkat(parent, name, AtFlags::empty())),
        }
    }

    /// Sets the mode of a directory.
    pub(super) fn set_mode(&self, path: &str, mode: u32) -> Result<(), Problem> {
        let directory = self.open_directory(path).map_err(|errno| refused::gone(path, errno))?;
        rustix::fs::fchmod(&directory, Mode::from_raw_mode(mode)).map_err(|errno| refused::gone(path, errno))
    }

    /// Removes a directory with nothing in it.
    pub(super) fn remove_directory(&mut self, path: &str) -> Result<(), Problem> {
        // It may be this one that is held open.
        self.last = None;
        let (parent, name) = split(path);
        let directory = self.open_directory(parent).map_err(|errno| refused::gone(path, errno))?;
        match rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => Err(refused::not_empty(path)),
            done => done.map_err(|errno| refused::gone(path, errno)),
        }
    }

    /// Makes sure that there is nothing but a directory, with all that lies in it.
    pub(super) fn must_be_alone(&self, path: &str) -> Result<(), Problem> {
        let mut above = "";
        for (end, _) in path.match_indices('/').chain([(path.len(), "/")]) {
            let directory = self.open_directory(above).map_err(|errno| refused::gone(path, errno))?;
            if handle::sorted_names(&directory).map_err(|errno| refused::gone(path, errno))?.len() > 1 {
                return Err(refused::not_alone(path));
            }
            above = &path[..end];
        }
        Ok(())
    }

    /// Moves what lies in a directory to the top, and removes the directory with those above it.
    pub(super) fn lift(&mut self, path: &str) -> Result<(), Problem> {
        self.last = None;
        path.split('/').try_for_each(|part| self.lift_one(part).map_err(|errno| refused::gone(part, errno)))
    }

    fn lift_one(&self, name: &str) -> rustix::io::Result<()> {
        let directory = handle::open_directory(&self.top, name)?;
        let names = handle::sorted_names(&directory)?;
        // Something in it may have its name, and so may the directory itself.
        let is_taken = |aside: &String| aside == name || names.iter().any(|name| name.as_bytes() == aside.as_bytes());
        let mut aside = (0_u32..).map(|number| format!(".top-{number}"));
        let aside = aside.find(|aside| !is_taken(aside)).unwrap_or_default();
        rename(self.top.as_fd(), name, self.top.as_fd(), &aside)?;
        for name in &names {
            rename(directory.as_fd(), name.as_c_str(), self.top.as_fd(), name.as_c_str())?;
        }
        rustix::fs::unlinkat(&self.top, aside, AtFlags::REMOVEDIR)
    }

    fn make_directory(&mut self, path: &str, mode: Option<u32>) -> Result<(), Problem> {
        let umask = self.umask;
        let first = mode.filter(|mode| mode & umask == 0).unwrap_or(0o755);
        self.within(path, |parent, name| rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(first)))?;
        match mode {
            Some(mode) if mode != first || mode & umask != 0 => self.set_mode(path, mode),
            _ => Ok(()),
        }
    }

    fn open_file(&mut self, path: &str, mode: u32) -> Result<File, Problem> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (bits, umask) = (Mode::from_raw_mode(mode), self.umask);
        let file = self.within(path, |parent, name| {
            let file = rustix::fs::openat(parent, name, flags, bits)?;
            if mode & umask != 0 {
                rustix::fs::fchmod(&file, bits)?;
            }
            Ok(file)
        });
        file.map(File::from)
    }

    fn link(&mut self, path: &str, existing: &str) -> Result<(), Problem> {
        let (parent, first) = split(existing);
        let from = self.open_directory(parent).map_err(|errno| refused::gone(existing, errno))?;
        self.within(path, |parent, name| rustix::fs::linkat(&from, first, parent, name, AtFlags::empty()))
    }

    /// Does something in the directory that a path lies in.
    fn within<T>(&mut self, path: &str, act: impl FnOnce(BorrowedFd<'_>, &str) -> rustix::io::Result<T>) -> Result<T, Problem> {
        let (parent, name) = split(path);
        let directory = match self.last.take() {
            Some((known, directory)) if known == parent => directory,
            _ => self.open_directory(parent).map_err(|errno| refused::of(errno, path, self.top.as_fd()))?,
        };
        let done = act(directory.as_fd(), name).map_err(|errno| refused::of(errno, path, directory.as_fd()));
        self.last = Some((parent.to_owned(), directory));
        done
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
}

/// Gives something another name that nothing has.
fn rename<Name: rustix::path::Arg + Copy>(
    from: BorrowedFd<'_>,
    name: Name,
    to: BorrowedFd<'_>,
    new: impl rustix::path::Arg + Copy,
) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        // Not every file system can promise it. Here it is so all the same: there was nothing else.
        Err(Errno::INVAL) => rustix::fs::renameat(from, name, to, new),
        renamed => renamed,
    }
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
