//! A source tree, to be read only: what ignore rules leave out is not there, and no link is ever followed.
//!
//! Every directory is read through a handle that was opened relative to its parent's, so that nothing that happens to
//! the tree meanwhile leads outside of it.

mod error;
mod file;
mod handle;
mod questions;
mod rules;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

use std::{
    ffi::{CString, OsStr},
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use file::{FileAt, OpenFile};
pub use handle::Modified;
pub use questions::{Listed, ListedKind};
pub use walk::{Entry, Kind};
pub use writer::{DroppedBits, GrowingFile, TreeWriter, WriteLimits};

use rules::Rules;

/// A source tree. Cheap to clone.
#[derive(Clone)]
pub struct Tree(Arc<Inner>);

/// How much there is in a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Files, directories and links, the top not counted.
    pub entries: u64,
    /// Bytes of all files; one with several names counts once.
    pub bytes: u64,
}

struct Inner {
    dir: Dir,
    /// As the user gave it.
    shown: PathBuf,
    top: Top,
}

enum Top {
    /// Everything below `dir` that the rules leave in.
    Directory {
        rules: Arc<Rules>,
        /// Where `dir` is as the rules see it: `""`, or `part/of/it/`.
        prefix: Vec<u8>,
    },
    /// Only the file of this name in `dir`.
    SingleFile(CString),
}

impl Tree {
    /// Takes a directory as the source.
    ///
    /// The first of `.s2iignore`, `.stiignore` and `.dockerignore` that lies at its top leaves things out, by the rules of
    /// gitignore; so is everything named `.git`, always. `shown` is what the user called it.
    pub fn directory(dir: Dir, shown: &Path) -> Result<Self, Error> {
        let rules = Rules::read(&dir, shown)?.unwrap_or_default();
        let top = Top::Directory { rules: Arc::new(rules), prefix: Vec::new() };
        Ok(Self(Arc::new(Inner { dir, shown: shown.to_owned(), top })))
    }

    /// Takes one file as the source: a tree with a single entry `name`. No ignore file is looked for.
    pub fn single_file(parent: Dir, name: &OsStr, shown: &Path) -> Result<Self, Error> {
        let not_there = || Error::NotFound { path: error::printable(shown) };
        let name = CString::new(name.as_bytes()).map_err(|_| not_there())?;
        let stat = handle::stat(&parent, &name).map_err(|errno| Error::about(shown, errno))?;
        match handle::Type::of(&stat) {
            handle::Type::File => {}
            handle::Type::Special(kind) => return Err(Error::SpecialFile { path: error::printable(shown), kind }),
            handle::Type::Directory | handle::Type::Symlink => {
                return Err(Error::Unreadable { path: error::printable(shown), why: "it is not a regular file".to_owned() });
            }
        }
        Ok(Self(Arc::new(Inner { dir: parent, shown: shown.to_owned(), top: Top::SingleFile(name) })))
    }

    /// Narrows a tree to one of its directories (`--context-dir`).
    ///
    /// An ignore file at the top of that directory takes the place of the outer one; without one the outer rules go on, relative
    /// to the outer top. The directory itself is named by the user and so never left out. Links on the way are followed as
    /// long as they stay inside.
    pub fn within(&self, context_dir: &str) -> Result<Self, Error> {
        let refused = |why: &str| Error::BadContextDir { context_dir: context_dir.to_owned(), why: why.to_owned() };
        let Top::Directory { rules, prefix } = &self.0.top else {
            return Err(refused("the source is a single file"));
        };
        if Path::new(context_dir).is_absolute() {
            return Err(refused("it must be relative to the source"));
        }
        let wanted = if context_dir.is_empty() { "." } else { context_dir };
        let inside = self.0.dir.canonicalize(wanted).map_err(|error| refused(&error::of_context_dir(&error)))?;
        if inside.as_os_str().is_empty() || inside == Path::new(".") {
            return Ok(self.clone());
        }
        let dir = self.0.dir.open_dir(&inside).map_err(|error| refused(&error::of_context_dir(&error)))?;
        let shown = self.0.shown.join(&inside);
        let top = if let Some(own) = Rules::read(&dir, &shown)? {
            Top::Directory { rules: Arc::new(own), prefix: Vec::new() }
        } else {
            let prefix = [prefix, inside.as_os_str().as_bytes(), b"/"].concat();
            Top::Directory { rules: rules.clone(), prefix }
        };
        Ok(Self(Arc::new(Inner { dir, shown, top })))
    }

    /// Walks over everything once and keeps nothing: finds special files, and what may not be read, before anything is made.
    pub fn check(&self) -> Result<Summary, Error> {
        let mut summary = Summary::default();
        self.walk("", &mut |entry| -> Result<(), Error> {
            summary.entries += u64::from(!entry.path.is_empty());
            if let Kind::File(file) = entry.kind {
                file.check_readable()?;
                summary.bytes += entry.size;
            }
            Ok(())
        })?;
        Ok(summary)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tree").field(&self.0.shown).finish()
    }
}
