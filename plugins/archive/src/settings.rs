//! What a user can set.

use sti_plugin::{Address, Card, Problem};

use crate::strip::{self, Strip};

const MOST_ENTRIES: &str = "max-entries";
const MOST_BYTES: &str = "max-bytes";

/// What the user set, or what holds without it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) strip: Strip,
    pub(crate) most_entries: u64,
    pub(crate) most_bytes: u64,
}

impl Settings {
    /// Declares the settings. The defaults of the limits are those of a host.
    pub(crate) fn declare(card: Card) -> Card {
        card.setting(strip::SETTING, "leading parts of names to leave out: a number, or auto", Some("auto"))
            .setting(MOST_ENTRIES, "the most entries of an archive", Some("1000000"))
            .setting(MOST_BYTES, "the most bytes that all files of an archive may have", Some("34359738368"))
    }

    /// Reads the settings of an address.
    pub(crate) fn read(address: &Address) -> Result<Self, Problem> {
        Ok(Self {
            strip: Strip::parse(&address.setting(strip::SETTING).unwrap_or_default())?,
            most_entries: limit(address, MOST_ENTRIES)?,
            most_bytes: limit(address, MOST_BYTES)?,
        })
    }
}

fn limit(address: &Address, name: &str) -> Result<u64, Problem> {
    let value = address.setting(name).unwrap_or_default();
    value.parse().map_err(|_| {
        Problem::invalid("invalid-setting", format!("`{value}` is no number for `{name}`"))
            .hint(format!("give digits only, such as `--set {name}=1000000`"))
    })
}
