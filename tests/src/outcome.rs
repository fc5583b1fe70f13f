//! What one call of `sti` came to.

use std::{process::ExitStatus, time::Duration};

use serde_json::Value;

/// What one call of `sti` came to. The assertions print all of it when they fail.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub command: String,
    /// How the process ended.
    pub status: ExitStatus,
    /// What it printed to standard output.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
    /// How long it took.
    pub time: Duration,
}

impl Outcome {
    /// Fails the test unless the exit code was 0.
    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        self.assert_exit(0)
    }

    /// Fails the test unless this was the exit code.
    #[track_caller]
    pub fn assert_exit(&self, code: i32) -> &Self {
        assert!(self.status.code() == Some(code), "expected exit code {code}\n{self}");
        self
    }

    /// Fails the test unless standard output or standard error holds the text.
    #[track_caller]
    pub fn assert_says(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "expected to read {text:?}\n{self}");
        self
    }

    /// Fails the test if standard output or standard error holds the text.
    #[track_caller]
    pub fn assert_silent_about(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "expected not to read {text:?}\n{self}");
        self
    }

    /// Fails the test unless this is the exit code and, among the events of `--json`, the named condition.
    #[track_caller]
    pub fn assert_condition(&self, code: i32, condition: &str) -> &Self {
        self.assert_exit(code);
        let named = self.events().iter().any(|event| holds(event, condition));
        assert!(named, "expected the condition `{condition}`\n{self}");
        self
    }

    /// Fails the test unless, of a call with `--json`, this was the exit code and this the condition, and unless message, reasons and hint
    /// together hold each of these texts.
    #[track_caller]
    pub fn assert_error(&self, code: i32, condition: &str, texts: &[&str]) -> &Self {
        self.assert_exit(code);
        let error = self.error();
        assert!(error["condition"] == condition && error["exit"] == code, "expected `{condition}` and exit code {code}\n{self}");
        let told = format!("{}\n{}\n{}", error["message"], error["because"], error["hint"]);
        for text in texts {
            // As JSON writes it, because that is what is looked at.
            let written = Value::from(*text).to_string();
            assert!(told.contains(written.trim_matches('"')), "expected to read {text:?} in the error\n{self}");
        }
        self
    }

    /// The event that tells why a call with `--json` failed.
    #[track_caller]
    pub fn error(&self) -> Value {
        let found = self.events().into_iter().rfind(|event| event["event"] == "error");
        found.unwrap_or_else(|| panic!("expected an error among the events\n{self}"))
    }

    /// Fails the test if, of a call with `--json --debug`, a request to the engine holds this text.
    #[track_caller]
    pub fn assert_no_request(&self, text: &str) -> &Self {
        let asked = self.events().iter().any(|event| event["request"].as_str().is_some_and(|request| request.contains(text)));
        assert!(!asked, "expected no request with {text:?}\n{self}");
        self
    }

    /// The events of `--json`, one a line of standard output.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON in {line:?}: {error}\n{self}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// Whether a value is, or has anywhere in it, exactly this string.
fn holds(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(values) => values.iter().any(|value| holds(value, wanted)),
        Value::Object(fields) => fields.values().any(|value| holds(value, wanted)),
        _ => false,
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr, time } = self;
        write!(formatter, "$ {command}\n{status} after {time:.1?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
