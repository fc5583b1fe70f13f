//! The words of `sti build` that build a product again: first what the labels say, then what the user does, then the three names.

use std::{ffi::OsString, path::Path};

use sti_core::Variable;

use super::{asked::Asked, recorded::Recorded, trust};
use crate::{StiError, cli::address};

/// Flags that say how an address is fetched: they mean something else where the user names another source.
const OF_THE_SOURCE: [&str; 2] = ["fetcher", "checksum"];

/// A command line in its parts.
pub(super) struct Line {
    /// The flags that labels make.
    of_labels: Vec<OsString>,
    /// Those of the user.
    of_user: Vec<OsString>,
    /// Source, builder image and tag.
    names: [OsString; 3],
}

impl Line {
    /// A label speaks only where the user does not, but for settings and labels, of which the user's count more.
    pub(super) fn of(recorded: &Recorded, asked: &Asked) -> Result<Self, StiError> {
        let source = trust::source(recorded, asked)?;
        trust::check_flags(recorded, asked)?;
        Ok(Self {
            of_labels: flags(recorded, asked),
            of_user: asked.flags.clone(),
            names: [source, recorded.builder.clone().into(), asked.tag.clone().into()],
        })
    }

    /// As it is carried out.
    pub(super) fn words(self) -> Vec<OsString> {
        let Self { of_labels, of_user, names } = self;
        let begin = ["sti", "build"].map(OsString::from).into_iter();
        begin.chain(of_labels).chain(of_user).chain(["--".into()]).chain(names).collect()
    }

    /// As it is shown. What the user has written is known to the user, and may hold what nobody else should read.
    pub(super) fn shown(&self) -> String {
        let quoted = |word: &OsString| quoted(&sti_network::clean(&word.to_string_lossy()).0);
        let of_user = (!self.of_user.is_empty()).then(|| "(your own flags)".to_owned());
        let labels = self.of_labels.iter().map(quoted).chain(of_user);
        let words = ["sti", "build"].map(str::to_owned).into_iter().chain(labels).chain(self.names.iter().map(quoted));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The flags that labels make.
fn flags(recorded: &Recorded, asked: &Asked) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut say = |flag: &str, value: &str| words.push(format!("{flag}={value}").into());
    let is_same_source = asked.source.is_none();
    for (field, flag, value) in &recorded.flags {
        let is_moot = (*field == "incremental" && asked.gives("clean")) || (OF_THE_SOURCE.contains(field) && !is_same_source);
        if !asked.gives(field) && !is_moot {
            say(flag, value);
        }
    }
    if !asked.gives("runtime_artifact") {
        recorded.runtime_artifacts.iter().for_each(|artifact| say("--runtime-artifact", artifact));
    }
    let has_references = is_same_source && is_fetched(&recorded.location);
    if let Some(reference) = recorded.reference.as_ref().filter(|_| has_references && !asked.gives("ref")) {
        say("--ref", reference);
    }
    if let Some(directory) = recorded.context_dir.as_ref().filter(|_| !asked.gives("context_dir")) {
        say("--context-dir", directory);
    }
    let pairs: [(&str, &[Variable]); 3] = [
        ("--set", &recorded.settings),
        ("--label", &recorded.labels),
        ("--fetch-set", if is_same_source { &recorded.fetch_settings } else { &[] }),
    ];
    for (flag, pairs) in pairs {
        for pair in pairs {
            say(flag, &pair.to_pair());
        }
    }
    words
}

/// Whether a location is an address or a repository. What s2i built from a directory bears the name of a branch all the same.
fn is_fetched(location: &str) -> bool {
    address::parse(location).is_some() || Path::new(location).extension().is_some_and(|extension| extension == "git")
}

fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_=/:.,@%+#".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("{word:?}") }
}
