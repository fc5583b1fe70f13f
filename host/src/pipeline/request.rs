//! What is asked for: a build, in types.

use std::collections::BTreeMap;

use sti_core::{Pull, Reference, Secret, UidRanges, Variable, Wishes, plan::Network};
use sti_policy::{Named, Triggers};
use sti_sandbox::Job;

use super::{
    fetching::{Fetched, Source},
    scripts::ScriptsAddress,
};

/// The strategy that is used where none is named.
pub(crate) const DEFAULT_STRATEGY: &str = "dockerfile";

/// Which strategy decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StrategyChoice {
    /// A name or alias of a plugin that the host knows.
    Named(String),
    /// A component in a file.
    File {
        /// As the user wrote it.
        shown: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// A build to be made. [`BuildRequest::new`] gives the defaults of the command line.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct BuildRequest {
    /// What is built.
    pub source: Source,
    /// Where the source came from, as the user wrote it, without credentials.
    pub source_address: String,
    /// Knows how to build it.
    pub builder_image: Reference,
    /// The name of the product.
    pub tag: Reference,
    /// Where the result is deployed, in an extended build.
    pub runtime_image: Option<Reference>,
    /// Who decides.
    pub strategy: StrategyChoice,
    /// Whether an earlier product is ignored.
    pub clean: bool,
    /// How the contract is to be followed.
    pub wishes: Wishes,
    /// Where scripts are that are in no image, of those that [`Wishes::scripts_url`] names.
    pub scripts: Option<ScriptsAddress>,
    /// Seen by the scripts and kept in the product.
    pub environment: Vec<Variable>,
    /// Seen by the scripts only.
    pub build_environment: Vec<Variable>,
    /// What scripts may read and no image may keep, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Those of the secrets that are directories, and where each is to be mounted.
    pub injected: Vec<Variable>,
    /// Settings of the strategy.
    pub settings: Vec<Variable>,
    /// Labels of the product.
    pub labels: Vec<Variable>,
    /// When builder and runtime image are pulled.
    pub pull: Pull,
    /// What containers reach.
    pub network: Network,
    /// Whether the image that the tag pointed to is removed.
    pub remove_previous: bool,
    /// Whether a build that succeeded returns without removing what it made in the engine beyond its products. It then counts as dead, and
    /// the next build on this engine, or `sti gc`, sweeps it. Without [`Host::lives`](crate::Host::lives) nobody would: no effect.
    pub leave_clean_up: bool,
    /// `prepare` or `assemble`, where forced.
    pub contract: Option<String>,
    /// Whether the container of a failed step is kept.
    pub keep_failed: bool,
    /// What is said of ONBUILD instructions of builder and runtime image.
    pub triggers: Triggers,
    /// Who anything may run as, by number, in whatever way images write it; everybody where absent.
    pub allowed_uids: Option<UidRanges>,
    /// How people shall call the product; its name where absent.
    pub application_name: Option<String>,
    /// What the product is, for people.
    pub description: Option<String>,
    /// The part of the source that is built; `.` for the whole.
    pub context_dir: String,
}

impl BuildRequest {
    /// A request with the defaults of the command line.
    pub fn new(source: impl Into<Source>, builder_image: Reference, tag: Reference) -> Self {
        Self {
            source: source.into(),
            source_address: String::new(),
            builder_image,
            tag,
            runtime_image: None,
            strategy: StrategyChoice::Named(DEFAULT_STRATEGY.to_owned()),
            clean: false,
            wishes: Wishes::default(),
            scripts: None,
            environment: Vec::new(),
            build_environment: Vec::new(),
            secrets: BTreeMap::new(),
            injected: Vec::new(),
            settings: Vec::new(),
            labels: Vec::new(),
            pull: Pull::Missing,
            network: Network::Outgoing,
            remove_previous: false,
            leave_clean_up: false,
            contract: None,
            keep_failed: false,
            triggers: Triggers::Refused,
            allowed_uids: None,
            application_name: None,
            description: None,
            context_dir: ".".to_owned(),
        }
    }

    /// What the user named: the grant where no policy narrows it.
    pub(crate) fn named(&self) -> Named {
        Named {
            images: std::iter::once(&self.builder_image).chain(&self.runtime_image).cloned().collect(),
            tag: self.tag.clone(),
            environment: self.environment.clone(),
            network: self.network,
            caches: Vec::new(),
            secrets: self.secrets.keys().cloned().collect(),
            build_environment: self.build_environment.clone(),
            users: self.users(),
            uids: self.allowed_uids.clone(),
            triggers: self.triggers,
        }
    }

    /// Who the user lets scripts run as: in the builder and its products, and in the runtime image.
    fn users(&self) -> Vec<(Reference, String)> {
        let products = std::iter::once(self.tag.clone()).chain(self.tag.sibling("build").ok());
        let built = std::iter::once(self.builder_image.clone()).chain(products);
        let builders = built.flat_map(|image| self.wishes.assemble_user.iter().map(move |user| (image.clone(), user.clone())));
        let runtime = self.runtime_image.iter().zip(&self.wishes.assemble_runtime_user);
        builders.chain(runtime.map(|(image, user)| (image.clone(), user.clone()))).collect()
    }

    /// What is known of where the source came from; what the host knows itself no fetcher can say otherwise.
    pub(crate) fn source_facts(&self, fetched: &Fetched) -> Vec<Variable> {
        let address = Variable::new("address", self.source_address.clone());
        std::iter::once(address).chain(fetched.facts.iter().filter(|fact| fact.name != "address").cloned()).collect()
    }

    /// The job as its strategy sees it, with the network that policy leaves it.
    pub(crate) fn job(&self, fetched: &Fetched, network: Network) -> Job {
        let strategy = match &self.strategy {
            StrategyChoice::Named(name) => name.clone(),
            StrategyChoice::File { .. } => String::new(),
        };
        Job {
            strategy,
            source: fetched.tree.clone(),
            source_facts: self.source_facts(fetched),
            builder_image: self.builder_image.clone(),
            runtime_image: self.runtime_image.clone(),
            tag: self.tag.clone(),
            clean: self.clean,
            wishes: self.wishes.clone(),
            allows_triggers: self.triggers == Triggers::Allowed,
            contract: self.contract.clone(),
            environment: self.environment.clone(),
            build_environment: self.build_environment.clone(),
            secrets: self.secrets.iter().filter(|(_, secret)| !secret.is_directory()).map(|(name, _)| name.clone()).collect(),
            injected: self.injected.clone(),
            settings: self.settings.clone(),
            platform: platform(),
            network,
        }
    }
}

/// What images must run on.
pub(super) fn platform() -> String {
    format!("{}/{}", std::env::consts::OS, architecture())
}

/// The processor in the words of the image specification, which are Go's.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
