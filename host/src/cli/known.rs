//! What our own command line knows, asked of its definition: other ways to say the same are held against it, and follow it by themselves.

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::args::Cli;

/// One of our commands with its flags, those of every command among them; `None` where there is no such command.
pub(super) fn command(name: &str) -> Option<Command> {
    let mut cli = Cli::command();
    cli.build();
    cli.find_subcommand(name).cloned()
}

/// A flag by its long name or another name of it.
pub(super) fn flag<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    let is_it = |arg: &&Arg| arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long));
    command.get_arguments().find(is_it)
}

/// Whether the word behind a flag is its value.
pub(super) fn takes_a_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// Whether a flag may be given several times.
pub(super) fn is_repeatable(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(names: impl IntoIterator<Item = &'a str>, given: &str) -> Option<&'a str> {
    let scored = names.into_iter().map(|name| (strsim::damerau_levenshtein(name, given), name));
    scored.filter(|(distance, _)| *distance <= given.len().div_ceil(3)).min().map(|(_, name)| name)
}
