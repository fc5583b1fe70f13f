//! The words of the command line on their way to clap: those of s2i are translated, and what a file of the project says is added.

use std::{env, ffi::OsString, process::ExitCode};

use clap::Parser;
use sti_core::progress::Level;

use super::{
    args::{Cli, Color, Command, Output},
    config, display, report,
    report::print_line,
    s2i,
};
use crate::StiError;

/// A command line in our words.
#[derive(Debug)]
pub(super) struct Said {
    /// With the name of the program before it.
    pub(super) words: Vec<OsString>,
    /// What the user should know of how these words came to be.
    pub(super) notes: Vec<String>,
    /// The strategy where nobody names one, instead of our own default.
    pub(super) strategy: Option<&'static str>,
}

/// Reads the command line; where there is nothing more to do than to answer, answers with the exit code.
pub(super) fn read() -> Result<Cli, ExitCode> {
    let words: Vec<OsString> = env::args_os().collect();
    let output = Output { quiet: false, json: words.iter().any(|word| word == "--json"), debug: false, color: Color::Auto };
    let refused = |error: StiError| report::error(&error, &output);
    let said = if s2i::is_called(&words) {
        match s2i::read(&words).map_err(refused)? {
            s2i::Read::Page { text, exit } => {
                print_line(text.trim_end());
                return Err(ExitCode::from(exit));
            }
            s2i::Read::Said(said) => said,
        }
    } else {
        Said { words, notes: Vec::new(), strategy: None }
    };
    let Said { words, notes, .. } = config::completed(said).map_err(refused)?;
    let cli = Cli::try_parse_from(words).map_err(|error| report::usage(&error))?;
    tell(&notes, &cli);
    Ok(cli)
}

fn tell(notes: &[String], cli: &Cli) {
    if notes.is_empty() {
        return;
    }
    // Of the other commands standard output belongs to one document.
    let has_events = matches!(cli.command, Command::Build(_));
    let progress = display::of(&Output { json: cli.output.json && has_events, ..cli.output.clone() });
    for note in notes {
        progress.say(Level::Info, note.clone());
    }
}
