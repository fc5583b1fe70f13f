//! What can go wrong in an engine, by whose fault it is.

use std::fmt;

use sti_core::{
    Reference,
    plan::{Run, Step, StepId},
};
use thiserror::Error;

use crate::archive;

const FREE_SPACE: &str = "free space where the engine keeps its images; `sti gc` removes what dead builds left";

/// A failure of an engine, or of a step that it ran.
#[derive(Debug, Error)]
pub enum Error {
    /// Nothing answers, or what answered is gone.
    #[error("{endpoint} does not answer: {why}")]
    ConnectionFailed {
        /// Where was asked.
        endpoint: String,
        /// What the system said.
        why: String,
    },
    /// What answers cannot do what is needed.
    #[error("{endpoint} speaks API version {found}, and {needed} is needed")]
    TooOld {
        /// Where was asked.
        endpoint: String,
        /// What it speaks.
        found: String,
        /// The oldest that would do.
        needed: String,
    },
    /// A registry refused or broke off.
    #[error("cannot pull `{image}`: {why}")]
    PullFailed {
        /// What was to be pulled.
        image: Reference,
        /// What registry or engine said.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A container could not be made or started for reasons of the engine.
    #[error("cannot create a container for `{title}`: {why}")]
    CreateContainerFailed {
        /// The title of the step, or what the container was for.
        title: String,
        /// What the engine said.
        why: String,
    },
    /// An image could not be made.
    #[error("cannot commit `{title}`: {why}")]
    CommitFailed {
        /// The title of the step.
        title: String,
        /// What the engine said.
        why: String,
    },
    /// The engine's disk is full.
    #[error("the engine has no space left: {why}")]
    NoSpace {
        /// What the engine said.
        why: String,
    },
    /// A link in the image makes a place lead elsewhere, where nobody has judged it.
    #[error("`{title}` may not put content at `{at}`: `{link}` is a link to `{target}` in its image")]
    Detour {
        /// The title of the step.
        title: String,
        /// The place as the plan names it.
        at: String,
        /// The place or a directory above it.
        link: String,
        /// Where it leads.
        target: String,
    },
    /// A script failed.
    #[error("{0}")]
    StepFailed(Box<StepFailure>),
    /// A command that cannot be run at all: missing, not executable, of a wrong format.
    #[error("cannot run `{command}` in `{title}`: {why}")]
    NotRunnable {
        /// The title of the step.
        title: String,
        /// The program.
        command: String,
        /// What the engine said, in our words.
        why: String,
    },
    /// A step needs something of an earlier one that is not there.
    #[error("`{title}` needs `{path}`, and nothing is there")]
    NotLeft {
        /// The title of the step that needs it.
        title: String,
        /// Where the earlier one should have left it.
        path: String,
    },
    /// A command left a file of labels that is none.
    #[error("`{path}`, which `{title}` left, holds no labels: {why}")]
    LabelsInvalid {
        /// The title of the step.
        title: String,
        /// Where the file is.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A command ended well, and what it printed cannot be unpacked.
    #[error("`{command}` printed no archive that can be unpacked: {why}")]
    OutputInvalid {
        /// The title of the step.
        title: String,
        /// The program.
        command: String,
        /// What is wrong with it.
        why: String,
    },
    /// The source could not be read, or changed while it was.
    #[error("{0}")]
    Source(String),
    /// The plan asks for something that this engine does not offer.
    #[error("this engine cannot do what `{title}` asks for: {what}")]
    Unsupported {
        /// The title of the step.
        title: String,
        /// What.
        what: String,
    },
    /// Anything else that the engine refused.
    #[error("the engine refused `{request}`: {why}")]
    Refused {
        /// Such as `POST /images/app/tag`.
        request: String,
        /// What the engine said.
        why: String,
    },
}

impl Error {
    /// Whether a command failed, and not the engine: what a step may tolerate.
    pub fn is_of_the_command(&self) -> bool {
        matches!(self, Self::StepFailed(_) | Self::NotRunnable { .. } | Self::OutputInvalid { .. })
    }

    /// What a step printed cannot be unpacked.
    pub fn output_invalid(step: &Step, run: &Run, why: &archive::Error) -> Self {
        let command = run.command.first().cloned().unwrap_or_default();
        Self::OutputInvalid { title: step.title.clone(), command, why: why.to_string() }
    }

    /// What the user reads where a step of this title tolerates it.
    pub fn tolerated(&self, title: &str) -> String {
        format!("the build goes on without what `{title}` should leave: {self}")
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ConnectionFailed { .. } => Some("`sti doctor` checks the engine and says how to get one".to_owned()),
            Self::TooOld { .. } => Some("update the engine".to_owned()),
            Self::PullFailed { hint, .. } => hint.clone(),
            Self::NoSpace { .. } => Some(FREE_SPACE.to_owned()),
            Self::StepFailed(failure) => match &failure.kept {
                Some(container) => {
                    Some(format!("the container was kept: docker commit {container} failed && docker rm -v {container}"))
                }
                None if failure.speaks_of_a_full_disk() => {
                    Some(format!("if the disk that it filled is the engine's, {FREE_SPACE}"))
                }
                None => Some("with `--debug` the container of the failed step is kept and named".to_owned()),
            },
            Self::Detour { .. } => Some("the plugin can choose a path that no link is on".to_owned()),
            Self::NotRunnable { .. } => {
                Some("the scripts of a builder image are executable programs for its platform".to_owned())
            }
            Self::OutputInvalid { .. } => Some(
                "the script writes a tar to its standard output and nothing else there; what it says belongs on standard error"
                    .to_owned(),
            ),
            Self::Source(_) => Some("build again when nothing writes to the source".to_owned()),
            Self::LabelsInvalid { .. } => Some(r#"the file is JSON, such as {"labels": [{"name": "value"}]}"#.to_owned()),
            Self::NotLeft { .. } => Some("check the path, and whether the script before puts anything there".to_owned()),
            Self::CreateContainerFailed { .. } | Self::CommitFailed { .. } | Self::Unsupported { .. } | Self::Refused { .. } => {
                None
            }
        }
    }
}

/// A step whose command did not exit with 0.
#[derive(Debug)]
pub struct StepFailure {
    /// Which step.
    pub step: StepId,
    /// Its title.
    pub title: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// How it ended.
    pub exit: Exit,
    /// The last lines that it printed, oldest first.
    pub last_lines: Vec<String>,
    /// The container that was kept, where that was asked for.
    pub kept: Option<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code; above 128 usually a signal.
    Code(i64),
    /// Killed because it used more memory than it may.
    OutOfMemory,
}

impl Exit {
    /// What is said of whoever ended so.
    pub fn told_of(self, who: &str) -> String {
        match self {
            Self::OutOfMemory => format!("`{who}` was killed because it ran out of memory"),
            Self::Code(code) => match code.checked_sub(128).and_then(signal_name) {
                Some(signal) => format!("`{who}` was killed by {signal} (exit code {code})"),
                None => format!("`{who}` failed with exit code {code}"),
            },
        }
    }
}

impl StepFailure {
    /// Whether the script said at its end that a disk is full. It stays the script's failure: nobody can tell from its words whose disk
    /// it means, or whether they are true.
    fn speaks_of_a_full_disk(&self) -> bool {
        self.last_lines.iter().any(|line| line.to_ascii_lowercase().contains("no space left on device"))
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.exit.told_of(self.command.first().map_or("", String::as_str)))
    }
}

fn signal_name(number: i64) -> Option<&'static str> {
    const SIGNALS: [(i64, &str); 8] = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (15, "SIGTERM"),
    ];
    SIGNALS.iter().find(|(of, _)| *of == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(last_line: &str) -> Error {
        let (title, command) = ("prepare".to_owned(), vec!["/usr/bin/prepare".to_owned()]);
        let last_lines = vec![last_line.to_owned()];
        Error::StepFailed(Box::new(StepFailure { step: StepId(0), title, command, exit: Exit::Code(99), last_lines, kept: None }))
    }

    #[test]
    fn a_script_that_met_a_full_disk_fails_itself_and_is_told_where_to_free_space() {
        let full = failed("fill /app/x 400000000: No space left on device (os error 28)");
        assert_eq!(full.to_string(), "`/usr/bin/prepare` failed with exit code 99");
        assert!(full.hint().is_some_and(|hint| hint.contains("sti gc")));
        assert!(failed("boom").hint().is_some_and(|hint| hint.contains("--debug")));
    }
}
