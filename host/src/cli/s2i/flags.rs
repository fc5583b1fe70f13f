//! The table of s2i's flags: what each is called, where it may stand, and what becomes of it. `docs/from-s2i.md` shows the same table.

use super::values;
use crate::StiError;

/// A flag of s2i.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) short: Option<char>,
    pub(super) long: &'static str,
    pub(super) takes: Takes,
    /// The commands that have it.
    pub(super) of: &'static [&'static str],
    pub(super) becomes: Becomes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// It is there or not, or says `=true` or `=false`.
    Nothing,
    Value,
}

/// What becomes of a flag.
#[derive(Debug)]
pub(super) enum Becomes {
    /// This flag of ours, with the same value.
    Flag(&'static str),
    /// What the value is turned into, and how that reads.
    Translated(&'static str, fn(&str) -> Result<Ours, StiError>),
    /// Nothing has to be done for it, for this reason.
    NotNeeded(&'static str),
    /// An error, with what to do instead.
    Refused { why: &'static str, hint: &'static str },
}

/// What a value was turned into.
#[derive(Debug)]
pub(super) enum Ours {
    /// One of our flags, once with each of these values.
    Flag(&'static str, Vec<String>),
    Nothing,
    NotNeeded(&'static str),
}

const ALL: &[&str] = &["build", "rebuild", "usage", "create", "version"];
const COMMON: &[&str] = &["build", "rebuild", "usage"];
const BUILD: &[&str] = &["build"];

const CERTIFICATES: Becomes = Becomes::Refused {
    why: "certificates are found as Docker's own client finds them",
    hint: "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=DIRECTORY, with ca.pem, cert.pem and key.pem in it",
};

/// Every flag of s2i 1.3 and later, in the order in which they are shown.
pub(super) const FLAGS: &[Flag] = &[
    both('e', "env", BUILD, Becomes::Translated("`-e`, `--env`; commas belong to the value", values::variable)),
    both('E', "environment-file", BUILD, Becomes::Flag("env-file")),
    both('r', "ref", BUILD, Becomes::Flag("ref")),
    value("context-dir", BUILD, Becomes::Flag("context-dir")),
    switch("ignore-submodules", BUILD, Becomes::Flag("no-submodules")),
    short_switch('c', "copy", BUILD, Becomes::NotNeeded("a directory is read as it is")),
    switch("keep-symlinks", BUILD, Becomes::NotNeeded("links arrive as links")),
    value(
        "exclude",
        BUILD,
        Becomes::Translated(
            "not needed with its default, as `.git` is always left out; else refused: `.s2iignore`",
            values::exclude,
        ),
    ),
    switch("incremental", COMMON, Becomes::Flag("incremental")),
    switch("rm", COMMON, Becomes::Flag("rm-previous")),
    both('s', "scripts-url", BUILD, Becomes::Flag("scripts-url")),
    value("scripts", BUILD, Becomes::Flag("scripts-url")),
    value(
        "image-scripts-url",
        BUILD,
        Becomes::Translated(
            "not needed with its default, which is looked at anyway; else refused: `--scripts-url`",
            values::image_scripts,
        ),
    ),
    both('d', "destination", COMMON, Becomes::Flag("destination")),
    both('l', "location", &["build", "usage"], Becomes::Flag("destination")),
    value("assemble-user", BUILD, Becomes::Flag("assemble-user")),
    value("assemble-runtime-user", BUILD, Becomes::Flag("assemble-runtime-user")),
    both('u', "allowed-uids", BUILD, Becomes::Flag("allowed-uids")),
    value("runtime-image", BUILD, Becomes::Flag("runtime")),
    both('a', "runtime-artifact", BUILD, Becomes::Translated("`-a`, `--runtime-artifact`", values::runtime_artifact)),
    both('i', "inject", BUILD, Becomes::Translated("`--inject`", values::inject)),
    both('p', "pull-policy", COMMON, Becomes::Translated(PULL, values::pull)),
    value("runtime-pull-policy", COMMON, Becomes::Translated(PULL, values::pull)),
    value("incremental-pull-policy", COMMON, Becomes::NotNeeded("an earlier product is never pulled")),
    value(
        "network",
        BUILD,
        Becomes::Translated("`--network outgoing` for `bridge`, `--network none`; others are refused", values::network),
    ),
    both('n', "application-name", BUILD, Becomes::Flag("application-name")),
    value("description", BUILD, Becomes::Flag("description")),
    value("as-dockerfile", BUILD, Becomes::Flag("as-dockerfile")),
    switch("run", BUILD, Becomes::Flag("run")),
    value("callback-url", COMMON, Becomes::Flag("callback-url")),
    switch("save-temp-dir", COMMON, Becomes::Flag("save-temp-dir")),
    switch("use-config", BUILD, Becomes::Flag("use-config")),
    short_switch('q', "quiet", COMMON, Becomes::Flag("quiet")),
    value(
        "loglevel",
        ALL,
        Becomes::Translated("not needed: steps and output of scripts are always told; `--debug` tells more", values::log_level),
    ),
    both('U', "url", ALL, Becomes::Flag("url")),
    switch("tls", ALL, CERTIFICATES),
    switch("tlsverify", ALL, CERTIFICATES),
    value("ca", ALL, CERTIFICATES),
    value("cert", ALL, CERTIFICATES),
    value("key", ALL, CERTIFICATES),
    value(
        "dockercfg-path",
        COMMON,
        Becomes::Refused {
            why: "logins are found as Docker's own client finds them",
            hint: "DOCKER_CONFIG=DIRECTORY, with config.json in it",
        },
    ),
    both(
        'v',
        "volume",
        BUILD,
        Becomes::Refused {
            why: "directories of the machine are nothing that a build is granted",
            hint: "`--inject SRC:DEST` hands files to the scripts",
        },
    ),
    value(
        "cap-drop",
        BUILD,
        Becomes::Refused { why: "no plan can say it", hint: "have the engine drop capabilities for all containers" },
    ),
    value(
        "add-host",
        BUILD,
        Becomes::Refused { why: "names are resolved as the engine resolves them", hint: "have the engine's DNS know the name" },
    ),
];

const PULL: &str = "`--pull always`, `--pull never`, `--pull missing` for `if-not-present`: one for both images";

const fn value(long: &'static str, of: &'static [&'static str], becomes: Becomes) -> Flag {
    Flag { short: None, long, takes: Takes::Value, of, becomes }
}

const fn both(short: char, long: &'static str, of: &'static [&'static str], becomes: Becomes) -> Flag {
    Flag { short: Some(short), long, takes: Takes::Value, of, becomes }
}

const fn switch(long: &'static str, of: &'static [&'static str], becomes: Becomes) -> Flag {
    Flag { short: None, long, takes: Takes::Nothing, of, becomes }
}

const fn short_switch(short: char, long: &'static str, of: &'static [&'static str], becomes: Becomes) -> Flag {
    Flag { short: Some(short), long, takes: Takes::Nothing, of, becomes }
}

/// A flag by its long name.
pub(super) fn by_long(long: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == long)
}

/// A flag by its letter.
pub(super) fn by_short(short: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(short))
}

impl Flag {
    /// What becomes of it, in the words of the documentation.
    pub(super) fn outcome(&self) -> String {
        match &self.becomes {
            Becomes::Flag(ours) => format!("`--{ours}`"),
            Becomes::Translated(words, _) => (*words).to_owned(),
            Becomes::NotNeeded(why) => format!("not needed: {why}"),
            Becomes::Refused { why, hint } => format!("refused: {why}; instead: {hint}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn row(flag: &Flag) -> String {
        let short = flag.short.map(|short| format!("`-{short}`, ")).unwrap_or_default();
        format!("| {short}`--{}` | {} |\n", flag.long, flag.outcome())
    }

    #[test]
    fn the_documentation_shows_this_table() {
        let page = include_str!("../../../../docs/from-s2i.md");
        let table = format!("| `s2i build` | `sti build` |\n|---|---|\n{}", FLAGS.iter().map(row).collect::<String>());
        let (_, section) = page.split_once("\n## Flags\n").expect("the page has a section `Flags`");
        let shown: Vec<&str> = section.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(shown.join("\n"), table.trim_end(), "the section `Flags` of docs/from-s2i.md must be:\n\n{table}");
    }

    /// As s2i's own source defines them: pkg/cmd/cli of v1.3.0 to v1.6.3.
    #[test]
    fn every_flag_of_s2i_is_there() {
        let of_s2i = "add-host allowed-uids application-name as-dockerfile assemble-runtime-user assemble-user ca callback-url cap-drop \
             cert context-dir copy description destination dockercfg-path env environment-file exclude ignore-submodules \
             image-scripts-url incremental incremental-pull-policy inject keep-symlinks key location loglevel network pull-policy quiet \
             ref rm run runtime-artifact runtime-image runtime-pull-policy save-temp-dir scripts scripts-url tls tlsverify url use-config \
             volume";
        let ours: BTreeSet<_> = FLAGS.iter().map(|flag| flag.long).collect();
        assert_eq!(ours, of_s2i.split_whitespace().collect());
        let shorts: String = FLAGS.iter().filter_map(|flag| flag.short).collect();
        assert_eq!(shorts, "eErcsdluaipnqUv");
    }

    #[test]
    fn names_are_there_once() {
        let longs: BTreeSet<_> = FLAGS.iter().map(|flag| flag.long).collect();
        let shorts: BTreeSet<_> = FLAGS.iter().filter_map(|flag| flag.short).collect();
        assert_eq!(longs.len(), FLAGS.len());
        assert_eq!(shorts.len(), FLAGS.iter().filter(|flag| flag.short.is_some()).count());
    }
}
