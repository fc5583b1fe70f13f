//! Turns what an engine answered into the errors of the house.

use bollard::errors::Error as Answer;
use sti_engine::Error;

/// A request that did not succeed, before anybody has said what it was for.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    request: String,
    endpoint: String,
    status: Option<u16>,
    message: String,
}

impl Failure {
    /// Reads the answer; one without a status means that the connection failed.
    pub(crate) fn new(request: String, endpoint: String, answer: &Answer) -> Self {
        let (status, message) = match answer {
            Answer::DockerResponseServerError { status_code, message } => (Some(*status_code), message.trim().to_owned()),
            Answer::DockerStreamError { error } => (Some(500), error.trim().to_owned()),
            Answer::JsonDataError { message, .. } => (Some(500), format!("an answer that makes no sense: {message}")),
            Answer::JsonSerdeError { err } => (Some(500), format!("an answer that makes no sense: {err}")),
            Answer::RequestTimeoutError => (None, "no answer in time".to_owned()),
            other => (None, innermost(other)),
        };
        Self { request, endpoint, status, message }
    }

    /// A refusal that is told here and not by the engine.
    pub(crate) fn refused(request: impl Into<String>, message: impl Into<String>) -> Self {
        Self { request: request.into(), endpoint: String::new(), status: Some(500), message: message.into() }
    }

    /// Whether nothing answered.
    pub(crate) fn is_connection(&self) -> bool {
        self.status.is_none()
    }

    /// Whether what was asked for does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// Whether something still needs what was to be removed, or it is being removed already.
    pub(crate) fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }

    /// What was said.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The error where nothing more is known than the request.
    pub(crate) fn plain(self) -> Error {
        self.or_else(|request, why| Error::Refused { request, why })
    }

    /// The error of a container that could not be made, filled or started.
    pub(crate) fn while_creating(self, title: &str) -> Error {
        self.or_else(|_, why| Error::CreateContainerFailed { title: title.to_owned(), why })
    }

    /// The error of an image that could not be made.
    pub(crate) fn while_committing(self, title: &str) -> Error {
        self.or_else(|_, why| Error::CommitFailed { title: title.to_owned(), why })
    }

    /// The error of a start, which may also mean that the command cannot be run at all.
    pub(crate) fn while_starting(self, title: &str, command: &str) -> Error {
        match not_runnable(&self.message) {
            Some(why) if self.status.is_some() => {
                Error::NotRunnable { title: title.to_owned(), command: command.to_owned(), why: why.to_owned() }
            }
            _ => self.while_creating(title),
        }
    }

    fn or_else(self, refused: impl FnOnce(String, String) -> Error) -> Error {
        if is_no_space(&self.message) {
            return Error::NoSpace { why: self.message };
        }
        match self.status {
            None => Error::ConnectionFailed { endpoint: self.endpoint, why: self.message },
            Some(_) => refused(self.request, self.message),
        }
    }
}

/// Whether a message of the engine means a full disk.
pub(crate) fn is_no_space(message: &str) -> bool {
    message.to_ascii_lowercase().contains("no space left on device")
}

/// Why a command cannot be run, in our words; the first row that fits is taken.
const NOT_RUNNABLE: &[(&str, &str)] = &[
    ("exec format error", "its format is none that this platform runs (another architecture, or a script without a `#!` line)"),
    ("permission denied", "it is a directory, or not executable for the user that the container runs as"),
    ("is a directory", "it is a directory"),
    ("executable file not found", "it does not exist in the image"),
    ("no such file or directory", "it, or the interpreter that it names, does not exist in the image"),
    ("argument list too long", "a variable that it is given is longer than a program may be given (128 KiB on Linux)"),
];

/// Reads a runtime's message about a command that could not be started.
pub(crate) fn not_runnable(message: &str) -> Option<&'static str> {
    let message = message.to_ascii_lowercase();
    if !message.contains("exec") {
        return None;
    }
    NOT_RUNNABLE.iter().find(|(part, _)| message.contains(part)).map(|(_, why)| *why)
}

/// The last cause of a chain says most: "client error (Connect)" says nothing, "Connection refused" does.
fn innermost(error: &Answer) -> String {
    let mut at: &dyn std::error::Error = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_command_cannot_be_run() {
        let missing = "OCI runtime create failed: runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory: unknown";
        assert!(not_runnable(missing).is_some_and(|why| why.contains("does not exist")));
        let denied = "starting container process caused: exec: \"/etc/passwd\": permission denied";
        assert!(not_runnable(denied).is_some_and(|why| why.contains("not executable")));
        assert_eq!(not_runnable("error mounting /x: no such file or directory"), None);
    }

    #[test]
    fn tells_a_full_disk_from_a_refusal_and_a_lost_line() {
        let refuse = |message: &str| {
            let answer = Answer::DockerResponseServerError { status_code: 500, message: message.to_owned() };
            Failure::new("POST /commit".to_owned(), "unix:///x".to_owned(), &answer).while_committing("prepare")
        };
        assert!(matches!(refuse("write /x: no space left on device"), Error::NoSpace { .. }));
        assert!(matches!(refuse("boom"), Error::CommitFailed { why, .. } if why == "boom"));
        let lost = Failure::new("GET /version".to_owned(), "unix:///x".to_owned(), &Answer::RequestTimeoutError).plain();
        assert!(matches!(lost, Error::ConnectionFailed { endpoint, .. } if endpoint == "unix:///x"));
    }
}
