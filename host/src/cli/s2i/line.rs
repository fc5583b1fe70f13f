//! Reads words by the rules of s2i's command line: flags and words in any order, `--flag=value`, `-fvalue`, letters together.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
};

use super::{
    super::known,
    flags::{self, FLAGS, Flag, Takes},
};
use crate::StiError;

/// A command of s2i: its words, how many of them there may be, and how they are shown.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
}

pub(super) const COMMANDS: &[Command] = &[
    Command { name: "build", words: "<source> <image> [<tag>]", least: 2, most: 3 },
    Command { name: "rebuild", words: "<image> [<new-tag>]", least: 1, most: 2 },
    Command { name: "usage", words: "<image>", least: 1, most: 1 },
    Command { name: "create", words: "<imageName> <destination>", least: 2, most: 2 },
    Command { name: "version", words: "", least: 0, most: 0 },
];

/// Commands of s2i that are left out, and what to do instead.
const LEFT_OUT: &[(&str, &str)] = &[
    ("generate", "s2i build <source> <image> --as-dockerfile PATH writes a Dockerfile for one application"),
    ("completion", "leave it out: there are no completions"),
];

/// What is asked for.
#[derive(Debug)]
pub(super) enum Read {
    /// The page of a command, or of all.
    Help(Option<&'static Command>),
    /// No command is named.
    Nothing,
    Line(Line),
}

/// A command of s2i with its words and flags.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) command: &'static Command,
    pub(super) words: Vec<OsString>,
    pub(super) given: Vec<Given>,
}

/// A flag that was given.
#[derive(Debug)]
pub(super) enum Given {
    /// One of s2i's; without a value it is one that takes none, and is on.
    Theirs(&'static Flag, Option<OsString>),
    /// One that only we have, by its long name.
    Ours(String, Option<OsString>),
}

impl Line {
    /// The value that one of s2i's flags was given last.
    pub(super) fn value(&self, long: &str) -> Option<&OsStr> {
        self.given.iter().rev().find_map(|given| match given {
            Given::Theirs(flag, value) if flag.long == long => value.as_deref(),
            _ => None,
        })
    }

    /// Whether one of s2i's flags is on that take no value.
    pub(super) fn is_on(&self, long: &str) -> bool {
        self.given.iter().any(|given| matches!(given, Given::Theirs(flag, None) if flag.long == long))
    }
}

pub(super) fn read(words: &[OsString]) -> Result<Read, StiError> {
    let mut reader = Reader { rest: words.iter().cloned().collect(), words: Vec::new(), given: Vec::new(), asks_for_help: false };
    reader.read()?;
    let Reader { words, given, asks_for_help, .. } = reader;
    let mut words = words.into_iter();
    let named = words.next();
    let (named, asks_for_help) =
        if named.as_deref() == Some(OsStr::new("help")) { (words.next(), true) } else { (named, asks_for_help) };
    let Some(named) = named else { return Ok(if asks_for_help { Read::Help(None) } else { Read::Nothing }) };
    let command = command(&named.to_string_lossy())?;
    if asks_for_help {
        return Ok(Read::Help(Some(command)));
    }
    Ok(Read::Line(Line { command, words: words.collect(), given }))
}

pub(super) fn command(name: &str) -> Result<&'static Command, StiError> {
    if let Some(command) = COMMANDS.iter().find(|command| command.name == name) {
        return Ok(command);
    }
    let left_out = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name).map(|(_, hint)| (*hint).to_owned());
    let nearest = || known::nearest(COMMANDS.iter().map(|command| command.name), name).map(|name| format!("s2i {name}"));
    let ours = || known::command(name).map(|_| format!("sti {name}"));
    Err(StiError::InvalidArgument {
        what: format!("`s2i {}` is no command of s2i that is understood", name.escape_debug()),
        hint: left_out.or_else(ours).or_else(nearest).or_else(|| Some("s2i --help".to_owned())),
    })
}

struct Reader {
    rest: VecDeque<OsString>,
    words: Vec<OsString>,
    given: Vec<Given>,
    asks_for_help: bool,
}

impl Reader {
    fn read(&mut self) -> Result<(), StiError> {
        while let Some(word) = self.rest.pop_front() {
            // What is no text can only be a path.
            match word.to_str() {
                Some("--") => self.words.extend(self.rest.drain(..)),
                Some("--help" | "-h") => self.asks_for_help = true,
                Some(text) if text.starts_with("--") => self.long(&text[2..])?,
                Some(text) if text.starts_with('-') && text.len() > 1 => self.letters(&text[1..])?,
                _ => self.words.push(word),
            }
        }
        Ok(())
    }

    fn long(&mut self, text: &str) -> Result<(), StiError> {
        let (long, value) = text.split_once('=').map_or((text, None), |(long, value)| (long, Some(OsString::from(value))));
        match flags::by_long(long) {
            Some(flag) => self.theirs(flag, value),
            None => self.ours(long, value),
        }
    }

    /// A flag that s2i does not have, and we do.
    fn ours(&mut self, long: &str, value: Option<OsString>) -> Result<(), StiError> {
        let commands = COMMANDS.iter().filter_map(|command| known::command(command.name));
        let takes_a_word = commands.into_iter().find_map(|command| known::flag(&command, long).map(known::takes_a_word));
        let value = match takes_a_word {
            None => return Err(unknown(long)),
            Some(true) if value.is_none() => Some(self.word_behind(long)?),
            Some(_) => value,
        };
        self.given.push(Given::Ours(long.to_owned(), value));
        Ok(())
    }

    fn letters(&mut self, letters: &str) -> Result<(), StiError> {
        let mut characters = letters.chars();
        while let Some(letter) = characters.next() {
            let flag = flags::by_short(letter).ok_or_else(|| StiError::InvalidArgument {
                what: format!("s2i has no flag `-{}`", letter.escape_debug()),
                hint: Some("s2i --help".to_owned()),
            })?;
            let rest = characters.as_str();
            if let Some(value) =
                rest.strip_prefix('=').or(Some(rest).filter(|rest| flag.takes == Takes::Value && !rest.is_empty()))
            {
                return self.theirs(flag, Some(value.into()));
            }
            self.theirs(flag, None)?;
        }
        Ok(())
    }

    fn theirs(&mut self, flag: &'static Flag, value: Option<OsString>) -> Result<(), StiError> {
        let value = match (flag.takes, value) {
            (Takes::Value, Some(value)) => Some(value),
            (Takes::Value, None) => Some(self.word_behind(flag.long)?),
            (Takes::Nothing, None) => None,
            (Takes::Nothing, Some(said)) if is_true(flag, &said)? => None,
            (Takes::Nothing, Some(_)) => {
                // It was perhaps on before.
                self.given.retain(|given| !matches!(given, Given::Theirs(other, _) if other.long == flag.long));
                return Ok(());
            }
        };
        self.given.push(Given::Theirs(flag, value));
        Ok(())
    }

    fn word_behind(&mut self, long: &str) -> Result<OsString, StiError> {
        self.rest.pop_front().ok_or_else(|| StiError::InvalidArgument {
            what: format!("`--{long}` is the last word, and needs a value"),
            hint: Some(format!("--{long} VALUE")),
        })
    }
}

/// As Go reads truth, which s2i is written in.
pub(super) fn is_true(flag: &Flag, said: &OsStr) -> Result<bool, StiError> {
    match said.to_str() {
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        _ => Err(StiError::InvalidArgument {
            what: format!("`--{}={}` is neither true nor false", flag.long, said.display().to_string().escape_debug()),
            hint: Some(format!("--{} or --{0}=false", flag.long)),
        }),
    }
}

pub(super) fn unknown(long: &str) -> StiError {
    let nearest = known::nearest(FLAGS.iter().map(|flag| flag.long), long);
    StiError::InvalidArgument {
        what: format!("neither s2i nor sti has a flag `--{}`", long.escape_debug()),
        hint: Some(nearest.map_or_else(|| "s2i --help".to_owned(), |nearest| format!("--{nearest}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, command: &str, words: &[&str], given: &[(&str, Option<&str>)]) {
        let line_words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let Read::Line(read) = read(&line_words).expect(line) else { panic!("{line}") };
        let found: Vec<_> = read
            .given
            .iter()
            .map(|given| match given {
                Given::Theirs(flag, value) => (flag.long, value.as_deref().and_then(OsStr::to_str)),
                Given::Ours(long, value) => (long.as_str(), value.as_deref().and_then(OsStr::to_str)),
            })
            .collect();
        assert_eq!((read.command.name, found.as_slice()), (command, given), "{line}");
        assert_eq!(read.words, words, "{line}");
    }

    fn check_refused(line: &str, hint: &str) {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        assert_eq!(read(&words).expect_err(line).hint().as_deref(), Some(hint), "{line}");
    }

    #[test]
    fn flags_and_words_come_in_any_order() {
        check("build . img app", "build", &[".", "img", "app"], &[]);
        check(
            "--loglevel 5 build -e A=1 . --rm img",
            "build",
            &[".", "img"],
            &[("loglevel", Some("5")), ("env", Some("A=1")), ("rm", None)],
        );
        check(
            "build -qeA=1 -p=never . img -- -app",
            "build",
            &[".", "img", "-app"],
            &[("quiet", None), ("env", Some("A=1")), ("pull-policy", Some("never"))],
        );
        check(
            "build --ref= --incremental=true --copy=F . img",
            "build",
            &[".", "img"],
            &[("ref", Some("")), ("incremental", None)],
        );
        check("build --rm --rm=false . img", "build", &[".", "img"], &[]);
        check("rebuild -U unix:///x app", "rebuild", &["app"], &[("url", Some("unix:///x"))]);
    }

    #[test]
    fn flags_that_only_we_have_are_understood() {
        check(
            "build . img app --json --strategy commit --label=a=b",
            "build",
            &[".", "img", "app"],
            &[("json", None), ("strategy", Some("commit")), ("label", Some("a=b"))],
        );
    }

    #[test]
    fn what_is_mistyped_is_refused_with_what_was_meant() {
        check_refused("biuld . img", "s2i build");
        check_refused("plan . img", "sti plan");
        check_refused("build . img --pull-polcy never", "--pull-policy");
        check_refused("build . img -x", "s2i --help");
        check_refused("build . img --ref", "--ref VALUE");
        check_refused("build . img --rm=maybe", "--rm or --rm=false");
        check_refused("completion bash", "leave it out: there are no completions");
    }
}
