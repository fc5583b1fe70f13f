//! Reads `sti.toml`. Its keys are the flags of `sti build` and the names of its three words; the definition of the command line says which
//! there are and what they take.

use std::ffi::OsString;

use clap::{Arg, Command};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Settings, WORDS, file::OURS, known};
use crate::StiError;

/// A flag that a file gives.
#[derive(Debug)]
pub(super) struct Setting {
    /// What clap calls it.
    pub(super) id: String,
    /// As the command line has it.
    pub(super) word: OsString,
    /// Whether it stands beside what the command line says: names and values, of which the last of a name counts.
    pub(super) merges: bool,
}

impl Setting {
    pub(super) fn new(command: &Command, long: &str, value: Option<OsString>) -> Self {
        let arg = known::flag(command, long);
        let id = arg.map_or_else(|| long.replace('-', "_"), |arg| arg.get_id().to_string());
        let mut word = OsString::from(format!("--{long}"));
        if let Some(value) = value {
            word.push("=");
            word.push(value);
        }
        Self { id, word, merges: arg.is_some_and(takes_pairs) }
    }
}

/// What `sti.toml` says.
pub(super) fn read(text: &str, command: &Command) -> Result<Settings, StiError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        refused(line, error.message(), None)
    })?;
    let mut settings = Settings { file: OURS, ..Settings::none() };
    for (key, value) in table.get_ref() {
        let (line, name) = (line_of(text, key.span().start), key.get_ref().as_ref());
        if let Some(position) = WORDS.iter().position(|word| word.replace('_', "-") == name) {
            settings.words[position] = Some(text_of(value.get_ref()).ok_or_else(|| wrong(line, name, "a text"))?.into());
            continue;
        }
        let arg = known::flag(command, name).filter(|arg| !arg.is_hide_set() && arg.get_id() != "help");
        let arg = arg.ok_or_else(|| unknown(line, name, command))?;
        if !is_of_the_project(arg) {
            let hint = Some(format!("say `--{name}` on the command line, and leave it out here"));
            return Err(refused(line, &format!("`{name}` is said on the command line only"), hint));
        }
        settings.flags.extend(flags(command, arg, line, name, value)?);
    }
    Ok(settings)
}

/// Flags that hand something of the user's to the scripts, or to a server.
const HANDING_OVER: [&str; 3] = ["secret", "inject", "callback_url"];

/// Which engine, by which policy, and how it is told, is the user's to say and not the project's; so is what of the user's own is handed over.
fn is_of_the_project(arg: &Arg) -> bool {
    let is_users_own = arg.get_id() == "use_config" || HANDING_OVER.iter().any(|id| arg.get_id() == *id);
    !arg.is_global_set() && arg.get_help_heading() != Some("Engine") && !is_users_own
}

fn flags(command: &Command, arg: &Arg, line: usize, name: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<Setting>, StiError> {
    let with = |value: String| Setting::new(command, name, Some(value.into()));
    let takes_value = arg.get_action().takes_values();
    let may_stand_alone = !takes_value || arg.is_require_equals_set();
    match value.get_ref() {
        DeValue::Boolean(is_on) if may_stand_alone => Ok(is_on.then(|| Setting::new(command, name, None)).into_iter().collect()),
        DeValue::Array(values) if known::is_repeatable(arg) => {
            let texts: Option<Vec<String>> = values.iter().map(|value| text_of(value.get_ref())).collect();
            Ok(texts.ok_or_else(|| wrong(line, name, "a list of texts"))?.into_iter().map(with).collect())
        }
        DeValue::Table(pairs) if takes_pairs(arg) => {
            // Of a variable the commas belong to its value here.
            let long = if arg.get_id() == "env" { "env-whole" } else { name };
            let pair = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                let value = scalar_of(value.get_ref()).ok_or_else(|| wrong(line, key, "a text"))?;
                Ok(Setting { merges: true, ..Setting::new(command, long, Some(format!("{key}={value}").into())) })
            };
            pairs.iter().map(pair).collect()
        }
        value if takes_value => match text_of(value) {
            Some(text) => Ok(vec![with(text)]),
            None if takes_pairs(arg) => Err(wrong(line, name, "a table of names and values")),
            None if known::is_repeatable(arg) => Err(wrong(line, name, "a list of texts")),
            None => Err(wrong(line, name, "a text")),
        },
        _ => Err(wrong(line, name, "true or false")),
    }
}

/// Whether a flag is given names with values.
fn takes_pairs(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    known::is_repeatable(arg) && names.iter().any(|name| name.starts_with("NAME="))
}

fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn scalar_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Boolean(is_on) => Some(is_on.to_string()),
        value => text_of(value),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn unknown(line: usize, name: &str, command: &Command) -> StiError {
    let words = WORDS.map(|word| word.replace('_', "-"));
    let flags = command.get_arguments().filter(|arg| !arg.is_hide_set() && is_of_the_project(arg)).filter_map(Arg::get_long);
    let nearest = known::nearest(flags.chain(words.iter().map(String::as_str)), name).map(str::to_owned);
    let hint = nearest.unwrap_or_else(|| "its keys are the flags that `sti build --help` shows".to_owned());
    refused(line, &format!("there is no setting `{}`", name.escape_debug()), Some(hint))
}

fn wrong(line: usize, name: &str, wanted: &str) -> StiError {
    refused(line, &format!("`{}` takes {wanted}", name.escape_debug()), None)
}

fn refused(line: usize, what: &str, hint: Option<String>) -> StiError {
    StiError::InvalidArgument { what: format!("{OURS}:{line}: {what}"), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        known::command("build").expect("it is there")
    }

    fn check(text: &str, words: [Option<&str>; 3], flags: &[&str]) {
        let settings = read(text, &command()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(settings.words, words.map(|word| word.map(OsString::from)), "{text}");
        assert_eq!(settings.flags.iter().map(|setting| setting.word.to_str().unwrap()).collect::<Vec<_>>(), flags, "{text}");
    }

    fn check_refused(text: &str, what: &str, hint: Option<&str>) {
        let error = read(text, &command()).expect_err(text);
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (what, hint), "{text}");
    }

    #[test]
    fn keys_are_the_words_and_flags_of_a_build() {
        check("source = '.'\nbuilder-image = 'b'\ntag = 'app:1'", [Some("."), Some("b"), Some("app:1")], &[]);
        check("strategy = 'commit'\nclean = true\nrm-previous = false", [None; 3], &["--clean", "--strategy=commit"]);
        check("incremental = true", [None; 3], &["--incremental"]);
        check("incremental = 'require'\nstrip-components = 1", [None; 3], &["--incremental=require", "--strip-components=1"]);
        check(
            "[env]\nA = '1,B=2'\nDEBUG = true\n[label]\n'a/b' = 'c'",
            [None; 3],
            &["--env-whole=A=1,B=2", "--env-whole=DEBUG=true", "--label=a/b=c"],
        );
        check(
            "env = ['A=1', 'B=2']\nallow-host = ['a', 'b']",
            [None; 3],
            &["--allow-host=a", "--allow-host=b", "--env=A=1", "--env=B=2"],
        );
        check("runtime-image = 'r'", [None; 3], &["--runtime-image=r"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        check_refused("tag = 'a'\nstrateyg = 'x'", "sti.toml:2: there is no setting `strateyg`", Some("strategy"));
        check_refused("builder_image = 'x'", "sti.toml:1: there is no setting `builder_image`", Some("builder-image"));
        check_refused("\nclean = 'yes'", "sti.toml:2: `clean` takes true or false", None);
        check_refused("tag = true", "sti.toml:1: `tag` takes a text", None);
        check_refused("tag = ['a']", "sti.toml:1: `tag` takes a text", None);
        check_refused("env = true", "sti.toml:1: `env` takes a table of names and values", None);
        check_refused("allow-host = { a = 'b' }", "sti.toml:1: `allow-host` takes a list of texts", None);
        for name in
            ["url", "policy", "engine", "json", "quiet", "debug", "color", "use-config", "secret", "inject", "callback-url"]
        {
            let hint = format!("say `--{name}` on the command line, and leave it out here");
            check_refused(
                &format!("{name} = 'x'"),
                &format!("sti.toml:1: `{name}` is said on the command line only"),
                Some(&hint),
            );
        }
        check_refused("env-whole = ['A=1']", "sti.toml:1: there is no setting `env-whole`", Some("env-file"));
    }
}
