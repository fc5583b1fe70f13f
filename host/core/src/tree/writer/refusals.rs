//! Why an entry is not written, in words for a person, with the limit that would have to be raised.

use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
};

use rustix::io::Errno;

use super::paths::split;
use crate::{
    Problem, ProblemKind,
    tree::{error, handle},
};

pub(super) fn printable(path: &str) -> String {
    error::printable(Path::new(path))
}

fn invalid(code: &str, message: String) -> Problem {
    Problem::new(ProblemKind::Invalid, code, message)
}

fn exhausted(code: &str, message: String, limit: &str) -> Problem {
    Problem::new(ProblemKind::Exhausted, code, message)
        .with_hint(format!("where the source is right to need more, raise it: {limit}"))
}

pub(super) fn unsafe_path(path: &str) -> Problem {
    invalid("unsafe-path", format!("`{}` is no path within the source", printable(path)))
        .with_hint("a source that names such a path is broken or hostile: ask where it comes from")
}

pub(super) fn long_path(path: &str, most: usize) -> Problem {
    let shown: String = printable(path).chars().take(200).collect();
    exhausted("path-too-long", format!("the path `{shown}…` is longer than {most} bytes"), "--limit path-bytes=NUMBER")
}

pub(super) fn long_name(name: &str, most: usize) -> Problem {
    let shown: String = printable(name).chars().take(60).collect();
    Problem::new(ProblemKind::Exhausted, "name-too-long", format!("the name `{shown}…` is longer than {most} bytes"))
        .with_hint("file systems take no longer ones: the source must be changed")
}

pub(super) fn too_deep(path: &str, most: usize) -> Problem {
    let shown: String = printable(path).chars().take(200).collect();
    Problem::new(ProblemKind::Exhausted, "too-deep", format!("`{shown}…` is nested more than {most} deep"))
        .with_hint("no build takes such a source: it must be changed")
}

pub(super) fn too_many_entries(path: &str, most: u64) -> Problem {
    let message = format!("the source has more than {most} entries (the next is `{}`)", printable(path));
    exhausted("too-many-entries", message, "--limit entries=NUMBER")
}

pub(super) fn too_many_bytes(path: &str, most: u64) -> Problem {
    let message = format!("the files of the source have more than {most} bytes together (in `{}`)", printable(path));
    exhausted("too-many-bytes", message, "--limit bytes=NUMBER")
}

pub(super) fn too_many_closed(path: &str, most: usize) -> Problem {
    let (path, most) = (printable(path), most >> 20);
    let message = format!("the paths of directories that their owner may not write to take more than {most} MiB (at `{path}`)");
    Problem::new(ProblemKind::Exhausted, "too-many-closed-directories", message)
        .with_hint("no project has so many: make the directories of the source writable for their owner")
}

/// Set-id and sticky bits are passed here, and dropped by the caller.
pub(super) fn odd_mode(path: &str, mode: u32) -> Result<(), Problem> {
    if mode & !0o7777 == 0 {
        return Ok(());
    }
    Err(invalid("invalid-mode", format!("`{}` has the mode {mode:o}, which is more than permission bits", printable(path))))
}

pub(super) fn written_twice(path: &str) -> Problem {
    invalid("written-twice", format!("`{}` is there already", printable(path)))
}

pub(super) fn below_a_file(path: &str) -> Problem {
    invalid("below-a-file", format!("`{}` lies below a file or a link", printable(path)))
        .with_hint("a source that writes through a link is broken or hostile: ask where it comes from")
}

pub(super) fn not_empty(path: &str) -> Problem {
    invalid("not-empty", format!("something lies in `{}`", printable(path)))
}

pub(super) fn not_alone(path: &str) -> Problem {
    invalid("not-alone", format!("something lies beside `{}`, which cannot be the top then", printable(path)))
}

pub(super) fn after_the_top(path: &str) -> Problem {
    invalid("after-the-top", format!("`{}` comes after it was said what the top is", printable(path)))
}

pub(super) fn odd_target(path: &str, length: usize) -> Problem {
    let message = format!("the link `{}` has a target of {length} bytes, which no file system takes", printable(path));
    invalid("invalid-target", message)
}

pub(super) fn no_file_yet(existing: &str) -> Problem {
    Problem::new(
        ProblemKind::NotFound,
        "not-found",
        format!("there is no file `{}` yet to give a second name", printable(existing)),
    )
}

pub(super) fn nothing_there(path: &str) -> Problem {
    Problem::new(ProblemKind::NotFound, "not-found", format!("nothing of the kind was written at `{}`", printable(path)))
}

pub(super) fn no_thread(why: &str) -> Problem {
    Problem::new(ProblemKind::Internal, "not-written", format!("the thread that writes cannot work: {why}"))
}

pub(super) fn unfinished(open: u64) -> Problem {
    Problem::new(ProblemKind::Internal, "not-finished", format!("{open} files were opened and not finished"))
}

pub(super) fn gone(path: &str, errno: Errno) -> Problem {
    unwritten(path, &errno.into())
}

pub(super) fn unwritten(path: &str, error: &io::Error) -> Problem {
    let path = printable(path);
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOSPC | Errno::DQUOT) => {
            Problem::new(ProblemKind::Exhausted, "no-space", format!("no space is left for `{path}`"))
                .with_hint("free some space, or set XDG_CACHE_HOME to a larger disk")
        }
        errno => {
            let why = errno.map_or_else(|| error.to_string(), error::in_words);
            Problem::new(ProblemKind::Unavailable, "unwritable", format!("cannot write `{path}`: {why}"))
        }
    }
}

/// What a failed call means for a path in a directory.
pub(super) fn of(errno: Errno, path: &str, parent: BorrowedFd<'_>) -> Problem {
    match errno {
        Errno::EXIST => taken(path, parent),
        // The kernel's word for a link where a directory is needed, and for a file there.
        Errno::LOOP | Errno::NOTDIR => below_a_file(path),
        errno => gone(path, errno),
    }
}

/// The name is taken, though nothing was written by it: another is there that this file system takes for the same.
fn taken(path: &str, parent: BorrowedFd<'_>) -> Problem {
    let (Ok(names), Ok(wanted)) = (handle::sorted_names(parent), CString::new(split(path).1)) else { return written_twice(path) };
    if names.contains(&wanted) {
        return written_twice(path);
    }
    let Some(other) = names.iter().find(|name| is_same(parent, name, &wanted)) else { return written_twice(path) };
    let other = Path::new(split(path).0).join(&*other.to_string_lossy());
    let message = format!(
        "`{}` and `{}` are two names to the source, and one to this file system",
        printable(path),
        error::printable(&other)
    );
    invalid("names-collide", message).with_hint("set XDG_CACHE_HOME to a file system that tells case and Unicode forms apart")
}

fn is_same(parent: impl AsFd + Copy, one: &CString, other: &CString) -> bool {
    match (handle::stat(parent, one), handle::stat(parent, other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}
