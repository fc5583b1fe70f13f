//! The list of tests that could not run: each writes a line into the file that `STI_SKIPPED` names.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::PathBuf,
};

use anyhow::Result;

use crate::commands::target_directory;

/// The file.
pub(super) fn path() -> PathBuf {
    target_directory().join("skipped.txt")
}

/// How a line begins whose test needs what the machine cannot be given: that is told, and fails nobody.
const NOT_TO_BE_HAD: &str = "not to be had here: ";

/// Whether a skipped test counts as one that should have run.
pub(super) fn counts(test: &str) -> bool {
    !test.starts_with(NOT_TO_BE_HAD)
}

/// Removes the list of the last time.
pub(super) fn forget() -> Result<()> {
    match fs::remove_file(path()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Adds a line.
pub(super) fn note(test: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path())?;
    Ok(writeln!(file, "{test}")?)
}

/// The tests, sorted, each once.
pub(super) fn list() -> Result<Vec<String>> {
    let text = match fs::read_to_string(path()) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let mut tests = text.lines().map(str::to_owned).collect::<Vec<_>>();
    tests.sort();
    tests.dedup();
    Ok(tests)
}
