//! What is told while a build goes on, and the sink that it is told to.

use serde::Serialize;

use crate::plan::StepId;

/// Where the output of a script came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Shown with `--debug` only.
    Debug,
    /// Part of the ordinary story.
    Info,
    /// Something that the user should look at.
    Warning,
}

/// One thing that happened. Everything in it is plain text: control sequences are stripped where the text enters the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// Somebody says one line.
    Message {
        /// How loud.
        level: Level,
        /// Who says it: a plugin's name; absent for the host itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// One line.
        text: String,
    },
    /// Work whose end is not in sight moved on.
    Amount {
        /// What is moved, such as `source` or `pulling app:1`.
        what: String,
        /// How much is done: bytes, for transfers.
        done: u64,
        /// How much there is, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// A step of the plan begins.
    StepStarted {
        /// Which.
        step: StepId,
        /// What the user reads.
        title: String,
    },
    /// A script printed a line, or a piece of an overlong one.
    Output {
        /// The step whose script it is.
        step: StepId,
        /// Where it was printed.
        stream: Stream,
        /// Without the line's end.
        line: String,
    },
    /// A step of the plan ended well.
    StepFinished {
        /// Which.
        step: StepId,
        /// How long it took.
        milliseconds: u64,
    },
    /// Everything is tagged: the answer, told before the clean-up.
    Built {
        /// The product's name.
        tag: String,
        /// Its identity.
        image: String,
        /// From the request to the last tag.
        milliseconds: u64,
    },
    /// A product runs in a container of its own.
    RunStarted {
        /// Its name.
        image: String,
        /// The container's name.
        container: String,
        /// Where the container is reached from the engine's machine, if it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// What it says it listens at, such as `8080/tcp`.
        ports: Vec<String>,
    },
    /// A product that runs printed a line, or a piece of an overlong one.
    RunOutput {
        /// Where it was printed.
        stream: Stream,
        /// Without the line's end.
        line: String,
    },
    /// A request was sent to the engine (shown with `--debug`).
    EngineRequest {
        /// Counted from 1.
        number: u64,
        /// Such as `POST /containers/create`.
        request: String,
        /// How long the answer took.
        milliseconds: u64,
    },
}

/// Takes events. Called from several tasks at once and must not block for long.
pub trait Progress: Send + Sync {
    /// Takes one event.
    fn tell(&self, event: Event);

    /// Says one line for the host.
    fn say(&self, level: Level, text: String) {
        self.tell(Event::Message { level, from: None, text });
    }
}

/// Takes everything and shows nothing.
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _event: Event) {}
}
