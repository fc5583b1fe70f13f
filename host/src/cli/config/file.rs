//! Finds the file of a project and makes sure that it is the user's own.

use std::{
    fs,
    io::{ErrorKind, Read},
    os::unix::fs::MetadataExt,
};

use crate::StiError;

/// Ours.
pub(super) const OURS: &str = "sti.toml";
/// What `s2i build --use-config` writes, and what it wrote long ago.
pub(super) const THEIRS: &str = ".s2ifile";
const THEIRS_OLD: &str = ".stifile";

/// A longer one is no list of settings.
const MOST: u64 = 1 << 20;

/// A file of settings that was read.
#[derive(Debug)]
pub(super) enum File {
    Ours(String),
    Theirs { name: &'static str, text: String },
}

impl File {
    /// The one that counts in the current directory, if there is any.
    pub(super) fn find() -> Result<Option<Self>, StiError> {
        if let Some(text) = read(OURS)? {
            return Ok(Some(Self::Ours(text)));
        }
        for name in [THEIRS, THEIRS_OLD] {
            if let Some(text) = read(name)? {
                return Ok(Some(Self::Theirs { name, text }));
            }
        }
        Ok(None)
    }
}

fn read(name: &str) -> Result<Option<String>, StiError> {
    let refused = |why: String, hint: &str| StiError::InvalidArgument {
        what: format!("the settings of `{name}` are not taken: {why}"),
        hint: Some(hint.to_owned()),
    };
    let unreadable = |error: std::io::Error| refused(format!("it cannot be read: {error}"), "give all words on the command line");
    let link = match fs::symlink_metadata(name) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    // Asked before it is opened: opening a pipe would wait for somebody who writes.
    if !fs::metadata(name).map_err(unreadable)?.is_file() {
        return Err(refused("it is no file".to_owned(), "remove it, or give all words on the command line"));
    }
    let file = fs::File::open(name).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let user = rustix::process::geteuid().as_raw();
    for owner in [link.uid(), metadata.uid()] {
        if owner != user && owner != 0 {
            let why = format!("it belongs to user {owner}, and this is user {user}");
            return Err(refused(why, "give all words on the command line, or make it yours with `chown`"));
        }
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o002 != 0 {
        return Err(refused(format!("everybody can write in it (mode {mode:04o})"), &format!("chmod o-w {name}")));
    }
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MOST {
        return Err(refused(format!("it is longer than {MOST} bytes"), "give all words on the command line"));
    }
    Ok(Some(text))
}
