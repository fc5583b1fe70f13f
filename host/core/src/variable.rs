//! A name with its value: an environment variable, a label.

use serde::{Deserialize, Serialize};

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Never empty, never with `=` or a NUL byte.
    pub name: String,
    /// Any text without a NUL byte.
    pub value: String,
}

impl Variable {
    /// Joins a name and a value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    /// Splits `NAME=VALUE` as the configuration of an image holds it; a missing `=` means an empty value.
    pub fn from_pair(pair: &str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self::new(name, value)
    }

    /// Writes `NAME=VALUE`.
    pub fn to_pair(&self) -> String {
        format!("{}={}", self.name, self.value)
    }
}
