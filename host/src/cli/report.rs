//! Errors as people and machines read them, and their exit codes. Nobody else prints an error.

use std::{io::Write, process::ExitCode};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::{
    args::Output,
    surroundings::has_colours,
    text::{plain, plain_lines},
};
use crate::{Condition, StiError};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const REASON: Style = Style::new().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints what happened, why, and what to do next.
pub(super) fn error(error: &StiError, output: &Output) -> ExitCode {
    let condition = error.condition();
    if output.json {
        print_json(&as_json(error, condition));
    } else {
        let colours = has_colours(output.color);
        let _closed = std::io::stderr().lock().write_all(as_text(error, colours).as_bytes());
    }
    ExitCode::from(condition.exit)
}

/// Prints what clap has to say: a help page, or why the command line makes no sense.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        print_json(&json!({"event": "error", "condition": "invalid-argument", "exit": 2, "message": message}));
        return ExitCode::from(2);
    }
    let _closed = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Lines on standard output; a reader that went away is no failure of ours.
pub(super) fn print_line(line: &str) {
    let _closed = writeln!(std::io::stdout().lock(), "{}", plain_lines(line));
}

/// A document for machines on standard output, its strings as they are.
pub(super) fn print_json(json: &impl std::fmt::Display) {
    let _closed = writeln!(std::io::stdout().lock(), "{json}");
}

fn as_json(error: &StiError, condition: Condition) -> Value {
    let mut event = json!({
        "event": "error",
        "condition": condition.name,
        "exit": condition.exit,
        "message": error.to_string(),
    });
    if !error.because().is_empty() {
        event["because"] = json!(error.because());
    }
    if let Some(hint) = error.hint() {
        event["hint"] = json!(hint);
    }
    match error {
        StiError::Engine(sti_engine::Error::StepFailed(failure)) => {
            event["step"] = json!(failure.step);
            event["command"] = json!(failure.command);
            event["last_lines"] = json!(failure.last_lines);
            event["script_exit"] = json!(exit_code(failure.exit));
        }
        StiError::RunFailed { exit, last_lines, .. } => {
            event["last_lines"] = json!(last_lines);
            event["script_exit"] = json!(exit.map(exit_code));
        }
        StiError::ValidationFailed { verdicts } => event["images"] = json!(verdicts),
        StiError::Plugin(sti_sandbox::Error::Problem { problem, .. }) => event["code"] = json!(problem.code),
        _ => {}
    }
    event
}

fn exit_code(exit: sti_engine::Exit) -> i64 {
    match exit {
        sti_engine::Exit::Code(code) => code,
        sti_engine::Exit::OutOfMemory => 137,
    }
}

fn as_text(error: &StiError, colours: bool) -> String {
    let mut lines = vec![format!("{} {}", painted("error:", ERROR, colours), plain(&error.to_string()))];
    let reason = |reason: String| format!("  {} {}", painted("because:", REASON, colours), plain(&reason));
    lines.extend(error.because().into_iter().map(reason));
    lines.extend(last_lines(error).iter().map(|line| format!("  | {}", plain(line))));
    // What has several lines is there to be pasted.
    let hint = |hint: String| format!("  {} {}", painted("hint:", HINT, colours), plain_lines(&hint).replace('\n', "\n        "));
    lines.extend(error.hint().map(hint));
    lines.join("\n") + "\n"
}

fn last_lines(error: &StiError) -> &[String] {
    match error {
        StiError::Engine(sti_engine::Error::StepFailed(failure)) => &failure.last_lines,
        StiError::RunFailed { last_lines, .. } => last_lines,
        _ => &[],
    }
}

fn painted(word: &str, style: Style, colours: bool) -> String {
    if colours { format!("{style}{word}{style:#}") } else { word.to_owned() }
}
