//! What can be wrong with a source tree. Paths are told as the user gave them, with control characters made visible.

use std::{io, path::Path};

use rustix::io::Errno;
use thiserror::Error;

use crate::{Problem, ProblemKind, text::is_direction};

/// A source that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Nothing is there.
    #[error("there is no `{path}`")]
    NotFound {
        /// What was looked for.
        path: String,
    },
    /// It is there, and may or can not be read.
    #[error("cannot read `{path}`: {why}")]
    Unreadable {
        /// Which file or directory.
        path: String,
        /// What the system said.
        why: String,
    },
    /// Something that has no content of its own.
    #[error("`{path}` is a {kind}, which cannot be part of a source")]
    SpecialFile {
        /// Which.
        path: String,
        /// `FIFO`, `socket` or `device`.
        kind: &'static str,
    },
    /// Directories in directories in directories, beyond what can be held open at once.
    #[error("what lies below `{path}` is nested more than {most} deep")]
    TooDeep {
        /// Where that begins.
        path: String,
        /// How deep it may be.
        most: usize,
    },
    /// Somebody works on the source at this moment.
    #[error("`{path}` changed while it was read: {why}")]
    Changed {
        /// Which file or directory.
        path: String,
        /// How.
        why: String,
    },
    /// `--context-dir` names no directory of the source.
    #[error("`{context_dir}` is no directory of the source: {why}")]
    BadContextDir {
        /// As the user gave it.
        context_dir: String,
        /// Why not.
        why: String,
    },
    /// A line of an ignore file is no pattern.
    #[error("`{ignore_file}`, line {line}: {why}")]
    BadPattern {
        /// Which ignore file.
        ignore_file: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "check the path; a source is a directory or a file".to_owned(),
            Self::Unreadable { path, .. } => {
                format!("allow yourself to read it (`chmod u+r '{path}'`), or name it in `.s2iignore`")
            }
            Self::SpecialFile { .. } | Self::TooDeep { .. } => {
                "remove it, or name it in `.s2iignore` at the top of the source".to_owned()
            }
            Self::Changed { .. } => {
                "build again when nothing writes to the source any more, or name it in `.s2iignore`".to_owned()
            }
            Self::BadContextDir { .. } => "write it relative to the source, such as `--context-dir services/web`".to_owned(),
            Self::BadPattern { .. } => {
                "the rules are those of gitignore; put `\\` before a character that is meant literally".to_owned()
            }
        })
    }

    /// What a failed call means for a path that was just seen or named.
    pub(super) fn about(path: &Path, errno: Errno) -> Self {
        let path = printable(path);
        match errno {
            Errno::NOENT => Self::NotFound { path },
            _ => Self::Unreadable { path, why: in_words(errno) },
        }
    }

    /// What a failed call means for an entry that its directory has listed.
    pub(super) fn about_listed(path: &Path, errno: Errno) -> Self {
        let changed = |why: &str| Self::Changed { path: printable(path), why: why.to_owned() };
        match errno {
            Errno::NOENT => changed("it vanished"),
            // With links not followed, these say that it is of another kind now than a moment ago.
            Errno::LOOP | Errno::NOTDIR | Errno::NXIO => changed("it became something else"),
            _ => Self::about(path, errno),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (kind, code) = match error {
            Error::NotFound { .. } => (ProblemKind::NotFound, "not-found"),
            Error::Unreadable { .. } => (ProblemKind::Invalid, "source-unreadable"),
            Error::SpecialFile { .. } => (ProblemKind::Invalid, "source-special-file"),
            Error::TooDeep { .. } => (ProblemKind::Invalid, "source-too-deep"),
            Error::Changed { .. } => (ProblemKind::Unavailable, "source-changed"),
            Error::BadContextDir { .. } => (ProblemKind::Invalid, "bad-context-dir"),
            Error::BadPattern { .. } => (ProblemKind::Invalid, "bad-ignore-pattern"),
        };
        let problem = Problem::new(kind, code, error.to_string());
        match error.hint() {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    }
}

/// A path for a person: one line, whatever the name holds.
pub(super) fn printable(path: &Path) -> String {
    in_one_line(&path.to_string_lossy())
}

/// Foreign words for a person: control characters, and marks that turn the direction of writing, are spelled out.
pub(super) fn in_one_line(words: &str) -> String {
    words.chars().fold(String::with_capacity(words.len()), |mut text, character| {
        if character.is_control() || is_direction(character) {
            text.extend(character.escape_debug());
        } else {
            text.push(character);
        }
        text
    })
}

/// The system's own words without the number behind them.
pub(super) fn in_words(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    words.to_lowercase()
}

/// Why the directory of `--context-dir` could not be opened.
pub(super) fn of_context_dir(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is nothing of this name".to_owned(),
        io::ErrorKind::NotADirectory => "it is a file".to_owned(),
        // cap-std's own refusal of what leads out bears no number of the system.
        _ if error.raw_os_error().is_none() => "it leads out of the source".to_owned(),
        _ => error.to_string(),
    }
}
