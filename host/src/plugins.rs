//! The plugins that this program knows: those built into it and those in files. Held against policy before any of their code runs.

mod installed;
mod matching;

use std::{path::PathBuf, time::Duration};

use sti_core::{Variable, closest::closest};
use sti_policy::{PluginIdentity, Policy};
use sti_sandbox::{Card, Component, Kind, Plugin, Sandbox};

pub use installed::Installed;
pub use sti_policy::Origin;

use crate::pipeline::{SourceAddress, error::StiError, request::StrategyChoice};

/// A plugin that was built with the program and is part of it.
pub(crate) struct Shipped {
    /// The name of the component's file, for messages only.
    pub(crate) file: &'static str,
    /// What it is: a build loads no plugin that it has no use for.
    pub(crate) kinds: &'static [Kind],
    /// The name on its card, and its aliases.
    pub(crate) names: &'static [&'static str],
    /// `sha256:…` of the bytes.
    pub(crate) digest: &'static str,
    /// The component.
    pub(crate) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// All plugins that can be called by name, and the sandbox they run in.
pub struct Plugins {
    sandbox: Sandbox,
    installed: Vec<Installed>,
}

/// A plugin as lists show it.
pub struct Known {
    /// The name of its component.
    pub name: String,
    /// What it says of itself; `None` where policy keeps it from saying anything.
    pub card: Option<Card>,
    /// `sha256:…` of the component.
    pub digest: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Who fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FetcherChoice {
    /// Whose card fits the address.
    #[default]
    ByAddress,
    /// A plugin that the host knows.
    Named(String),
    /// A component in a file.
    File {
        /// As the user wrote it.
        shown: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// A plugin that may run, as one of the kinds that it is.
pub(crate) struct Chosen {
    plugin: Plugin,
    identity: PluginIdentity,
    kind: Kind,
}

impl Plugins {
    /// The shipped plugins, run by this sandbox.
    pub fn new(sandbox: Sandbox) -> Self {
        Self { sandbox, installed: Vec::new() }
    }

    /// These, and those that the site installed.
    #[must_use]
    pub fn with_installed(self, installed: Vec<Installed>) -> Self {
        Self { installed, ..self }
    }

    /// Lists every plugin that can be called by name. What policy does not vet is listed by its digest, and none of its code runs.
    pub async fn known(&self, policy: &Policy) -> Result<Vec<Known>, StiError> {
        let mut known = Vec::new();
        for shipped in SHIPPED {
            let card = match policy.vet(&unread(shipped)) {
                Ok(()) => Some(self.sandbox.load(component(shipped)).await?.card().clone()),
                Err(_) => None,
            };
            let (name, digest) = (shipped.file.to_owned(), shipped.digest.to_owned());
            known.push(Known { name, card, digest, origin: Origin::Shipped });
        }
        for (plugin, identity) in self.installed(policy).await? {
            let PluginIdentity { name, digest, origin } = identity;
            known.push(Known { name, card: Some(plugin.card().clone()), digest, origin });
        }
        Ok(known)
    }

    /// Loads a component from bytes, for lists and checks; none of the grants of a build come with it.
    pub async fn examine(&self, shown: &str, bytes: &[u8], policy: &Policy) -> Result<Known, StiError> {
        let (plugin, identity) = self.load_file(shown, bytes, policy).await?;
        Ok(Known { name: identity.name, card: Some(plugin.card().clone()), digest: identity.digest, origin: identity.origin })
    }

    pub(crate) async fn strategy(&self, choice: &StrategyChoice, policy: &Policy) -> Result<Chosen, StiError> {
        match choice {
            StrategyChoice::File { shown, bytes } => self.of_file(Kind::Strategy, shown, bytes, policy).await,
            StrategyChoice::Named(name) => match self.named(Kind::Strategy, name, policy).await? {
                Some(chosen) => Ok(chosen),
                None => Err(self.no_strategy(name, policy).await?),
            },
        }
    }

    async fn no_strategy(&self, name: &str, policy: &Policy) -> Result<StiError, StiError> {
        let shipped = of_kind(Kind::Strategy).flat_map(|shipped| shipped.names).map(|name| (*name).to_owned());
        let installed = self.installed_of(Kind::Strategy, policy).await?;
        let known: Vec<_> = shipped.chain(installed.into_iter().map(|(_, identity)| identity.name)).collect();
        let nearest = closest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Ok(StiError::InvalidStrategy { name: name.to_owned(), known, nearest })
    }

    /// Who fetches an address: whom the user names, else by the cards of those that policy vets.
    pub(crate) async fn fetcher(&self, address: &SourceAddress, policy: &Policy) -> Result<Chosen, StiError> {
        match &address.fetcher {
            FetcherChoice::File { shown, bytes } => self.of_file(Kind::Fetcher, shown, bytes, policy).await,
            FetcherChoice::Named(name) => {
                self.named(Kind::Fetcher, name, policy).await?.ok_or_else(|| StiError::InvalidArgument {
                    what: format!("`{name}` is no fetcher"),
                    hint: Some("`sti plugins` lists what each plugin is".to_owned()),
                })
            }
            FetcherChoice::ByAddress => self.fitting_fetcher(address, policy).await,
        }
    }

    async fn fitting_fetcher(&self, address: &SourceAddress, policy: &Policy) -> Result<Chosen, StiError> {
        let (mut fetchers, mut denial) = (Vec::new(), None);
        for shipped in of_kind(Kind::Fetcher) {
            match policy.vet(&unread(shipped)) {
                Ok(()) => fetchers.push(chosen(self.sandbox.load(component(shipped)).await?, Kind::Fetcher)),
                Err(refused) => drop(denial.get_or_insert(refused)),
            }
        }
        let installed = self.installed_of(Kind::Fetcher, policy).await?;
        fetchers.extend(installed.into_iter().map(|(plugin, identity)| Chosen { plugin, identity, kind: Kind::Fetcher }));
        let cards: Vec<_> = fetchers.iter().map(|fetcher| fetcher.plugin.card()).collect();
        match (matching::fitting(&cards, address), denial) {
            (Some(place), _) => Ok(fetchers.swap_remove(place)),
            (None, Some(denial)) => Err(denial.into()),
            (None, None) => {
                let known = cards.iter().flat_map(|card| &card.schemes).map(|scheme| format!("{scheme}:")).collect();
                Err(StiError::NoFetcher { address: address.written.clone(), known })
            }
        }
    }

    /// A shipped or installed plugin by its name or alias. None of its code runs before it is vetted.
    async fn named(&self, kind: Kind, name: &str, policy: &Policy) -> Result<Option<Chosen>, StiError> {
        let Some(shipped) = of_kind(kind).find(|shipped| shipped.names.contains(&name)) else {
            let installed = self.installed_of(kind, policy).await?;
            let named = installed.into_iter().find(|(plugin, _)| plugin.card().answers_to(name));
            return Ok(named.map(|(plugin, identity)| Chosen { plugin, identity, kind }));
        };
        policy.vet(&unread(shipped))?;
        Ok(Some(chosen(self.sandbox.load(component(shipped)).await?, kind)))
    }

    /// A component of a file, which must be of this kind.
    async fn of_file(&self, kind: Kind, shown: &str, bytes: &[u8], policy: &Policy) -> Result<Chosen, StiError> {
        let (plugin, identity) = self.load_file(shown, bytes, policy).await?;
        if !plugin.card().kinds.contains(&kind) {
            return Err(StiError::of_another_kind(shown, kind));
        }
        Ok(Chosen { plugin, identity, kind })
    }

    /// Every validator that wants to judge at this moment and that policy vets. What it does not vet is not asked, whatever it may be.
    pub(crate) async fn validators(
        &self,
        moment: sti_sandbox::Moment,
        policy: &Policy,
    ) -> Result<Vec<(Plugin, PluginIdentity)>, StiError> {
        let mut validators = Vec::new();
        for shipped in of_kind(Kind::Validator) {
            if policy.vet(&unread(shipped)).is_err() {
                continue;
            }
            let plugin = self.sandbox.load(component(shipped)).await?;
            if plugin.card().judges.contains(&moment) {
                let identity = identity_of(&plugin, Origin::Shipped);
                validators.push((limited(&plugin, policy.own_limits(&identity)), identity));
            }
        }
        let installed = self.installed_of(Kind::Validator, policy).await?;
        validators.extend(installed.into_iter().filter(|(plugin, _)| plugin.card().judges.contains(&moment)));
        Ok(validators)
    }

    /// Vets by digest before a byte of it is compiled.
    async fn load_file(&self, shown: &str, bytes: &[u8], policy: &Policy) -> Result<(Plugin, PluginIdentity), StiError> {
        let digest = sti_sandbox::digest_of(bytes);
        let origin = Origin::File(PathBuf::from(shown));
        policy.vet(&PluginIdentity { name: shown.to_owned(), digest: digest.clone(), origin: origin.clone() })?;
        let plugin = self.sandbox.load(Component { shown, digest: Some(&digest), bytes }).await?;
        let identity = identity_of(&plugin, origin);
        if is_taken(plugin.card()) {
            return Err(StiError::NameTaken { shown: shown.to_owned(), name: plugin.card().name.clone() });
        }
        Ok((plugin, identity))
    }
}

impl Chosen {
    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(crate) fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    /// Refuses settings that the card does not declare.
    pub(crate) fn check_settings(&self, settings: &[Variable]) -> Result<(), StiError> {
        let declared = || self.plugin.card().settings.iter().map(|setting| setting.name.as_str());
        match settings.iter().find(|setting| !declared().any(|name| name == setting.name)) {
            None => Ok(()),
            Some(unknown) => Err(StiError::UnknownSetting {
                name: unknown.name.clone(),
                kind: self.kind.name(),
                plugin: self.plugin.card().name.clone(),
                known: declared().map(str::to_owned).collect(),
            }),
        }
    }
}

/// A plugin within the limits that policy grants it.
pub(crate) fn limited(plugin: &Plugin, granted: sti_policy::Limits) -> Plugin {
    plugin.limited(&within(plugin.limits(), granted))
}

/// What policy makes of the limits of a sandbox: what a user's own file says is never more than these.
fn within(built_in: &sti_sandbox::Limits, granted: sti_policy::Limits) -> sti_sandbox::Limits {
    let seconds = granted.seconds.map(Duration::from_secs);
    let given = sti_sandbox::Limits {
        memory: granted.memory.unwrap_or(built_in.memory),
        answer: seconds.unwrap_or(built_in.answer),
        fetch: seconds.unwrap_or(built_in.fetch),
        ..built_in.clone()
    };
    if granted.may_widen { given } else { given.narrowed(built_in) }
}

fn chosen(plugin: Plugin, kind: Kind) -> Chosen {
    Chosen { identity: identity_of(&plugin, Origin::Shipped), plugin, kind }
}

fn of_kind(kind: Kind) -> impl Iterator<Item = &'static Shipped> {
    SHIPPED.iter().filter(move |shipped| shipped.kinds.contains(&kind))
}

/// Whether a card bears a name or alias of a shipped plugin: messages and policy would speak of the wrong one.
fn is_taken(card: &Card) -> bool {
    SHIPPED.iter().flat_map(|shipped| shipped.names).any(|name| card.answers_to(name))
}

fn component(shipped: &'static Shipped) -> Component<'static> {
    Component { shown: shipped.file, digest: Some(shipped.digest), bytes: shipped.bytes }
}

/// The identity of a component of which nothing was read yet.
fn unread(shipped: &Shipped) -> PluginIdentity {
    PluginIdentity { name: shipped.file.to_owned(), digest: shipped.digest.to_owned(), origin: Origin::Shipped }
}

fn identity_of(plugin: &Plugin, origin: Origin) -> PluginIdentity {
    PluginIdentity { name: plugin.card().name.clone(), digest: plugin.digest().to_owned(), origin }
}

#[cfg(test)]
mod tests {
    use sti_sandbox::{Limits, Settings};

    use super::*;

    #[test]
    fn only_the_site_gives_a_plugin_more_than_is_built_in() {
        let built_in = Limits::default();
        let given = |memory, seconds, may_widen| within(&built_in, sti_policy::Limits { memory, seconds, may_widen });
        assert_eq!(given(None, None, true), built_in);
        let (more, less) = (given(Some(1 << 30), Some(3600), true), given(Some(1 << 30), Some(3600), false));
        assert_eq!((more.memory, more.answer, more.fetch), (1 << 30, Duration::from_hours(1), Duration::from_hours(1)));
        assert_eq!((less.memory, less.answer, less.fetch), (built_in.memory, built_in.answer, built_in.fetch));
        assert_eq!(given(Some(1 << 20), Some(1), false).memory, 1 << 20);
        let own = Limits { memory: 1 << 20, ..Limits::default() };
        assert_eq!(within(&own, sti_policy::Limits::default()), own, "a sandbox keeps limits of its own");
    }

    #[tokio::test]
    async fn manifests_say_of_plugins_what_these_say_of_themselves() {
        let sandbox = Sandbox::new(Settings { store: None, limits: Limits::default() }).unwrap();
        let plugins = Plugins::new(sandbox);
        for (known, shipped) in plugins.known(&Policy::none()).await.unwrap().iter().zip(SHIPPED) {
            let card = known.card.as_ref().unwrap();
            let names: Vec<_> = std::iter::once(&card.name).chain(&card.aliases).map(String::as_str).collect();
            assert_eq!((known.name.as_str(), names.as_slice()), (shipped.file, shipped.names));
            assert_eq!(card.kinds, shipped.kinds, "{}", shipped.file);
        }
    }
}
