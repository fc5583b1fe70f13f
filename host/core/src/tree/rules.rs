//! What ignore files leave out of a source: the rules of gitignore, for all names of the file.

use std::{
    ffi::OsStr,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use cap_fs_ext::OpenOptionsSyncExt;
use cap_std::fs::{Dir, OpenOptions};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::error::{Error, in_one_line, printable};

/// The first that is there counts, and the others are ordinary files.
const IGNORE_FILES: [&str; 3] = [".s2iignore", ".stiignore", ".dockerignore"];

/// More is no list of patterns.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Which paths are left out.
pub(super) struct Rules(Gitignore);

impl Default for Rules {
    fn default() -> Self {
        Self(Gitignore::empty())
    }
}

impl Rules {
    /// Reads the ignore file at the top of a directory; `None` where there is none.
    pub(super) fn read(dir: &Dir, shown: &Path) -> Result<Option<Self>, Error> {
        for name in IGNORE_FILES {
            let path = shown.join(name);
            match read_text(dir, name) {
                Ok(text) => return Self::parse(&text, &path).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::Unreadable { path: printable(&path), why: error.to_string() }),
            }
        }
        Ok(None)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        // An empty root: paths are matched relative to the top, and what lies above it is never seen.
        let mut builder = GitignoreBuilder::new("");
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            builder.add_line(None, line).map_err(|error| bad_pattern(path, number, &error))?;
        }
        let rules = builder.build().map_err(|error| bad_pattern(path, 0, &error))?;
        Ok(Self(rules))
    }

    /// Whether an entry is left out. Its directory has been asked about before: below what is left out nothing is asked.
    pub(super) fn leave_out(&self, path: &[u8], is_directory: bool) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        name == b".git" || self.0.matched(OsStr::from_bytes(path), is_directory).is_ignore()
    }
}

fn read_text(dir: &Dir, name: &str) -> io::Result<String> {
    let file = dir.open_with(name, OpenOptions::new().read(true).nonblock(true))?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    String::from_utf8(text).map_err(|_| io::Error::other("it is not UTF-8"))
}

fn bad_pattern(path: &Path, line: u64, error: &ignore::Error) -> Error {
    Error::BadPattern { ignore_file: printable(path), line, why: in_one_line(&error.to_string()) }
}
