//! Reads `.s2ifile`, in which `s2i build --use-config` keeps a command line.

use std::{collections::BTreeMap, ffi::OsString};

use serde::Deserialize;

use super::{
    flags::{self, Takes},
    line::{self, Given, Line},
    translation,
};
use crate::StiError;

/// The command line that was kept, in our words.
#[derive(Debug)]
pub(in crate::cli) struct Stored {
    /// Source, builder image, tag.
    pub(in crate::cli) words: [Option<OsString>; 3],
    pub(in crate::cli) flags: Vec<(String, Option<OsString>)>,
    pub(in crate::cli) notes: Vec<String>,
}

/// Flags that are the user's to give each time, and none of a project: left out, with a note.
const LEFT_OUT: &[&str] = &["url", "tls", "tlsverify", "ca", "cert", "key", "dockercfg-path", "quiet"];

/// The format of the file, as s2i's package `config` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    source: String,
    builder_image: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    flags: BTreeMap<String, String>,
}

/// Reads a file of this name.
pub(in crate::cli) fn said(name: &str, text: &str) -> Result<Stored, StiError> {
    let kept: Kept = serde_json::from_str(text).map_err(|error| StiError::InvalidArgument {
        what: format!("{name}:{}: {error}", error.line()),
        hint: Some("remove it, or write `sti.toml`".to_owned()),
    })?;
    let (mut given, mut notes) = (Vec::new(), Vec::new());
    for (flag, value) in ordered(&kept.flags) {
        if LEFT_OUT.contains(&flag) {
            notes.push(format!("`{flag}` of `{name}` is left out: it is said on the command line only"));
        } else if flag != "use-config" {
            given.extend(flag_of(flag, value)?);
        }
    }
    // The reference stands in the source as well; it is enough once, and a `--ref` of the command line is another one.
    let has_reference = kept.flags.get("ref").is_some_and(|reference| !reference.is_empty());
    let source = if has_reference { kept.source.split('#').next().unwrap_or_default() } else { &kept.source };
    let line = Line { command: line::command("build")?, words: vec![source.into()], given };
    let flags = translation::flags(&line)?;
    notes.extend(flags.notes);
    let source = translation::source(&line, &line.words[0]).unwrap_or_else(|| source.into());
    let said = |word: OsString| Some(word).filter(|word| !word.is_empty());
    Ok(Stored { words: [said(source), said(kept.builder_image.into()), said(kept.tag.into())], flags: flags.flags, notes })
}

/// Variables are kept as `env-0`, `env-1`, …: in the order of their numbers.
fn ordered(flags: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    let mut all: Vec<(&str, &str)> = flags.iter().map(|(flag, value)| (flag.as_str(), value.as_str())).collect();
    all.sort_by_key(|(flag, _)| variable_number(flag));
    all
}

fn variable_number(flag: &str) -> Option<u32> {
    flag.strip_prefix("env-")?.parse().ok()
}

fn flag_of(name: &str, value: &str) -> Result<Vec<Given>, StiError> {
    let long = if variable_number(name).is_some() { "env" } else { name };
    let flag = flags::by_long(long).ok_or_else(|| line::unknown(name))?;
    let with = |value: &str| Given::Theirs(flag, Some(value.into()));
    Ok(match flag.takes {
        Takes::Nothing => line::is_true(flag, value.as_ref())?.then_some(Given::Theirs(flag, None)).into_iter().collect(),
        // Lists are kept with commas between; so were all variables, once.
        Takes::Value if ["env", "inject", "runtime-artifact"].contains(&name) => value.split(',').map(with).collect(),
        Takes::Value => vec![with(value)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s2i_kept_is_said_in_our_words() {
        let text = r#"{"source":"https://host/app.git#v1","builderImage":"img","tag":"app","flags":{"ref":"v1","env-10":"C=3","env-2":"A=1,B=2",
            "incremental":"true","rm":"false","pull-policy":"never","runtime-artifact":"/a:/b,/c:.","use-config":"true","url":"tcp://h:1","loglevel":"3"}}"#;
        let stored = said(".s2ifile", text).unwrap();
        assert_eq!(stored.words, [Some("https://host/app.git".into()), Some("img".into()), Some("app".into())]);
        let flags: Vec<String> = stored
            .flags
            .iter()
            .map(|(long, value)| format!("{long}={}", value.as_deref().unwrap_or_default().to_string_lossy()))
            .collect();
        let expected = [
            "incremental=",
            "pull=never",
            "ref=v1",
            "runtime-artifact=/a:/b",
            "runtime-artifact=/c:.",
            "env-whole=A=1,B=2",
            "env-whole=C=3",
        ];
        assert_eq!(flags, expected);
        assert_eq!(stored.notes.len(), 2, "{:?}", stored.notes);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_line() {
        let error = said(".s2ifile", "{\n\"source\": 1}").unwrap_err();
        assert!(error.to_string().starts_with(".s2ifile:2: "), "{error}");
        let error = said(".s2ifile", r#"{"source":".","builderImage":"b","flags":{"privileged":"true"}}"#).unwrap_err();
        assert!(error.to_string().contains("`--privileged`"), "{error}");
    }
}
