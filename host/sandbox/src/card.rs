//! What a plugin says of itself, and what its component shows: kept beside the compiled code.

use serde::{Deserialize, Serialize};

/// An introduction. Every text is one line without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The name that users type, in kebab-case.
    pub name: String,
    /// Other names that it answers to.
    pub aliases: Vec<String>,
    /// Its version, as it writes it.
    pub version: String,
    /// One line.
    pub summary: String,
    /// Where to read more; empty where it says nothing.
    pub homepage: String,
    /// What `--set` understands.
    pub settings: Vec<Setting>,
    /// Fetchers: address schemes that it serves.
    pub schemes: Vec<String>,
    /// Fetchers: endings that it serves.
    pub suffixes: Vec<String>,
    /// Validators: when it wants to be asked.
    pub judges: Vec<Moment>,
    /// What it is, as its exports show.
    pub kinds: Vec<Kind>,
    /// The interfaces of `sti:host` that its code calls, without their version; the inert WASI of every guest is left out.
    pub needs: Vec<String>,
}

impl Card {
    /// Whether it answers to a name.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// A setting that a plugin understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// As in `--set NAME=VALUE`.
    pub name: String,
    /// One line.
    pub summary: String,
    /// What holds where the user says nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub default: Option<String>,
}

/// What a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Decides how a source becomes images.
    Strategy,
    /// Turns an address into a tree.
    Fetcher,
    /// Judges a source, an image, a plan or a product.
    Validator,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Strategy, Self::Fetcher, Self::Validator];

    /// The interface of `sti:plugin` that it exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strategy => "strategy",
            Self::Fetcher => "fetcher",
            Self::Validator => "validator",
        }
    }
}

/// When a validator is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before planning: is the image fit to build with?
    Image,
    /// After fetching.
    Source,
    /// Before anything runs.
    Plan,
    /// Before anything is tagged.
    Product,
}
