//! The one place where tars are written for engines, and where a foreign tar is judged before an engine sees it.
//!
//! The format is GNU's: names and links of any bytes and length, numbers of any size. Times are whole seconds, as `docker cp`
//! and `docker build` send them: a fraction would cost two more blocks an entry.

mod pack;
mod read;
mod repack;
mod stream;
#[cfg(test)]
mod tests;
mod write;

use std::io;

use sti_core::{plan::ContentId, tree};
use thiserror::Error;

pub use pack::pack;
pub use repack::{Choice, Repack, repack};
pub use stream::{Pieces, Verdict, blocking_reader, stream};

/// Who owns what arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The numeric user.
    pub uid: u32,
    /// The numeric group.
    pub gid: u32,
}

/// Where in a tar content is put, and how.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The path in the tar, without a leading slash; `""` is its top.
    pub at: &'a str,
    /// Who owns every entry.
    pub owner: Owner,
    /// When its entries were changed.
    pub times: Times,
}

/// When the entries of a tar were changed, as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// What they bring along; 0 for those that have no time.
    Kept,
    /// So many seconds since the epoch, all of them, so that equal content is an equal tar.
    All(i64),
}

impl Times {
    fn of(self, seconds: i64) -> i64 {
        match self {
            Self::Kept => seconds,
            Self::All(same) => same,
        }
    }
}

/// Why a tar was not written to its end.
#[derive(Debug, Error)]
pub enum Error {
    /// The source could not be read, or changed while it was.
    #[error(transparent)]
    Source(#[from] tree::Error),
    /// The bytes of this content are not with the host.
    #[error("content {} lives in the engine and is not packed by the host", content.0)]
    InEngine {
        /// Which.
        content: ContentId,
    },
    /// The plan speaks of content that is not there.
    #[error("content {} names `{path}`, and nothing is there", content.0)]
    NotThere {
        /// Which.
        content: ContentId,
        /// The path within what the content is a part of.
        path: String,
    },
    /// A foreign tar holds what no tar may that is handed on.
    #[error("the archive holds `{entry}`, which is refused: {why}")]
    Hostile {
        /// The name of the entry, control characters made visible.
        entry: String,
        /// What is wrong with it.
        why: String,
    },
    /// Of the entries of a directory, none has a name that is wanted.
    #[error("nothing matches `{path}`")]
    NothingMatches {
        /// The directory and the glob.
        path: String,
    },
    /// What should be a tar is none, or has no end.
    #[error("it is no tar archive: {why}")]
    NotATar {
        /// What was seen instead.
        why: String,
    },
    /// A foreign tar could not be read on.
    #[error("cannot read the archive: {0}")]
    Read(#[source] io::Error),
    /// Whoever takes the tar does not take any more.
    #[error("cannot pass the archive on: {0}")]
    Write(#[source] io::Error),
}
