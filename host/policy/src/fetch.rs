//! What one fetcher may use in one fetch: hosts, and how much may come. Printed for `--debug` and `sti doctor`.

mod hosts;
mod limits;

use std::fmt;

use sti_core::hosts::{HostPattern, Standing, is_usual_port};

use crate::PluginIdentity;
use crate::denial::{Denial, NotGranted, Where};
use crate::grant::Giver;
use crate::quoting::{listed, shown};
use crate::rules::Rules;

pub use limits::{FetchLimit, FetchLimits, SetBy, Settled};

/// The hosts that the user named for one fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedHosts {
    /// The one in the address, as a connection to it reads it; none where the address leads to a directory of the user's.
    pub own: Option<String>,
    /// The port of that one; beside it the usual ones are named.
    pub own_port: Option<u16>,
    /// Those of `--allow-host`.
    pub further: Vec<HostPattern>,
    /// Those that somebody else's words name, which the user has built with: as good as granted by a pattern, at public addresses and
    /// without a login.
    pub offered: Vec<HostPattern>,
}

/// What one fetcher may use in one fetch: what the user named, and what the site's own policy names beside it, narrowed by the policy file.
#[derive(Clone, Debug)]
pub struct FetchGrant {
    pub(crate) plugin: PluginIdentity,
    pub(crate) named: NamedHosts,
    pub(crate) rules: Rules,
    pub(crate) giver: Option<Giver>,
}

impl FetchGrant {
    /// What a policy file says of this fetcher, on one line; of a fetch it is said by [`fmt::Display`].
    pub fn in_short(&self) -> String {
        let rules = &self.rules;
        let hosts = [("and only", &rules.hosts), ("and", &rules.allow_hosts), ("private are only", &rules.private_hosts)];
        let hosts = hosts.into_iter().filter_map(|(words, key)| Some(format!("{words} {}", listed(&written(key.as_ref()?)))));
        let limit = |limit: FetchLimit| Some(format!("{} {}", limit.key(), rules.fetch.get(limit)?));
        let said: Vec<_> = hosts.chain(FetchLimit::ALL.into_iter().filter_map(limit)).collect();
        let said = if said.is_empty() { String::new() } else { format!(", {}", said.join(", ")) };
        format!("`{}` reaches the host in SOURCE and those of --allow-host{said}", shown(&self.plugin.name))
    }

    fn denial(&self, wish: String, grant: String, hint: Option<String>) -> Denial {
        let place = Where::Question;
        Denial::NotGranted(Box::new(NotGranted { plugin: self.plugin.name.clone(), place, wish, grant, hint }))
    }

    /// What stands under a key that names hosts by itself: only the site's own file does.
    fn of_the_site<'rules>(&self, key: Option<&'rules Vec<HostPattern>>) -> &'rules [HostPattern] {
        let is_site = self.giver.as_ref().is_some_and(Giver::is_site);
        key.filter(|_| is_site).map(Vec::as_slice).unwrap_or_default()
    }

    /// On whose word a host is granted, if it is.
    fn standing(&self, host: &str, port: u16) -> Option<Standing> {
        let further = |is_exact| self.named.further.iter().any(|named| named.is_exact() == is_exact && named.matches(host, port));
        let site =
            [&self.rules.allow_hosts, &self.rules.private_hosts].into_iter().flat_map(|key| self.of_the_site(key.as_ref()));
        match self.named.own.as_deref() {
            // Who is named with a web server does not name a database beside it.
            Some(own) if own == host && (is_usual_port(port) || self.named.own_port == Some(port) || further(true)) => {
                Some(Standing::Address)
            }
            _ if further(true) => Some(Standing::Named),
            _ if further(false) || site.chain(&self.named.offered).any(|granted| granted.matches(host, port)) => {
                Some(Standing::Granted)
            }
            _ => None,
        }
    }

    /// The hosts of the command line, as a sentence has them.
    fn named_hosts(&self) -> String {
        let further = self.named.further.iter().map(ToString::to_string);
        let own = self.named.own.iter().map(|own| HostPattern::only(own, self.named.own_port.unwrap_or(443)).to_string());
        listed(&own.chain(further).collect::<Vec<_>>())
    }
}

/// Patterns as the file has them.
fn written(patterns: &[HostPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

impl fmt::Display for FetchGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let giver = self.giver.as_ref().map_or_else(String::new, |giver| format!(", narrowed by {}", giver.file.display()));
        writeln!(formatter, "grant of `{}` ({}): the command line{giver}", shown(&self.plugin.name), self.plugin.digest)?;
        writeln!(formatter, "  hosts          {}", self.named_hosts())?;
        if !self.named.offered.is_empty() {
            writeln!(formatter, "  by a label     {}", listed(&written(&self.named.offered)))?;
        }
        self.write_hosts(formatter)?;
        for limit in FetchLimit::ALL {
            let granted = self.rules.fetch.get(limit);
            let by = if granted.is_some() { "" } else { ", as built in" };
            writeln!(formatter, "  {:<14} {}{by}", limit.key(), granted.unwrap_or_else(|| limit.built_in()))?;
        }
        let own =
            |limit: Option<u64>, unit: &str| limit.map_or_else(|| "as built in".to_owned(), |limit| format!("{limit} {unit}"));
        writeln!(formatter, "  memory         {}", own(self.rules.memory, "bytes"))?;
        write!(formatter, "  own time       {}", own(self.rules.seconds, "seconds"))
    }
}

impl FetchGrant {
    /// What a policy file says about hosts, a line for each key.
    fn write_hosts(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = &self.rules;
        for (words, key) in [("and only", &rules.hosts), ("and", &rules.allow_hosts), ("private", &rules.private_hosts)] {
            if let Some(patterns) = key {
                writeln!(formatter, "  {words:<14} {}", listed(&written(patterns)))?;
            }
        }
        Ok(())
    }
}
