//! The words that all interfaces share.

/// Whose move it is after a failure. Frozen: a new failure gets a new code, never a new kind.
///
/// ```
/// use sti_plugin::{Problem, ProblemKind};
///
/// assert_eq!(Problem::exhausted("too-large", "`a` is too large").kind(), ProblemKind::Exhausted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The request, the source or the image is wrong; the user can mend it.
    Invalid,
    /// Something that was named does not exist.
    NotFound,
    /// Policy does not allow it. The host has already recorded the refusal.
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

/// A failure as it passes between plugin and host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub value: String,
}

/// What a container may reach.
///
/// ```
/// use sti_plugin::{Network, testing::JobBuilder};
///
/// let job = JobBuilder::new("builder", "app").network(Network::None);
/// assert_eq!(job.ask(|job| job.network()), Network::None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing but itself.
    None,
    /// Outgoing connections, as a container of the engine has by default.
    Outgoing,
}

/// Makes what the host answers to a question that has no answer.
pub(crate) fn problem(kind: ProblemKind, code: &str, message: String) -> Problem {
    Problem { kind, code: code.to_owned(), message, hint: None }
}
