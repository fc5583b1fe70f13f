//! The help pages of s2i, made of the table.

use super::{
    flags::{FLAGS, Flag, Takes},
    line::{COMMANDS, Command},
};

/// The page of a command, or the one that lists them.
pub(super) fn of(command: Option<&Command>) -> String {
    match command {
        Some(command) => page(command),
        None => front(),
    }
}

fn front() -> String {
    let commands = COMMANDS.iter().map(call).collect::<Vec<_>>().join("\n  ");
    format!(
        "The command line of source-to-image, as sti {} understands it.\n\nCommands:\n  {commands}\n\n\
         `s2i COMMAND --help` lists the flags of a command; docs/from-s2i.md says what differs, and why.\n\
         Called as `sti`, the program has more to offer: `sti --help`.\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn page(command: &Command) -> String {
    let flags: Vec<String> = FLAGS.iter().filter(|flag| flag.of.contains(&command.name)).map(entry).collect();
    let (call, name, flags) = (call(command), command.name, flags.concat());
    format!(
        "Usage: {call}\n\nFlags of s2i, and what becomes of them:\n{flags}\nThe long flags of `sti {name}` are understood, too: `sti {name} --help`.\n"
    )
}

fn call(command: &Command) -> String {
    let words = if command.words.is_empty() { String::new() } else { format!(" {}", command.words) };
    format!("s2i {}{words} [flags]", command.name)
}

fn entry(flag: &Flag) -> String {
    let short = flag.short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let value = if flag.takes == Takes::Value { " VALUE" } else { "" };
    format!("  {short}--{}{value}\n          {}\n", flag.long, flag.outcome())
}
