//! The text of a policy file. docs/policy.md describes it for people; unknown keys are errors, since a rule that is passed over is none.

mod values;

use std::collections::BTreeMap;
use std::path::Path;

use sti_core::closest::closest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::{Contents, Section};
use crate::rules::Rules;
use crate::{Error, FetchLimit, Policy, Whose};

const TOP: &[&str] = &["vetted-only", "defaults", "plugins"];
const PLUGIN: &[&str] = &[
    "digest",
    "path",
    "images",
    "root",
    "network",
    "secrets",
    "memory",
    "seconds",
    "hosts",
    "allow-hosts",
    "private-hosts",
    "entries",
    "bytes",
    "path-bytes",
    "depth",
    "download-bytes",
    "total-seconds",
];
/// Without the first two: the defaults are for every component.
const DEFAULTS: &[&str] = PLUGIN.split_at(2).1;

/// A value with its key, as the text has it.
pub(crate) struct Entry<'a> {
    text: &'a Text<'a>,
    key: &'a str,
    line: usize,
    value: &'a DeValue<'a>,
}

/// The text of a file, and what the file is called.
struct Text<'a> {
    whole: &'a str,
    shown: &'a Path,
    whose: Whose,
}

impl Policy {
    /// Reads the text of a policy file. `shown` is what people are told it is called, and `whose` decides what it may say.
    pub fn parse(text: &str, shown: &Path, whose: Whose) -> Result<Self, Error> {
        let text = Text { whole: text, shown, whose };
        let table = DeTable::parse(text.whole).map_err(|error| text.syntax(&error))?;
        let (shown, plugins) = (shown.to_owned(), BTreeMap::new());
        let mut contents = Contents { shown, whose, vetted_only: false, defaults: Rules::default(), plugins };
        for entry in text.entries(table.get_ref(), "the file", TOP)? {
            match entry.key {
                "vetted-only" => contents.vetted_only = entry.boolean("vetted-only = true")?,
                "defaults" => {
                    contents.defaults = read_rules(&text.entries(entry.table("[defaults]")?, "[defaults]", DEFAULTS)?)?;
                }
                _ => contents.plugins = read_plugins(&text, entry.table("[plugins.NAME]")?)?,
            }
        }
        Ok(Self { file: Some(contents) })
    }
}

fn read_plugins(text: &Text<'_>, table: &DeTable<'_>) -> Result<BTreeMap<String, Section>, Error> {
    let mut plugins: BTreeMap<String, Section> = BTreeMap::new();
    for (name, value) in table {
        let section = Entry { text, key: name.get_ref(), line: text.line(name.span().start), value: value.get_ref() };
        let entries = text.entries(section.table("[plugins.NAME]")?, &format!("[plugins.{}]", section.key), PLUGIN)?;
        let digests = read_digests(&section, &entries)?;
        if let Some((other, _)) =
            plugins.iter().find(|(_, earlier)| earlier.digests.iter().any(|digest| digests.contains(digest)))
        {
            return Err(section.bad(format!("has a digest that [plugins.{other}] has too"), "digest = \"sha256:…\""));
        }
        let path = entries.iter().find(|entry| entry.key == "path").map(Entry::installed).transpose()?;
        plugins.insert(section.key.to_owned(), Section { digests, path, rules: read_rules(&entries)? });
    }
    Ok(plugins)
}

/// A section is for components, by digest: a name is what a plugin says of itself.
fn read_digests(section: &Entry<'_>, entries: &[Entry<'_>]) -> Result<Vec<String>, Error> {
    match entries.iter().find(|entry| entry.key == "digest") {
        Some(entry) => entry.digests(),
        None => Err(section
            .bad("names no component: a section needs a digest, as `sti plugins` prints it".to_owned(), "digest = \"sha256:…\"")),
    }
}

fn read_rules(entries: &[Entry<'_>]) -> Result<Rules, Error> {
    let mut rules = Rules::default();
    for entry in entries {
        match entry.key {
            "images" => rules.images = Some(entry.patterns()?),
            "root" => rules.root = Some(entry.root()?),
            "network" => rules.network = Some(entry.network()?),
            "secrets" => rules.secrets = Some(entry.secrets()?),
            "memory" => rules.memory = Some(entry.bytes()?),
            "seconds" => rules.seconds = Some(entry.seconds()?),
            "hosts" => rules.hosts = Some(entry.hosts()?),
            "allow-hosts" => rules.allow_hosts = Some(entry.allowed_hosts()?),
            "private-hosts" => rules.private_hosts = Some(entry.private_hosts()?),
            key => {
                if let Some(limit) = FetchLimit::of(key) {
                    rules.fetch.set(limit, entry.limit(limit)?);
                }
            }
        }
    }
    Ok(rules)
}

impl<'a> Text<'a> {
    /// The entries of a table whose keys are all known.
    fn entries(&'a self, table: &'a DeTable<'a>, section: &str, known: &'static [&'static str]) -> Result<Vec<Entry<'a>>, Error> {
        table.iter().map(|(key, value)| self.entry(key, value, section, known)).collect()
    }

    fn entry(
        &'a self,
        key: &'a Spanned<impl AsRef<str>>,
        value: &'a Spanned<DeValue<'a>>,
        section: &str,
        known: &'static [&'static str],
    ) -> Result<Entry<'a>, Error> {
        let line = self.line(key.span().start);
        let key = key.get_ref().as_ref();
        if known.contains(&key) {
            return Ok(Entry { text: self, key, line, value: value.get_ref() });
        }
        let nearest = closest(key, known.iter().copied());
        Err(Error::UnknownKey {
            file: self.shown.to_owned(),
            line,
            key: key.to_owned(),
            section: section.to_owned(),
            nearest,
            known,
        })
    }

    fn syntax(&self, error: &toml::de::Error) -> Error {
        let line = error.span().map_or(1, |span| self.line(span.start));
        Error::Syntax { file: self.shown.to_owned(), line, why: error.message().to_owned() }
    }

    fn line(&self, at: usize) -> usize {
        self.whole.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}
