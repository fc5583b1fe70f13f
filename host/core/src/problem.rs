//! A failure as plugins and host tell it each other: whose move it is, a code, and words for a person.

use std::fmt;

use serde::Serialize;

/// Whose move it is after a failure. The same set as `problem-kind` in `wit/sti-host/types.wit`, and as frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The request, the source or the image is wrong; the user can mend it.
    Invalid,
    /// Something that was named does not exist.
    NotFound,
    /// Policy does not allow it.
    Denied,
    /// A server, a network or a disk did not answer; trying again may help.
    Unavailable,
    /// A limit of size, time or number was reached.
    Exhausted,
    /// The user asked to stop.
    Cancelled,
    /// A mistake of the plugin or of the host.
    Internal,
}

/// A failure, told so that a person can act on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whose move it is.
    pub kind: ProblemKind,
    /// A stable identifier in kebab-case.
    pub code: String,
    /// What happened and why: a lower-case fragment without a full stop.
    pub message: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// Joins kind, code and message; a hint can be added by [`Problem::with_hint`].
    pub fn new(kind: ProblemKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), hint: None }
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
