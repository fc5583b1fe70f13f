//! The walk over a tree: parents before children, each directory in the order of the bytes of its names.
//!
//! What it holds is the listing of the directories on the way from the top to where it is, and the names of files that
//! have several, until the last one was seen.

use std::{
    collections::HashMap,
    ffi::{CStr, CString, OsStr},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
    path::PathBuf,
};

use rustix::{fs::Stat, io::Errno};

use super::{
    Inner, Top, Tree,
    error::{Error, printable},
    file::FileAt,
    handle::{self, Modified, Type},
};

/// How deep directories may be nested. Each on the way is held open, and a process has 1,024 descriptors where nobody raised that.
pub(super) const MOST_DEEP: usize = 512;

/// How many parts of a path that is too deep are told: enough to find it by.
const SHOWN_PARTS: usize = 4;

/// Something that a walk comes by.
pub struct Entry<'walk> {
    /// Relative to where the walk began, and `""` for that place itself. Any bytes but NUL.
    pub path: &'walk [u8],
    /// What it is.
    pub kind: Kind<'walk>,
    /// Permission, set-id and sticky bits.
    pub mode: u32,
    /// Bytes of a file; 0 for the others.
    pub size: u64,
    /// When it was last written to.
    pub modified: Modified,
}

/// What kind of thing an [`Entry`] is.
pub enum Kind<'walk> {
    /// A regular file.
    File(FileAt<'walk>),
    /// A directory; what is in it follows.
    Directory,
    /// A symbolic link.
    Symlink {
        /// As it is written; nobody has looked where it leads.
        target: &'walk [u8],
    },
    /// Another name of a file that this walk came by before.
    Hardlink {
        /// The path of that entry.
        to: &'walk [u8],
    },
}

impl Tree {
    /// Walks over the tree, or the part of it that begins at the relative path `below` (`""` for the whole).
    ///
    /// The first entry is that place itself, with an empty path: a directory, or the one file or link that `below` names. The
    /// error of `visit` ends the walk.
    pub fn walk<E: From<Error>>(&self, below: &str, visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut walk = Walk { tree: &self.0, path: Vec::new(), begin: 0, linked: HashMap::new(), visit };
        match &self.0.top {
            Top::Directory { .. } => walk.begin(below),
            Top::SingleFile(name) => walk.single_file(name, below),
        }
    }
}

struct Walk<'a, E> {
    tree: &'a Inner,
    /// Of the current entry, below the top of the tree.
    path: Vec<u8>,
    /// Where the part of `path` begins that a visitor sees.
    begin: usize,
    linked: HashMap<(u64, u64), Linked>,
    visit: &'a mut dyn FnMut(Entry<'_>) -> Result<(), E>,
}

/// A file with several names, one of which was seen.
struct Linked {
    first: Vec<u8>,
    unseen: u64,
}

impl<E: From<Error>> Walk<'_, E> {
    fn begin(&mut self, below: &str) -> Result<(), E> {
        let mut dir = handle::open_again(&self.tree.dir).map_err(|errno| self.failed(errno))?;
        let mut parts = below.split('/').filter(|part| !part.is_empty()).peekable();
        if parts.peek().is_none() {
            let stat = rustix::fs::fstat(&dir).map_err(|errno| self.failed(errno))?;
            self.visit(Kind::Directory, &stat)?;
            return self.inside(dir.as_fd());
        }
        while let Some(part) = parts.next() {
            let name = CString::new(part).map_err(|_| self.not_found(below))?;
            self.descend(&name);
            let stat = handle::stat(&dir, &name).map_err(|errno| Error::about(&self.shown(), errno))?;
            if part == ".." || part == "." || self.left_out(Type::of(&stat)) {
                return Err(self.not_found(below).into());
            }
            if parts.peek().is_none() {
                self.begin = self.path.len();
                return self.entry(dir.as_fd(), &name, &stat);
            }
            dir = handle::open_directory(&dir, &name).map_err(|_| self.not_found(below))?;
        }
        Ok(())
    }

    /// A tree of one file looks like a directory with that file in it.
    fn single_file(&mut self, name: &CStr, below: &str) -> Result<(), E> {
        let dir = &self.tree.dir;
        let stat = handle::stat(dir, name).map_err(|errno| Error::about_listed(&self.tree.shown, errno))?;
        if below.is_empty() {
            let modified = Modified::of(&stat);
            (self.visit)(Entry { path: b"", kind: Kind::Directory, mode: 0o755, size: 0, modified })?;
        } else if below.as_bytes() != name.to_bytes() {
            return Err(self.not_found(below).into());
        }
        self.descend(name);
        self.begin = if below.is_empty() { 0 } else { self.path.len() };
        self.entry(dir.as_fd(), name, &stat)
    }

    fn inside(&mut self, dir: BorrowedFd<'_>) -> Result<(), E> {
        let names = handle::sorted_names(dir).map_err(|errno| self.failed(errno))?;
        for name in names {
            let length = self.path.len();
            self.descend(&name);
            let stat = handle::stat(dir, &name).map_err(|errno| self.failed(errno))?;
            if !self.left_out(Type::of(&stat)) {
                self.entry(dir, &name, &stat)?;
            }
            self.path.truncate(length);
        }
        Ok(())
    }

    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> Result<(), E> {
        match Type::of(stat) {
            Type::File if stat.st_nlink > 1 => self.file_with_names(dir, name, stat),
            Type::File => self.file(dir, name, stat),
            Type::Directory if depth(&self.path) > MOST_DEEP => Err(self.too_deep().into()),
            Type::Directory => {
                let inside = handle::open_directory(dir, name).map_err(|errno| self.failed(errno))?;
                self.visit(Kind::Directory, stat)?;
                self.inside(inside.as_fd())
            }
            Type::Symlink => {
                let target = handle::link_target(dir, name).map_err(|errno| self.failed(errno))?;
                self.visit(Kind::Symlink { target: target.to_bytes() }, stat)
            }
            Type::Special(kind) => Err(Error::SpecialFile { path: printable(&self.shown()), kind }.into()),
        }
    }

    fn file(&mut self, dir: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> Result<(), E> {
        let shown_path = if self.tree.is_single_file() { b"".as_slice() } else { &self.path };
        let file = FileAt { dir, name, stat, shown: &self.tree.shown, path: shown_path };
        (self.visit)(entry(visible(&self.path, self.begin), Kind::File(file), stat))
    }

    fn file_with_names(&mut self, dir: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> Result<(), E> {
        let identity = (stat.st_dev, stat.st_ino);
        let Some(mut linked) = self.linked.remove(&identity) else {
            let unseen = stat.st_nlink - 1;
            self.linked.insert(identity, Linked { first: visible(&self.path, self.begin).to_vec(), unseen });
            return self.file(dir, name, stat);
        };
        self.visit(Kind::Hardlink { to: &linked.first }, stat)?;
        linked.unseen -= 1;
        if linked.unseen > 0 {
            self.linked.insert(identity, linked);
        }
        Ok(())
    }

    fn visit(&mut self, kind: Kind<'_>, stat: &Stat) -> Result<(), E> {
        (self.visit)(entry(visible(&self.path, self.begin), kind, stat))
    }

    fn descend(&mut self, name: &CStr) {
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name.to_bytes());
    }

    fn left_out(&self, kind: Type) -> bool {
        self.tree.leaves_out(&self.path, kind == Type::Directory)
    }

    fn shown(&self) -> PathBuf {
        if self.path.is_empty() || self.tree.is_single_file() {
            return self.tree.shown.clone();
        }
        self.tree.shown.join(OsStr::from_bytes(&self.path))
    }

    fn failed(&self, errno: Errno) -> Error {
        Error::about_listed(&self.shown(), errno)
    }

    fn too_deep(&self) -> Error {
        let parts: Vec<&[u8]> = self.path.split(|byte| *byte == b'/').take(SHOWN_PARTS).collect();
        let path = self.tree.shown.join(OsStr::from_bytes(&parts.join(&b'/')));
        Error::TooDeep { path: printable(&path), most: MOST_DEEP }
    }

    fn not_found(&self, below: &str) -> Error {
        Error::NotFound { path: printable(&self.tree.shown.join(below)) }
    }
}

/// How many directories stand on the way to a path, itself among them.
fn depth(path: &[u8]) -> usize {
    path.split(|byte| *byte == b'/').count()
}

/// The part of a path that a visitor sees: what begins behind `begin`.
fn visible(path: &[u8], begin: usize) -> &[u8] {
    let seen = &path[begin..];
    seen.strip_prefix(b"/").unwrap_or(seen)
}

fn entry<'walk>(path: &'walk [u8], kind: Kind<'walk>, stat: &Stat) -> Entry<'walk> {
    let size = if matches!(kind, Kind::File(_)) { handle::size(stat) } else { 0 };
    Entry { path, kind, mode: handle::permissions(stat), size, modified: Modified::of(stat) }
}

impl Inner {
    /// What is shown of such a tree is the file itself.
    fn is_single_file(&self) -> bool {
        matches!(self.top, Top::SingleFile(_))
    }

    /// Whether the rules leave out what lies at a path below the top.
    pub(super) fn leaves_out(&self, path: &[u8], is_directory: bool) -> bool {
        match &self.top {
            Top::SingleFile(_) => false,
            Top::Directory { rules, prefix } if prefix.is_empty() => rules.leave_out(path, is_directory),
            Top::Directory { rules, prefix } => rules.leave_out(&[prefix, path].concat(), is_directory),
        }
    }
}
