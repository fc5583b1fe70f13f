//! What a user can set.

use sti_plugin::{Address, Card, Problem};

use crate::strip::{self, Strip};

/// Declares the settings.
pub(crate) fn declare(card: Card) -> Card {
    card.setting(strip::SETTING, "leading parts of names to leave out: a number, or auto", Some("auto"))
}

/// Reads how much of names is left out.
pub(crate) fn strip(address: &Address) -> Result<Strip, Problem> {
    Strip::parse(&address.setting(strip::SETTING).unwrap_or_default())
}
