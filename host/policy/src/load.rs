//! Opens a policy file, and believes it only where nobody else can have written it.
//!
//! Judged is what was opened, never a name that could be led elsewhere in between.

use std::io::Read;
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, File};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, openat};

use crate::{Error, Policy, Whose};

const MOST_BYTES: u64 = 1 << 20;
const GROUP: u32 = 0o020;
const EVERYBODY: u32 = 0o002;
const STICKY: u32 = 0o1000;

impl Policy {
    /// Reads the policy file `name` of a directory. `shown` is what people are told it is called, and `whose` decides what it may say.
    ///
    /// Refused are links and special files, and a file or directory that somebody other than root and the caller owns or can write.
    pub fn load(dir: &Dir, name: &str, shown: &Path, whose: Whose) -> Result<Self, Error> {
        let (mut file, stat) = open(dir, name, shown)?;
        judge_owner(&stat, shown, shown)?;
        let above = fstat(dir).map_err(|error| unreadable(shown, error.into()))?;
        let dir_shown = directory_of(shown);
        judge_owner(&above, &dir_shown, shown)?;
        judge_writers(&stat, shown, shown)?;
        // Under a sticky bit, as in /tmp, nobody can put another file in the place of this one.
        if above.st_mode & STICKY == 0 {
            judge_writers(&above, &dir_shown, shown)?;
        }
        let mut text = String::new();
        file.by_ref().take(MOST_BYTES).read_to_string(&mut text).map_err(|source| unreadable(shown, source))?;
        Self::parse(&text, shown, whose)
    }
}

fn open(dir: &Dir, name: &str, shown: &Path) -> Result<(File, Stat), Error> {
    // NONBLOCK: a FIFO would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(dir, name, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::LOOP => Error::NotPlain { file: shown.to_owned() },
        error => unreadable(shown, error.into()),
    })?;
    let stat = fstat(&opened).map_err(|error| unreadable(shown, error.into()))?;
    let is_small = u64::try_from(stat.st_size).is_ok_and(|size| size < MOST_BYTES);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_small {
        return Err(Error::NotPlain { file: shown.to_owned() });
    }
    Ok((File::from_std(opened.into()), stat))
}

fn judge_owner(stat: &Stat, owned: &Path, file: &Path) -> Result<(), Error> {
    let ourselves = rustix::process::geteuid().as_raw();
    if stat.st_uid == 0 || stat.st_uid == ourselves {
        return Ok(());
    }
    Err(Error::ForeignOwner { file: file.to_owned(), owned: owned.to_owned(), owner: stat.st_uid })
}

fn judge_writers(stat: &Stat, writable: &Path, file: &Path) -> Result<(), Error> {
    let whose = match (stat.st_mode & EVERYBODY, stat.st_mode & GROUP) {
        (0, 0) => return Ok(()),
        (0, _) => "its group",
        _ => "everybody",
    };
    Err(Error::WritableByOthers { file: file.to_owned(), writable: writable.to_owned(), whose })
}

fn directory_of(shown: &Path) -> PathBuf {
    match shown.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn unreadable(shown: &Path, source: std::io::Error) -> Error {
    Error::Unreadable { file: shown.to_owned(), source }
}
