//! Failures as plugins tell them: whose move it is, a code that stays, words for a person and what to do next.

use std::fmt;

use crate::host::types;

/// A failure, told so that a person can act on it. Errors of the standard library become one by `?`.
///
/// ```
/// use sti_plugin::{Problem, ProblemKind};
///
/// let problem = Problem::invalid("port-malformed", "`80x` is no port").hint("give a number, such as `--set port=80`");
/// assert_eq!(problem.kind(), ProblemKind::Invalid);
/// assert_eq!(problem.code(), "port-malformed");
/// assert_eq!(problem.to_string(), "`80x` is no port");
///
/// fn port(text: &str) -> Result<u16, Problem> {
///     Ok(text.parse()?)
/// }
/// assert_eq!(port("80x").unwrap_err().code(), "not-a-number");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    code: String,
    message: String,
    hint: Option<String>,
}

pub use types::ProblemKind;

impl Problem {
    /// Joins a kind, a stable code in kebab-case and a message: a lower-case fragment without a full stop, literals in backquotes.
    pub fn new(kind: ProblemKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), hint: None }
    }

    /// Makes a problem that the user can mend: the request, the source or the image is wrong.
    pub fn invalid(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Invalid, code, message)
    }

    /// Makes a problem about something that was named and does not exist.
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, code, message)
    }

    /// Makes a problem about something that did not answer; trying again may help.
    pub fn unavailable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Unavailable, code, message)
    }

    /// Makes a problem about a limit that was reached.
    pub fn exhausted(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Exhausted, code, message)
    }

    /// Makes a problem that is a mistake of the plugin itself.
    pub fn internal(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Internal, code, message)
    }

    /// Adds what to do next, ready to be pasted where it is a command.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Tells whose move it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// Tells the stable identifier.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Tells what happened and why.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Tells what to do next, where that is known.
    pub fn hinted(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<types::Problem> for Problem {
    fn from(types::Problem { kind, code, message, hint }: types::Problem) -> Self {
        Self { kind, code, message, hint }
    }
}

impl From<Problem> for types::Problem {
    fn from(Problem { kind, code, message, hint }: Problem) -> Self {
        Self { kind, code, message, hint }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::NotFound => ProblemKind::NotFound,
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => ProblemKind::Invalid,
            ErrorKind::TimedOut | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => ProblemKind::Unavailable,
            ErrorKind::OutOfMemory | ErrorKind::StorageFull => ProblemKind::Exhausted,
            _ => ProblemKind::Internal,
        };
        Self::new(kind, "input-output", error.to_string())
    }
}

/// Writes the conversions of errors that say no more than their text.
macro_rules! problem_from {
    ($($error:ty => $make:ident $code:literal),+ $(,)?) => {
        $(impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::$make($code, error.to_string())
            }
        })+
    };
}

problem_from! {
    std::str::Utf8Error => invalid "not-utf8",
    std::string::FromUtf8Error => invalid "not-utf8",
    std::num::ParseIntError => invalid "not-a-number",
    std::num::ParseFloatError => invalid "not-a-number",
    std::num::TryFromIntError => exhausted "number-too-large",
    std::str::ParseBoolError => invalid "not-a-boolean",
    std::char::ParseCharError => invalid "not-a-character",
    std::fmt::Error => internal "formatting-failed",
}
