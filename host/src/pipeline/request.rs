//! What is asked for: a build, in types.

use sti_core::{Incremental, Pull, Reference, Variable, plan::Network};
use sti_policy::Named;
use sti_sandbox::Job;

use super::fetching::{Fetched, Source};

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
    /// Whether artifacts of an earlier product are wanted.
    pub incremental: Incremental,
    /// Where scripts of the contract `assemble` are, such as `image:///usr/libexec/s2i`; else the source and the image say it.
    pub scripts_url: Option<String>,
    /// Below which directory source, scripts and artifacts arrive by `assemble`; else the image says it.
    pub destination: Option<String>,
    /// Who the script runs as that builds by `assemble`; else the image says it.
    pub assemble_user: Option<String>,
    /// The same of the script that puts the product of an extended build together in the runtime image.
    pub assemble_runtime_user: Option<String>,
    /// What an extended build by `assemble` deploys: `PATH[:DIRECTORY]`; else the runtime image says it.
    pub runtime_artifacts: Vec<String>,
    /// Seen by the scripts and kept in the product.
    pub environment: Vec<Variable>,
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
    /// `prepare` or `assemble`, where forced.
    pub contract: Option<String>,
    /// Whether the container of a failed step is kept.
    pub keep_failed: bool,
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
            incremental: Incremental::AsUsual,
            scripts_url: None,
            destination: None,
            assemble_user: None,
            assemble_runtime_user: None,
            runtime_artifacts: Vec::new(),
            environment: Vec::new(),
            settings: Vec::new(),
            labels: Vec::new(),
            pull: Pull::Missing,
            network: Network::Outgoing,
            remove_previous: false,
            contract: None,
            keep_failed: false,
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
            secrets: Vec::new(),
            users: self.assemble_user.iter().chain(&self.assemble_runtime_user).cloned().collect(),
        }
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
            incremental: self.incremental,
            scripts_url: self.scripts_url.clone(),
            destination: self.destination.clone(),
            assemble_user: self.assemble_user.clone(),
            assemble_runtime_user: self.assemble_runtime_user.clone(),
            runtime_artifacts: self.runtime_artifacts.clone(),
            contract: self.contract.clone(),
            environment: self.environment.clone(),
            settings: self.settings.clone(),
            platform: format!("{}/{}", std::env::consts::OS, architecture()),
            network,
        }
    }
}

/// The processor in the words of the image specification, which are Go's.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
