//! What a plugin may ask about a tree: `wit/sti-host/trees.wit` says what each question means.
//!
//! Names that are no UTF-8 have no words there and are left out, and so are special files, which no source may hold.

use std::{
    ffi::{CStr, CString, OsStr},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
};

use globset::GlobBuilder;
use rustix::{
    fs::Stat,
    io::{Errno, Result as SystemResult},
};

use super::{
    Error, FileAt, Top, Tree,
    handle::{self, Type},
};
use crate::{Problem, ProblemKind};

/// An entry of a tree, as a plugin sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The last part of the path; `""` for the top.
    pub name: String,
    /// What it is.
    pub kind: ListedKind,
    /// Bytes of a file; 0 for the others.
    pub size: u64,
    /// Whether the owner may execute it.
    pub executable: bool,
}

/// What kind of thing a [`Listed`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
}

/// Where a path of a question leads.
struct Found {
    dir: OwnedFd,
    name: CString,
    stat: Stat,
}

impl Tree {
    /// Lists a directory by name order; `""` is the top.
    pub fn entries(&self, directory: &str) -> Result<Vec<Listed>, Problem> {
        check_path(directory, true)?;
        let not_found = || not_found(directory, "there is no directory");
        if let Top::SingleFile(name) = &self.0.top {
            let there = directory.is_empty().then(|| name.to_str().ok()).ok_or_else(not_found)?;
            return there.map_or(Ok(Vec::new()), |name| Ok(self.look_at(name)?.into_iter().collect()));
        }
        let dir = if directory.is_empty() {
            handle::open_again(&self.0.dir)
        } else {
            let found = self.locate(directory)?.ok_or_else(not_found)?;
            handle::open_directory(&found.dir, &found.name)
        };
        let dir = dir.map_err(|_| not_found())?;
        let names = handle::sorted_names(&dir).map_err(|errno| self.failed(directory, errno))?;
        let listed = names.iter().filter_map(|name| self.listed_in(&dir, directory, name).transpose());
        listed.collect::<SystemResult<_>>().map_err(|errno| self.failed(directory, errno))
    }

    /// Tells what is at a path, or none; `""` is the top.
    pub fn look_at(&self, path: &str) -> Result<Option<Listed>, Problem> {
        check_path(path, true)?;
        if path.is_empty() {
            return Ok(Some(Listed { name: String::new(), kind: ListedKind::Directory, size: 0, executable: true }));
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(self.locate(path)?.and_then(|found| listed(name, &found.stat)))
    }

    /// Reads a whole file of at most `limit` bytes; a larger one is `Exhausted`.
    pub fn read(&self, path: &str, limit: u32) -> Result<Vec<u8>, Problem> {
        let found = self.locate_entry(path, Type::File, "there is no file")?;
        let size = handle::size(&found.stat);
        if size > u64::from(limit) {
            let message = format!("`{path}` has {size} bytes, and at most {limit} may be read");
            return Err(Problem::new(ProblemKind::Exhausted, "file-too-large", message));
        }
        let (shown, path) = match self.0.top {
            Top::SingleFile(_) => (&self.0.shown, ""),
            Top::Directory { .. } => (&self.0.shown, path),
        };
        let file = FileAt { dir: found.dir.as_fd(), name: &found.name, stat: &found.stat, shown, path: path.as_bytes() };
        Ok(file.open()?.read_whole()?)
    }

    /// Where a symbolic link points, as it is written.
    pub fn link_target(&self, path: &str) -> Result<String, Problem> {
        let found = self.locate_entry(path, Type::Symlink, "there is no symbolic link")?;
        let target = handle::link_target(&found.dir, &found.name).map_err(|errno| self.failed(path, errno))?;
        target
            .into_string()
            .map_err(|_| Problem::new(ProblemKind::Invalid, "not-utf-8", format!("the target of the link `{path}` is not UTF-8")))
    }

    /// The paths that match a glob (`**`, `*`, `?`, `{a,b}`), in path order, at most `limit` of them.
    ///
    /// Path order is that of a walk: the names of each directory in the order of their bytes, a directory before what is in it.
    pub fn find(&self, glob: &str, limit: u32) -> Result<Vec<String>, Problem> {
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        let glob = glob.map_err(|error| Problem::new(ProblemKind::Invalid, "bad-glob", error.to_string()))?;
        let matcher = glob.compile_matcher();
        let mut paths = Vec::new();
        let ended = self.walk("", &mut |entry| {
            if paths.len() >= limit as usize {
                return Err(Stop::Enough);
            }
            if !entry.path.is_empty() && matcher.is_match(OsStr::from_bytes(entry.path)) {
                paths.extend(std::str::from_utf8(entry.path).map(str::to_owned));
            }
            Ok(())
        });
        match ended {
            Err(Stop::Failed(error)) => Err(error.into()),
            Ok(()) | Err(Stop::Enough) => Ok(paths),
        }
    }

    fn locate_entry(&self, path: &str, kind: Type, otherwise: &str) -> Result<Found, Problem> {
        check_path(path, false)?;
        self.locate(path)?.filter(|found| Type::of(&found.stat) == kind).ok_or_else(|| not_found(path, otherwise))
    }

    /// Follows a path part by part, through directories only and nothing that is left out.
    fn locate(&self, path: &str) -> Result<Option<Found>, Problem> {
        if let Top::SingleFile(name) = &self.0.top
            && name.as_bytes() != path.as_bytes()
        {
            return Ok(None);
        }
        match self.locate_at(path) {
            Ok(found) => Ok(found),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok(None),
            Err(errno) => Err(self.failed(path, errno)),
        }
    }

    fn locate_at(&self, path: &str) -> SystemResult<Option<Found>> {
        let mut dir = handle::open_again(&self.0.dir)?;
        let mut end = 0;
        loop {
            let rest = &path[end..];
            let length = rest.find('/').unwrap_or(rest.len());
            let name = CString::new(&rest[..length]).map_err(|_| Errno::NOENT)?;
            end += length;
            let stat = handle::stat(&dir, &name)?;
            if self.0.leaves_out(&path.as_bytes()[..end], Type::of(&stat) == Type::Directory) {
                return Ok(None);
            }
            if end == path.len() {
                return Ok(Some(Found { dir, name, stat }));
            }
            dir = handle::open_directory(&dir, &name)?;
            end += 1;
        }
    }

    fn listed_in(&self, dir: &OwnedFd, directory: &str, name: &CStr) -> SystemResult<Option<Listed>> {
        let Ok(text) = name.to_str() else { return Ok(None) };
        let stat = match handle::stat(dir, name) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat?,
        };
        let path = if directory.is_empty() { text.to_owned() } else { format!("{directory}/{text}") };
        let left_out = self.0.leaves_out(path.as_bytes(), Type::of(&stat) == Type::Directory);
        Ok(if left_out { None } else { listed(text, &stat) })
    }

    fn failed(&self, path: &str, errno: Errno) -> Problem {
        Error::about_listed(&self.0.shown.join(path), errno).into()
    }
}

/// Why a walk of `find` ended.
enum Stop {
    Enough,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn listed(name: &str, stat: &Stat) -> Option<Listed> {
    let kind = match Type::of(stat) {
        Type::File => ListedKind::File,
        Type::Directory => ListedKind::Directory,
        Type::Symlink => ListedKind::Symlink,
        Type::Special(_) => return None,
    };
    let size = if kind == ListedKind::File { handle::size(stat) } else { 0 };
    Some(Listed { name: name.to_owned(), kind, size, executable: handle::permissions(stat) & 0o100 != 0 })
}

fn check_path(path: &str, top_may_be: bool) -> Result<(), Problem> {
    let is_normal = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if (top_may_be && path.is_empty()) || path.split('/').all(is_normal) {
        return Ok(());
    }
    let message =
        format!("`{}` is no path of a tree: it must be relative, without `.`, `..` and empty parts", path.escape_debug());
    Err(Problem::new(ProblemKind::Invalid, "bad-path", message))
}

fn not_found(path: &str, what: &str) -> Problem {
    Problem::new(ProblemKind::NotFound, "not-found", format!("{what} `{}` in the source", path.escape_debug()))
}
