//! Rules: how far a policy file narrows what the user named. What a file does not mention it does not narrow.

use std::fmt;

use sti_core::plan::Network;

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
    /// Bytes of memory of the plugin itself.
    pub(crate) memory: Option<u64>,
    /// Seconds for the plugin's answer.
    pub(crate) seconds: Option<u64>,
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
            memory: self.memory.or(defaults.memory),
            seconds: self.seconds.or(defaults.seconds),
        }
    }
}
