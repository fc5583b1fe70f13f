//! How a plugin introduces itself, before it is granted anything.

use crate::{Moment, host::requests};

/// What a plugin says of itself.
///
/// ```
/// use sti_plugin::Card;
///
/// let card = Card::new("static-files", "1.0.0")
///     .alias("static")
///     .summary("puts files into an image without running anything")
///     .setting("at", "where the files go", Some("/srv"));
/// assert_eq!(card.name(), "static-files");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    name: String,
    version: String,
    aliases: Vec<String>,
    summary: String,
    homepage: Option<String>,
    settings: Vec<Setting>,
    schemes: Vec<String>,
    suffixes: Vec<String>,
    moments: Vec<Moment>,
}

/// Something that a user can set by `--set NAME=VALUE`.
///
/// ```
/// use sti_plugin::Card;
///
/// let card = Card::new("static-files", "1.0.0").setting("at", "where the files go", Some("/srv"));
/// assert_eq!(card.settings()[0].default.as_deref(), Some("/srv"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What users write before the `=`.
    pub name: String,
    /// One line for help pages.
    pub summary: String,
    /// What holds where the user sets nothing.
    pub default: Option<String>,
}

impl Card {
    /// Starts with the name that users type, in kebab-case, and a version; `env!("CARGO_PKG_VERSION")` is a good one.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            aliases: Vec::new(),
            summary: String::new(),
            homepage: None,
            settings: Vec::new(),
            schemes: Vec::new(),
            suffixes: Vec::new(),
            moments: Vec::new(),
        }
    }

    /// Adds another name that the plugin answers to.
    #[must_use]
    pub fn alias(mut self, name: impl Into<String>) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// Says in one line what the plugin does, for lists and help pages.
    #[must_use]
    pub fn summary(self, text: impl Into<String>) -> Self {
        Self { summary: text.into(), ..self }
    }

    /// Says where more can be read.
    #[must_use]
    pub fn homepage(self, url: impl Into<String>) -> Self {
        Self { homepage: Some(url.into()), ..self }
    }

    /// Declares a setting; those that no card declares are refused before any work.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, summary: impl Into<String>, default: Option<&str>) -> Self {
        self.settings.push(Setting { name: name.into(), summary: summary.into(), default: default.map(str::to_owned) });
        self
    }

    /// Fetchers: adds an address scheme that is served, such as `git`.
    #[must_use]
    pub fn serves_scheme(mut self, scheme: impl Into<String>) -> Self {
        self.schemes.push(scheme.into());
        self
    }

    /// Fetchers: adds an ending of a path or address that is served, such as `.tar.gz`. The longest match is taken.
    #[must_use]
    pub fn serves_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffixes.push(suffix.into());
        self
    }

    /// Validators: adds a moment at which it wants to be asked.
    #[must_use]
    pub fn judges(mut self, moment: Moment) -> Self {
        self.moments.push(moment);
        self
    }

    /// Tells the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells the other names.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// Tells the settings, in the order in which they were declared.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    pub(crate) fn into_settings(self) -> Vec<Setting> {
        self.settings
    }

    pub(crate) fn write_to(&self, card: &requests::Card) {
        card.name(&self.name);
        card.version(&self.version);
        card.summary(&self.summary);
        self.aliases.iter().for_each(|alias| card.alias(alias));
        if let Some(homepage) = &self.homepage {
            card.homepage(homepage);
        }
        for setting in &self.settings {
            card.setting(&setting.name, &setting.summary, setting.default.as_deref());
        }
        self.schemes.iter().for_each(|scheme| card.serves_scheme(scheme));
        self.suffixes.iter().for_each(|suffix| card.serves_suffix(suffix));
        self.moments.iter().for_each(|moment| card.judges(*moment));
    }
}

/// Tells the default that a card declares for a setting.
pub(crate) fn default_of(settings: &[Setting], name: &str) -> Option<String> {
    settings.iter().find(|setting| setting.name == name)?.default.clone()
}
