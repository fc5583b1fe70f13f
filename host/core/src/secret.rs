//! Secrets: bytes that a build's scripts may read and that stay nowhere. A plan knows their names only.

mod needles;

use std::fmt;

pub use needles::{Needles, Search};

use crate::plan::PlanFile;

/// A shorter value could not be told from chance where it is looked for.
pub const SHORTEST: usize = 4;

/// Where the file of a secret lies while scripts run, as with `BuildKit`: below this, by its name.
pub const DIRECTORY: &str = "/run/secrets";

/// What the user gives a build to be read and not kept: one value, or a directory of files.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    shape: Shape,
    files: Vec<PlanFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Value,
    Directory,
}

impl Secret {
    /// A value, which becomes one file that its owner can read.
    pub fn value(bytes: Vec<u8>) -> Self {
        let file = PlanFile { path: "value".to_owned(), mode: 0o400, bytes };
        Self { shape: Shape::Value, files: vec![file] }
    }

    /// A directory of files.
    pub fn directory(files: Vec<PlanFile>) -> Self {
        Self { shape: Shape::Directory, files }
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.shape == Shape::Directory
    }

    /// Its files; a value's only one has a name that means nothing.
    pub fn files(&self) -> &[PlanFile] {
        &self.files
    }
}

/// Says how much there is, and nothing of it.
impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.files.iter().map(|file| file.bytes.len()).sum();
        write!(formatter, "Secret({:?}, {bytes} bytes)", self.shape)
    }
}

/// Tells whether a secret may bear a name: letters, digits, `.`, `_` and `-`, and no way upwards.
pub fn is_name(name: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(is_character) && !matches!(name, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["token", "npm-token_2.txt", "...", ".netrc"] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(129);
        for name in ["", ".", "..", "a/b", "../x", "a b", "a\0", "é", "a,b", "a:b", long.as_str()] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn nothing_of_a_secret_is_in_what_is_printed_of_it() {
        assert_eq!(format!("{:?}", Secret::value(b"hush".to_vec())), "Secret(Value, 4 bytes)");
    }
}
