//! What the user says when a product is to be built again.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, FromArgMatches, error::ErrorKind, parser::ValueSource};

use super::trust::Trust;
use crate::cli::args::{BuildCommand, Cli, Color, Command, Output, RebuildCommand};

const TRUST: &str = "--trust-labels";
const SOURCE: &str = "--source";

/// What stands for the words that only labels know.
const UNKNOWN: [&str; 4] = ["--", "source", "builder", "tag"];

/// What the user says, whatever the labels do.
pub(super) struct Asked {
    /// Whose labels are read.
    pub(super) image: String,
    /// What the new product is called.
    pub(super) tag: String,
    /// The source, where the user names it.
    pub(super) source: Option<OsString>,
    /// Whether what the labels say is as good as said by the user.
    pub(super) trust: Trust,
    /// The flags of `sti build`, as they were written.
    pub(super) flags: Vec<OsString>,
    /// The same as they were understood; the names in it mean nothing.
    pub(super) command: BuildCommand,
    /// How it is told.
    pub(super) output: Output,
    matches: ArgMatches,
}

impl Asked {
    pub(super) fn read(command: RebuildCommand, outer: &Output) -> Result<Self, clap::Error> {
        let RebuildCommand { image, mut trust_labels, mut source, words } = command;
        let (mut words, mut flags) = (words.into_iter().peekable(), Vec::new());
        let tag = words.next_if(|word| !word.as_encoded_bytes().starts_with(b"-"));
        let tag = tag.map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            match word.to_str() {
                Some(TRUST) => trust_labels = true,
                Some(SOURCE) => source = Some(words.next().ok_or_else(missing_source)?),
                Some(text) if text.starts_with("--source=") => source = Some(text["--source=".len()..].into()),
                _ => flags.push(word),
            }
        }
        let line = ["sti", "build"].into_iter().map(OsString::from).chain(flags.iter().cloned());
        let (command, inner, matches) = parse(line.chain(UNKNOWN.map(OsString::from)).collect())?;
        let output = Output {
            quiet: outer.quiet || inner.quiet,
            json: outer.json || inner.json,
            debug: outer.debug || inner.debug,
            color: if inner.color == Color::Auto { outer.color } else { inner.color },
        };
        let trust = if trust_labels { Trust::Labels } else { Trust::User };
        Ok(Self { tag: tag.unwrap_or_else(|| image.clone()), image, source, trust, flags, command, output, matches })
    }

    /// Whether the user gave a flag of `sti build`, by the name of its field.
    pub(super) fn gives(&self, flag: &str) -> bool {
        let build = self.matches.subcommand_matches("build");
        build.is_some_and(|build| build.value_source(flag) == Some(ValueSource::CommandLine))
    }
}

/// Reads a command line of `sti build`.
pub(super) fn parse(words: Vec<OsString>) -> Result<(BuildCommand, Output, ArgMatches), clap::Error> {
    let matches = Cli::command().try_get_matches_from(words)?;
    let Cli { command, output } = Cli::from_arg_matches(&matches)?;
    match command {
        Command::Build(command) => Ok((*command, output, matches)),
        _ => Err(Cli::command().error(ErrorKind::InvalidSubcommand, "this is no call of `sti build`")),
    }
}

fn missing_source() -> clap::Error {
    Cli::command().error(ErrorKind::InvalidValue, format!("a value is required for '{SOURCE} <SOURCE>' but none was supplied"))
}
