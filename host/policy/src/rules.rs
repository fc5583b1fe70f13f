//! Rules: how far a policy file narrows what the user named. What a file does not mention it does not narrow.

use std::fmt;

use sti_core::hosts::HostPattern;
use sti_core::plan::Network;

use crate::fetch::FetchLimits;
use crate::pattern::Pattern;

/// The narrowing that applies to one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Images that it may look at and start from.
    pub(crate) images: Option<Vec<Pattern>>,
    /// Whether it may use root where an image does.
    pub(crate) root: Option<Root>,
    /// What its containers may reach.
    pub(crate) network: Option<Network>,
    /// Secrets of the user's that it may put into its steps.
    pub(crate) secrets: Option<Vec<String>>,
    /// Bytes of memory of the plugin itself.
    pub(crate) memory: Option<u64>,
    /// Seconds for the plugin's answer.
    pub(crate) seconds: Option<u64>,
    /// Hosts that a fetcher may reach at all.
    pub(crate) hosts: Option<Vec<HostPattern>>,
    /// Hosts that are as good as named by the user; in the site's file only.
    pub(crate) allow_hosts: Option<Vec<HostPattern>>,
    /// Hosts that may be at addresses that are not public. In the site's file they are as good as named, too.
    pub(crate) private_hosts: Option<Vec<HostPattern>>,
    /// How much a fetch may bring.
    pub(crate) fetch: FetchLimits,
}

/// Who may be root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A step whose image runs as root, and no other.
    WhereTheImageIs,
    /// Nobody.
    Never,
}

impl fmt::Display for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WhereTheImageIs => "where the image runs as root",
            Self::Never => "never",
        })
    }
}

impl Rules {
    /// Takes from `defaults` what these rules leave open.
    pub(crate) fn or(&self, defaults: &Self) -> Self {
        Self {
            images: self.images.clone().or_else(|| defaults.images.clone()),
            root: self.root.or(defaults.root),
            network: self.network.or(defaults.network),
            secrets: self.secrets.clone().or_else(|| defaults.secrets.clone()),
            memory: self.memory.or(defaults.memory),
            seconds: self.seconds.or(defaults.seconds),
            hosts: self.hosts.clone().or_else(|| defaults.hosts.clone()),
            allow_hosts: self.allow_hosts.clone().or_else(|| defaults.allow_hosts.clone()),
            private_hosts: self.private_hosts.clone().or_else(|| defaults.private_hosts.clone()),
            fetch: self.fetch.or(&defaults.fetch),
        }
    }
}
