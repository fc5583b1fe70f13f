//! The command line of `OpenShift`'s `s2i`, turned into ours: what the program understands where it is called by that name, as by a link.
//!
//! `flags` is the table; `line` reads words by s2i's rules, `translation` says them in our words.

mod flags;
mod line;
mod page;
mod stored;
mod translation;
mod values;

use std::{ffi::OsString, path::Path};

use super::said::Said;
use crate::StiError;

pub(super) use stored::{Stored, said as stored};

/// The strategy that makes an image as s2i does: of one container, with one new layer.
pub(super) const STRATEGY: &str = "commit";

/// What a command line of s2i asks for.
#[derive(Debug)]
pub(super) enum Read {
    /// Something to be shown, and nothing else to be done.
    Page { text: String, exit: u8 },
    /// This, in our words.
    Said(Said),
}

/// Whether the program was called as `s2i`.
pub(super) fn is_called(words: &[OsString]) -> bool {
    words.first().and_then(|word| Path::new(word).file_name()).is_some_and(|name| name == "s2i")
}

/// Reads a command line of s2i, the name of the program before it.
pub(super) fn read(words: &[OsString]) -> Result<Read, StiError> {
    match line::read(words.get(1..).unwrap_or_default())? {
        line::Read::Help(command) => Ok(Read::Page { text: page::of(command), exit: 0 }),
        line::Read::Nothing => Ok(Read::Page { text: page::of(None), exit: 2 }),
        line::Read::Line(line) => Ok(Read::Said(translation::said(&line)?)),
    }
}
