//! Values of a policy file: of the right kind, or an error that shows a right one.

use std::path::PathBuf;

use sti_core::hosts::HostPattern;
use sti_core::plan::Network;
use toml::de::{DeTable, DeValue};

use super::Entry;
use crate::pattern::Pattern;
use crate::quoting::shown;
use crate::rules::Root;
use crate::{Error, FetchLimit, Whose};

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const MOST_SECONDS: u64 = 24 * 60 * 60;

impl Entry<'_> {
    pub(super) fn table(&self, example: &'static str) -> Result<&DeTable<'_>, Error> {
        self.value.as_table().ok_or_else(|| self.not_a("a section", example))
    }

    pub(super) fn boolean(&self, example: &'static str) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.not_a("`true` or `false`", example))
    }

    pub(super) fn root(&self) -> Result<Root, Error> {
        Ok(if self.boolean("root = false")? { Root::WhereTheImageIs } else { Root::Never })
    }

    pub(super) fn network(&self) -> Result<Network, Error> {
        match self.value.as_str() {
            Some("none") => Ok(Network::None),
            Some("outgoing") => Ok(Network::Outgoing),
            _ => Err(self.not_a("`\"none\"` or `\"outgoing\"`", "network = \"none\"")),
        }
    }

    pub(super) fn patterns(&self) -> Result<Vec<Pattern>, Error> {
        const EXAMPLE: &str = "images = [\"registry.example.com/builders/*\", \"docker.io/library/python\"]";
        let patterns = self.texts().ok_or_else(|| self.not_a("a list of patterns", EXAMPLE))?;
        patterns
            .into_iter()
            .map(|pattern| Pattern::parse(pattern).map_err(|why| self.bad(format!("has a pattern that is none: {why}"), EXAMPLE)))
            .collect()
    }

    /// Names of secrets; what `--inject` gives is called `inject:` and its place.
    pub(super) fn secrets(&self) -> Result<Vec<String>, Error> {
        const EXAMPLE: &str = "secrets = [\"npm-token\", \"inject:/opt/keys\"]";
        let names = self.texts().ok_or_else(|| self.not_a("a list of names", EXAMPLE))?;
        let is_known = |name: &&str| name.strip_prefix("inject:").map_or(sti_core::secret::is_name(name), |at| !at.is_empty());
        match names.iter().find(|name| !is_known(name)) {
            Some(name) => Err(self.bad(format!("has `{}`, which no secret is called", shown(name)), EXAMPLE)),
            None => Ok(names.into_iter().map(str::to_owned).collect()),
        }
    }

    /// One digest, or a list of them: the components of one plugin, such as an old version and its successor.
    pub(super) fn digests(&self) -> Result<Vec<String>, Error> {
        const EXAMPLE: &str = "digest = \"sha256:0123…\"  (as `sti plugins` prints it)";
        let digests = self.value.as_str().map(|digest| vec![digest]).or_else(|| self.texts());
        let digests = digests.ok_or_else(|| self.not_a("a digest or a list of digests", EXAMPLE))?;
        match digests.iter().find(|digest| !is_digest(digest)) {
            Some(digest) => {
                Err(self
                    .bad(format!("is no digest: `{digest}` is not `sha256:` and 64 hexadecimal digits in lower case"), EXAMPLE))
            }
            None => Ok(digests.into_iter().map(str::to_owned).collect()),
        }
    }

    pub(super) fn hosts(&self) -> Result<Vec<HostPattern>, Error> {
        self.host_patterns("hosts = [\"github.com\", \"*.example.com\"]")
    }

    /// Hosts that need not be named at the command line.
    pub(super) fn allowed_hosts(&self) -> Result<Vec<HostPattern>, Error> {
        const INSTEAD: &str = "hosts = [\"github.com\"], and at the command line --allow-host github.com";
        if self.text.whose == Whose::Site {
            return self.host_patterns("allow-hosts = [\"github.com\", \"*.example.com\"]");
        }
        Err(self.bad("is for the site's own file: this one narrows what you name, and names nothing".to_owned(), INSTEAD))
    }

    /// Hosts that may be at addresses that are not public: whoever has a name below a pattern could give it any address.
    pub(super) fn private_hosts(&self) -> Result<Vec<HostPattern>, Error> {
        const EXAMPLE: &str = "private-hosts = [\"git.intern.example\", \"10.1.0.0/16\"]";
        let hosts = self.host_patterns(EXAMPLE)?;
        match hosts.iter().find(|host| host.is_open()) {
            None => Ok(hosts),
            Some(open) => {
                let why = format!("takes names as they are, addresses and networks: behind `{open}` may be anything");
                Err(self.bad(why, EXAMPLE))
            }
        }
    }

    fn host_patterns(&self, example: &'static str) -> Result<Vec<HostPattern>, Error> {
        let hosts = self.texts().ok_or_else(|| self.not_a("a list of hosts", example))?;
        let read =
            |host: &str| HostPattern::parse(host).map_err(|why| self.bad(format!("has `{}`, which {why}", shown(host)), example));
        hosts.into_iter().map(read).collect()
    }

    /// Where a component lies, and the line that says so.
    pub(super) fn installed(&self) -> Result<(PathBuf, usize), Error> {
        const EXAMPLE: &str = "path = \"/usr/lib/sti/fast.wasm\"";
        if self.text.whose == Whose::User {
            return Err(
                self.bad("is for the site's own file: this one names nothing".to_owned(), "--fetcher or --strategy FILE.wasm")
            );
        }
        let path = self.value.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
        path.map(|path| (path, self.line)).ok_or_else(|| self.not_a("an absolute path", EXAMPLE))
    }

    pub(super) fn bytes(&self) -> Result<u64, Error> {
        self.size().ok_or_else(|| self.not_a("a size in KiB, MiB or GiB", "memory = \"256 MiB\""))
    }

    /// A limit of a fetch: a number, and of bytes a size as well.
    pub(super) fn limit(&self, limit: FetchLimit) -> Result<u64, Error> {
        let size = self.size().filter(|_| limit.key().ends_with("bytes"));
        let number = self.number().or(size).filter(|number| (1..=limit.most()).contains(number));
        let expected = match limit.most() {
            u64::MAX => "a whole number from 1".to_owned(),
            most => format!("a whole number from 1 to {most}"),
        };
        number.ok_or_else(|| self.not_a(&expected, limit.example()))
    }

    fn size(&self) -> Option<u64> {
        let written = self.value.as_str()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| written.ends_with(unit))?;
        let number: u64 = written.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*factor).filter(|bytes| *bytes > 0)
    }

    fn number(&self) -> Option<u64> {
        let number = self.value.as_integer()?;
        u64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    pub(super) fn seconds(&self) -> Result<u64, Error> {
        self.number()
            .filter(|seconds| (1..=MOST_SECONDS).contains(seconds))
            .ok_or_else(|| self.not_a("a whole number of seconds from 1 to 86400", "seconds = 30"))
    }

    pub(super) fn bad(&self, why: String, example: &'static str) -> Error {
        Error::BadValue { file: self.text.shown.to_owned(), line: self.line, key: self.key.to_owned(), why, example }
    }

    fn not_a(&self, expected: &str, example: &'static str) -> Error {
        self.bad(format!("is {expected}, not {}", kind(self.value)), example)
    }

    fn texts(&self) -> Option<Vec<&str>> {
        self.value.as_array()?.iter().map(|value| value.get_ref().as_str()).collect()
    }
}

fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`\"{}\"`", shown(text)),
        DeValue::Integer(number) => format!("`{number}`"),
        DeValue::Boolean(truth) => format!("`{truth}`"),
        DeValue::Array(_) => "a list of other things".to_owned(),
        other => format!("a {}", other.type_str()),
    }
}

fn is_digest(written: &str) -> bool {
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    written.strip_prefix("sha256:").is_some_and(|digits| digits.len() == 64 && digits.bytes().all(is_hexadecimal))
}
