//! The plugins that this program knows: those built into it and those in files. Held against policy before any of their code runs.

mod matching;

use std::path::PathBuf;

use sti_core::{Variable, closest::closest};
use sti_policy::{PluginIdentity, Policy};
use sti_sandbox::{Card, Component, Kind, Plugin, Sandbox};

pub use sti_policy::Origin;

use crate::pipeline::{SourceAddress, error::StiError, request::StrategyChoice};

/// A plugin that was built with the program and is part of it.
pub(crate) struct Shipped {
    /// The name of the component's file, for messages only.
    pub(crate) file: &'static str,
    /// `sha256:…` of the bytes.
    pub(crate) digest: &'static str,
    /// The component.
    pub(crate) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// All plugins that can be called by name, and the sandbox they run in.
pub struct Plugins {
    sandbox: Sandbox,
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
        Self { sandbox }
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
        Ok(known)
    }

    /// Loads a component from bytes, for lists and checks; none of the grants of a build come with it.
    pub async fn examine(&self, shown: &str, bytes: &[u8], policy: &Policy) -> Result<Known, StiError> {
        let (plugin, identity) = self.load_file(shown, bytes, policy).await?;
        Ok(Known { name: identity.name, card: Some(plugin.card().clone()), digest: identity.digest, origin: identity.origin })
    }

    pub(crate) async fn strategy(&self, choice: &StrategyChoice, policy: &Policy) -> Result<Chosen, StiError> {
        match choice {
            StrategyChoice::Named(name) => self.named_strategy(name, policy).await,
            StrategyChoice::File { shown, bytes } => {
                let (plugin, identity) = self.load_file(shown, bytes, policy).await?;
                if !plugin.card().kinds.contains(&Kind::Strategy) {
                    return Err(StiError::no_strategy_in(shown));
                }
                Ok(Chosen { plugin, identity, kind: Kind::Strategy })
            }
        }
    }

    /// Every validator that wants to judge at this moment and that policy vets. What it does not vet is not asked, whatever it may be.
    pub(crate) async fn validators(
        &self,
        moment: sti_sandbox::Moment,
        policy: &Policy,
    ) -> Result<Vec<(Plugin, PluginIdentity)>, StiError> {
        let mut validators = Vec::new();
        for shipped in SHIPPED {
            if policy.vet(&unread(shipped)).is_err() {
                continue;
            }
            let plugin = self.sandbox.load(component(shipped)).await?;
            if plugin.card().kinds.contains(&Kind::Validator) && plugin.card().judges.contains(&moment) {
                let identity = identity_of(&plugin, Origin::Shipped);
                validators.push((plugin, identity));
            }
        }
        Ok(validators)
    }

    /// Who fetches an address: whom the user names, else by the cards of those that policy vets.
    pub(crate) async fn fetcher(&self, address: &SourceAddress, policy: &Policy) -> Result<Chosen, StiError> {
        let not_a_fetcher = |shown: &str| StiError::InvalidArgument {
            what: format!("`{shown}` is no fetcher"),
            hint: Some("`sti plugins` lists what each plugin is".to_owned()),
        };
        if let FetcherChoice::File { shown, bytes } = &address.fetcher {
            let (plugin, identity) = self.load_file(shown, bytes, policy).await?;
            let is_fetcher = plugin.card().kinds.contains(&Kind::Fetcher);
            return is_fetcher.then_some(Chosen { plugin, identity, kind: Kind::Fetcher }).ok_or_else(|| not_a_fetcher(shown));
        }
        let (fetchers, denial) = self.fetchers(policy).await?;
        let cards: Vec<_> = fetchers.iter().map(Plugin::card).collect();
        let place = match &address.fetcher {
            FetcherChoice::Named(name) => cards.iter().position(|card| card.answers_to(name)),
            _ => matching::fitting(&cards, address),
        };
        match (place, denial, &address.fetcher) {
            (Some(place), ..) => {
                let plugin = fetchers[place].clone();
                Ok(Chosen { identity: identity_of(&plugin, Origin::Shipped), plugin, kind: Kind::Fetcher })
            }
            (None, Some(denial), _) => Err(denial.into()),
            (None, None, FetcherChoice::Named(name)) => Err(not_a_fetcher(name)),
            (None, None, _) => {
                let known = cards.iter().flat_map(|card| &card.schemes).map(|scheme| format!("{scheme}:")).collect();
                Err(StiError::NoFetcher { address: address.written.clone(), known })
            }
        }
    }

    /// The shipped fetchers that policy vets, and why another one is not among them.
    async fn fetchers(&self, policy: &Policy) -> Result<(Vec<Plugin>, Option<sti_policy::Denial>), StiError> {
        let (mut fetchers, mut denial) = (Vec::new(), None);
        for shipped in SHIPPED {
            if let Err(refused) = policy.vet(&unread(shipped)) {
                denial.get_or_insert(refused);
                continue;
            }
            let plugin = self.sandbox.load(component(shipped)).await?;
            if plugin.card().kinds.contains(&Kind::Fetcher) {
                fetchers.push(plugin);
            }
        }
        Ok((fetchers, denial))
    }

    async fn named_strategy(&self, name: &str, policy: &Policy) -> Result<Chosen, StiError> {
        let mut names = Vec::new();
        let mut denial = None;
        for shipped in SHIPPED {
            // None of its code runs before it is vetted, not even to say its name.
            if let Err(refused) = policy.vet(&unread(shipped)) {
                if shipped.file == name {
                    return Err(refused.into());
                }
                denial.get_or_insert(refused);
                continue;
            }
            let plugin = self.sandbox.load(component(shipped)).await?;
            let card = plugin.card();
            if !card.kinds.contains(&Kind::Strategy) {
                continue;
            }
            if card.answers_to(name) {
                let identity = identity_of(&plugin, Origin::Shipped);
                return Ok(Chosen { plugin, identity, kind: Kind::Strategy });
            }
            names.push(card.name.clone());
            names.extend(card.aliases.iter().cloned());
        }
        if let Some(denial) = denial {
            return Err(denial.into());
        }
        let nearest = closest(name, names.iter().map(String::as_str)).map(str::to_owned);
        Err(StiError::InvalidStrategy { name: name.to_owned(), known: names, nearest })
    }

    /// Whether a card bears a name or alias of a shipped plugin: messages and policy would speak of the wrong one.
    async fn is_taken(&self, card: &Card, policy: &Policy) -> Result<bool, StiError> {
        let names = || std::iter::once(&card.name).chain(&card.aliases);
        let known = self.known(policy).await?;
        Ok(known.iter().any(|known| {
            names().any(|name| *name == known.name || known.card.as_ref().is_some_and(|shipped| shipped.answers_to(name)))
        }))
    }

    /// Vets by digest before a byte of it is compiled.
    async fn load_file(&self, shown: &str, bytes: &[u8], policy: &Policy) -> Result<(Plugin, PluginIdentity), StiError> {
        let digest = sti_sandbox::digest_of(bytes);
        let origin = Origin::File(PathBuf::from(shown));
        policy.vet(&PluginIdentity { name: shown.to_owned(), digest: digest.clone(), origin: origin.clone() })?;
        let plugin = self.sandbox.load(Component { shown, digest: Some(&digest), bytes }).await?;
        let identity = identity_of(&plugin, origin);
        if self.is_taken(plugin.card(), policy).await? {
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
