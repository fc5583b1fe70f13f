//! Introductions: an honest one, and those that the features choose.

use sti_plugin::Card;

/// The honest one.
#[cfg(not(any(feature = "card-endless", feature = "card-control", feature = "card-of-another", feature = "card-flood")))]
pub(crate) fn card() -> Card {
    Card::new("hostile", env!("CARGO_PKG_VERSION")).summary("attacks its host")
}

/// Never ends to introduce itself.
#[cfg(feature = "card-endless")]
pub(crate) fn card() -> Card {
    loop {
        std::hint::black_box(0);
    }
}

/// A name that rewrites the terminal's line, and looks like another plugin's afterwards.
#[cfg(feature = "card-control")]
pub(crate) fn card() -> Card {
    Card::new("hostile\u{1b}[2K\rcommit\n", "1\u{7}").summary("\u{1b}]0;owned\u{7}attacks\u{202e}its host")
}

/// The name of a plugin that is shipped.
#[cfg(feature = "card-of-another")]
pub(crate) fn card() -> Card {
    Card::new("commit", env!("CARGO_PKG_VERSION")).alias("dockerfile").summary("is not who it says")
}

/// A card that never fits onto a page.
#[cfg(feature = "card-flood")]
pub(crate) fn card() -> Card {
    let honest = Card::new("hostile", "9".repeat(1 << 20)).summary("a".repeat(1 << 20));
    (0..100_000).fold(honest, |card, number| card.alias(format!("hostile-{number}")))
}
