//! Settings of a project: what `sti.toml` of the current directory says, or else `.s2ifile`, joins the words of `sti build` and `sti plan`.
//!
//! A file says nothing that the command line could not say, and the command line is stronger. It is read where `--use-config` asks for
//! it, or where source, builder image and tag are all left out; it is never written.

mod file;
mod settings;

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command, CommandFactory, parser::ValueSource};

use self::{file::File, settings::Setting};
use super::{args::Cli, known, s2i, said::Said};
use crate::StiError;

/// The commands that take what a file says, and the words that may be left out then.
const COMMANDS: [&str; 2] = ["build", "plan"];
const WORDS: [&str; 3] = ["source", "builder_image", "tag"];

/// What belongs to the files, and to words that were said in another way.
#[derive(Debug, Default, Args)]
pub(crate) struct Configured {
    /// Take what is not said here from `sti.toml` of this directory, or else from `.s2ifile`
    ///
    /// SOURCE, `BUILDER_IMAGE` and TAG may then be left out. Where all three are, the file is read without being asked for. Nothing is written.
    #[arg(long)]
    pub(crate) use_config: bool,
    /// A variable with all that stands behind `=` as its value, commas too
    #[arg(long, value_name = "NAME=VALUE", hide = true)]
    pub(crate) env_whole: Vec<String>,
}

/// What a file says.
#[derive(Debug)]
struct Settings {
    /// Its name.
    file: &'static str,
    /// Source, builder image, tag.
    words: [Option<OsString>; 3],
    flags: Vec<Setting>,
    notes: Vec<String>,
    /// The strategy where neither it nor the command line names one.
    strategy: Option<&'static str>,
}

/// The command line with what a file says, where one is to be read.
pub(super) fn completed(said: Said) -> Result<Said, StiError> {
    // What makes no sense as it stands is told when it is read for good.
    let Some((name, matches)) = parsed(&said.words) else { return Ok(said) };
    let Some(command) = known::command(name) else { return Ok(said) };
    let given = Given { command, matches };
    let mut said = said;
    let settings = match wanted(&given)? {
        Some(file) => settings(file)?,
        None if given.is_given("use_config") => {
            said.notes.push(format!("there is no `{}` here; `--use-config` reads one and writes none", file::OURS));
            Settings::none()
        }
        None => Settings::none(),
    };
    let missing: Vec<(&str, OsString)> = WORDS
        .into_iter()
        .zip(settings.words)
        .filter(|(id, _)| !given.is_given(id))
        .filter_map(|(id, word)| Some((id, word?)))
        .collect();
    let mut flags: Vec<Setting> = settings.flags.into_iter().filter(|setting| given.leaves_room_for(setting)).collect();
    said.notes.extend(settings.notes);
    said.notes.extend(told(settings.file, &missing, &flags));
    let is_named = given.is_given("strategy") || flags.iter().any(|setting| setting.id == "strategy");
    let strategy = said.strategy.or(settings.strategy).filter(|_| !is_named);
    flags.extend(strategy.map(|strategy| Setting::new(&given.command, "strategy", Some(strategy.into()))));
    said.words = joined(said.words, name, flags, missing);
    Ok(said)
}

impl Settings {
    fn none() -> Self {
        Self { file: "", words: [None, None, None], flags: Vec::new(), notes: Vec::new(), strategy: None }
    }
}

/// What the command line says.
struct Given {
    command: Command,
    matches: ArgMatches,
}

impl Given {
    fn is_given(&self, id: &str) -> bool {
        self.matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// What the command line says wins, over the same flag and over one that cannot stand beside it.
    fn leaves_room_for(&self, setting: &Setting) -> bool {
        // `sti plan` has not all the flags of `sti build`.
        let Some(arg) = self.command.get_arguments().find(|arg| arg.get_id() == setting.id.as_str()) else { return false };
        let excludes = |one: &clap::Arg, other: &clap::Arg| {
            self.command.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other.get_id())
        };
        let mut given = self.command.get_arguments().filter(|other| self.is_given(other.get_id().as_str()));
        !given.any(|other| !setting.merges && other.get_id() == arg.get_id() || excludes(arg, other) || excludes(other, arg))
    }
}

/// The words as clap reads them where none of the three has to be there: our command and what it was given.
fn parsed(words: &[OsString]) -> Option<(&'static str, ArgMatches)> {
    let lenient =
        |command: Command| WORDS.into_iter().fold(command, |command, id| command.mut_arg(id, |arg| arg.required(false)));
    let cli = COMMANDS.into_iter().fold(Cli::command(), |cli, name| cli.mut_subcommand(name, lenient));
    let mut matches = cli.try_get_matches_from(words).ok()?;
    let (name, matches) = matches.remove_subcommand()?;
    Some((COMMANDS.into_iter().find(|command| *command == name)?, matches))
}

/// The file that is to be read, if any.
fn wanted(given: &Given) -> Result<Option<File>, StiError> {
    let words = WORDS.into_iter().filter(|id| given.is_given(id)).count();
    let is_asked_for = given.is_given("use_config");
    if !is_asked_for && words > 0 {
        return Ok(None);
    }
    match File::find()? {
        None if is_asked_for && words < WORDS.len() => Err(StiError::InvalidArgument {
            what: format!("there is neither `{}` nor `{}` in this directory", file::OURS, file::THEIRS),
            hint: Some(format!("write `{}`:\nsource = \".\"\nbuilder-image = \"BUILDER_IMAGE\"\ntag = \"TAG\"", file::OURS)),
        }),
        found => Ok(found),
    }
}

/// What a file says, by the flags of a build.
fn settings(file: File) -> Result<Settings, StiError> {
    let command = known::command(COMMANDS[0]).ok_or_else(|| StiError::Ours("there is no command to build with".to_owned()))?;
    match file {
        File::Ours(text) => settings::read(&text, &command),
        File::Theirs { name, text } => {
            let s2i::Stored { words, flags, notes } = s2i::stored(name, &text)?;
            let setting = |(long, value): (String, Option<OsString>)| Setting::new(&command, &long, value);
            let flags = flags.into_iter().map(setting).collect();
            Ok(Settings { file: name, words, flags, notes, strategy: Some(s2i::STRATEGY) })
        }
    }
}

/// Names what was taken from the file, and no values: a variable may be a secret.
fn told(file: &str, words: &[(&str, OsString)], flags: &[Setting]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for id in words.iter().map(|(id, _)| *id).chain(flags.iter().map(|setting| setting.id.as_str())) {
        let name = if id == "env_whole" { "env".to_owned() } else { id.replace('_', "-") };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names = if names.is_empty() { "nothing that was not said".to_owned() } else { names.join(", ") };
    (!file.is_empty()).then(|| format!("settings of `{file}`: {names}"))
}

/// Flags go behind the command, before those of the user: of variables and labels the last one counts. The words go to the end.
fn joined(words: Vec<OsString>, name: &str, flags: Vec<Setting>, missing: Vec<(&str, OsString)>) -> Vec<OsString> {
    let behind = words.iter().position(|word| word == name).map_or(words.len(), |position| position + 1);
    let mut joined = words;
    joined.splice(behind..behind, flags.into_iter().map(|setting| setting.word));
    if !missing.is_empty() && !joined.iter().any(|word| word == "--") {
        joined.push("--".into());
    }
    joined.extend(missing.into_iter().map(|(_, word)| word));
    joined
}
