//! Says a command line of s2i in our words.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use clap::Command;

use super::{
    super::{known, said::Said},
    STRATEGY,
    flags::{Becomes, Flag, Ours},
    line::{Given, Line},
};
use crate::StiError;

/// The same in our words.
pub(super) fn said(line: &Line) -> Result<Said, StiError> {
    let name = line.command.name;
    let Flags { flags, mut notes } = flags(line)?;
    let words = words(line, &mut notes)?;
    let flags = flags.into_iter().map(|(long, value)| written(&long, value));
    let begin = ["sti", name].map(OsString::from);
    let words = begin.into_iter().chain(flags).chain(["--".into()]).chain(words).collect();
    Ok(Said { words, notes, strategy: (name == "build").then_some(STRATEGY) })
}

/// Flags in our words, by their long names.
pub(super) struct Flags {
    pub(super) flags: Vec<(String, Option<OsString>)>,
    pub(super) notes: Vec<String>,
}

/// The flags of a line in our words.
pub(super) fn flags(line: &Line) -> Result<Flags, StiError> {
    let name = line.command.name;
    let command = known::command(name).ok_or_else(|| StiError::InvalidArgument {
        what: format!("this version of sti has no command `{name}`"),
        hint: Some("docs/from-s2i.md lists what is not there yet".to_owned()),
    })?;
    let mut translation = Translation { command, flags: Vec::new(), notes: Vec::new() };
    one_pull(line)?;
    for given in &line.given {
        translation.translate(line, given)?;
    }
    Ok(Flags { flags: translation.flags, notes: translation.notes })
}

struct Translation {
    /// Our command, by its definition.
    command: Command,
    flags: Vec<(String, Option<OsString>)>,
    notes: Vec<String>,
}

impl Translation {
    fn translate(&mut self, line: &Line, given: &Given) -> Result<(), StiError> {
        let (flag, value) = match given {
            Given::Ours(long, value) => return self.push(long, long, value.clone()),
            Given::Theirs(flag, value) => (*flag, value),
        };
        if !flag.of.contains(&line.command.name) {
            return Err(StiError::InvalidArgument {
                what: format!("`s2i {}` has no flag `--{}`", line.command.name, flag.long),
                hint: Some(format!("s2i {} --help", line.command.name)),
            });
        }
        match &flag.becomes {
            // For s2i a flag with an empty value is one that was not given.
            Becomes::Flag(_) if value.as_ref().is_some_and(|value| value.is_empty()) => Ok(()),
            Becomes::Flag(ours) => self.push(flag.long, ours, value.clone()),
            Becomes::NotNeeded(why) => {
                self.not_needed(flag, why);
                Ok(())
            }
            Becomes::Refused { why, hint } => Err(StiError::InvalidArgument {
                what: format!("`--{}` of s2i is left out: {why}", flag.long),
                hint: Some((*hint).to_owned()),
            }),
            Becomes::Translated(_, translate) => match translate(text(flag, value.as_deref())?)? {
                Ours::Flag(ours, values) => {
                    values.into_iter().try_for_each(|value| self.push(flag.long, ours, Some(value.into())))
                }
                Ours::NotNeeded(why) => {
                    self.not_needed(flag, why);
                    Ok(())
                }
                Ours::Nothing => Ok(()),
            },
        }
    }

    /// Adds a flag of ours. Of one that can be given once the last counts, as it does for s2i.
    fn push(&mut self, theirs: &str, ours: &str, value: Option<OsString>) -> Result<(), StiError> {
        let Some(arg) = known::flag(&self.command, ours) else {
            return Err(StiError::InvalidArgument {
                what: format!("`--{theirs}` is not understood yet: `sti {}` has no `--{ours}`", self.command.get_name()),
                hint: Some("leave it out; docs/from-s2i.md lists what is not there yet".to_owned()),
            });
        };
        if !known::is_repeatable(arg) {
            self.flags.retain(|(long, _)| long != ours);
        }
        self.flags.push((ours.to_owned(), value));
        Ok(())
    }

    fn not_needed(&mut self, flag: &Flag, why: &str) {
        let note = format!("`--{}` of s2i is not needed: {why}", flag.long);
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn text<'a>(flag: &Flag, value: Option<&'a OsStr>) -> Result<&'a str, StiError> {
    value
        .unwrap_or_default()
        .to_str()
        .ok_or_else(|| StiError::InvalidArgument { what: format!("the value of `--{}` is no text", flag.long), hint: None })
}

fn written(long: &str, value: Option<OsString>) -> OsString {
    let mut word = OsString::from(format!("--{long}"));
    if let Some(value) = value {
        word.push("=");
        word.push(value);
    }
    word
}

/// Both images are pulled by one rule: two different ones cannot be said.
fn one_pull(line: &Line) -> Result<(), StiError> {
    match (line.value("pull-policy"), line.value("runtime-pull-policy")) {
        (Some(builder), Some(runtime)) if builder != runtime => Err(StiError::InvalidArgument {
            what: "`--pull-policy` and `--runtime-pull-policy` differ, and one rule counts for both images".to_owned(),
            hint: Some("give only one of them; `docker pull` brings an image before".to_owned()),
        }),
        _ => Ok(()),
    }
}

/// The words behind the flags, as many as there should be.
fn words(line: &Line, notes: &mut Vec<String>) -> Result<Vec<OsString>, StiError> {
    let command = line.command;
    let mut words = line.words.clone();
    let has_file = line.is_on("use-config");
    if words.len() > command.most || words.len() < command.least && !has_file {
        return Err(StiError::InvalidArgument {
            what: format!("`s2i {}` takes {}, and here are {} words", command.name, takes(command.words), words.len()),
            hint: Some(format!("s2i {} {}", command.name, command.words)),
        });
    }
    if command.name != "build" || words.is_empty() {
        return Ok(words);
    }
    if words.len() == 2 && !has_file {
        words.push(tag(line, &words)?);
    }
    if let Some(source) = source(line, &words[0]) {
        notes.push(format!("the source is taken as `{}`", source.display()));
        words[0] = source;
    }
    Ok(words)
}

fn takes(words: &str) -> String {
    if words.is_empty() { "no words".to_owned() } else { format!("`{words}`") }
}

/// s2i builds without a tag an image that only its digest names. We tag what comes out: only where nothing does is a name made up.
fn tag(line: &Line, words: &[OsString]) -> Result<OsString, StiError> {
    if line.value("as-dockerfile").is_some() {
        return Ok(name_of(&words[0]).into());
    }
    let shown = |word: &OsString| word.display().to_string();
    Err(StiError::InvalidArgument {
        what: "the product needs a name: an image without a tag is lost among others".to_owned(),
        hint: Some(format!("s2i build {} {} TAG", shown(&words[0]), shown(&words[1]))),
    })
}

/// A name for an image, of the last piece of a source.
fn name_of(source: &OsStr) -> String {
    let source = source.to_string_lossy();
    let path = source.split('#').next().unwrap_or_default().trim_end_matches('/').trim_end_matches(".git");
    let last = path.rsplit(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let name: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    if name.is_empty() { "app".to_owned() } else { name }
}

/// A source that means something else to us: what is committed in a directory where a revision is named, and a directory that was
/// written as an address but is no repository, or is to be copied.
pub(super) fn source(line: &Line, word: &OsStr) -> Option<OsString> {
    let is_repository = |path: &Path| path.join(".git").exists();
    let path = Path::new(word);
    let has_reference = line.value("ref").is_some_and(|reference| !reference.is_empty());
    if has_reference && path.is_dir() && is_repository(path) {
        let mut source = OsString::from("git:");
        source.push(word);
        return Some(source);
    }
    let path = Path::new(word.to_str()?.strip_prefix("file://")?);
    let is_bare = path.join("HEAD").is_file() && path.join("objects").is_dir();
    (!has_reference && path.exists() && (line.is_on("copy") || !is_repository(path) && !is_bare)).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::{
        super::line::{self, Read},
        *,
    };

    fn translated(words: &str) -> Result<Said, StiError> {
        let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        let Read::Line(line) = line::read(&words)? else { panic!("{words:?}") };
        said(&line)
    }

    fn check(words: &str, ours: &str, notes: usize) {
        let said = translated(words).unwrap_or_else(|error| panic!("{words}: {error}"));
        let found = said.words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        assert_eq!((found.as_str(), said.notes.len()), (ours, notes), "{words}: {:?}", said.notes);
    }

    fn check_refused(words: &str, hint: &str) {
        assert_eq!(translated(words).expect_err(words).hint().as_deref(), Some(hint), "{words}");
    }

    #[test]
    fn a_build_is_said_in_our_words() {
        check("build src img app", "sti build -- src img app", 0);
        check(
            "build src img app -e A=1,B=2 --rm -p if-not-present",
            "sti build --env-whole=A=1,B=2 --rm-previous --pull=missing -- src img app",
            0,
        );
        check("build src img app --loglevel=5 --copy --loglevel 2", "sti build -- src img app", 2);
        check("build src img app -p never -p always --ref one -r two", "sti build --pull=always --ref=two -- src img app", 0);
        check(
            "build src img app --ref= -s image:///x --scripts image:///y",
            "sti build --scripts-url=image:///y -- src img app",
            0,
        );
        check(
            "build src img app --runtime-image r -a /a;/b:c",
            "sti build --runtime=r --runtime-artifact=/a --runtime-artifact=/b:c -- src img app",
            0,
        );
        check("-U tcp://h:1 version", "sti version --url=tcp://h:1 --", 0);
        check("build --use-config", "sti build --use-config --", 0);
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_what_can() {
        check_refused("build src", "s2i build <source> <image> [<tag>]");
        check_refused("build src img", "s2i build src img TAG");
        check_refused("build src img app more", "s2i build <source> <image> [<tag>]");
        check_refused("version --ref x", "s2i version --help");
        check_refused("build src img app -v /a:/b", "`--inject SRC:DEST` hands files to the scripts");
        check_refused(
            "build src img app -p never --runtime-pull-policy always",
            "give only one of them; `docker pull` brings an image before",
        );
    }

    #[test]
    fn a_name_is_made_of_a_source() {
        for (source, name) in
            [("https://host/My-App.git#v1", "myapp"), (".", "app"), ("user@host:team/site/", "site"), ("./web", "web")]
        {
            assert_eq!(name_of(OsStr::new(source)), name);
        }
    }
}
