//! The engine that speaks to Docker or Podman: the only place that names bollard.

mod assemble;
mod builder;
mod commit;
mod connect;
mod container;
mod contents;
mod credentials;
mod detours;
mod dockerfile;
mod endpoint;
mod execute;
mod failures;
mod forget;
mod identity;
mod image_config;
mod inspect;
mod instructions;
mod ledger;
mod look;
mod memory;
mod output_lines;
mod places;
mod pull;
mod requests;
mod run;
mod run_image;
mod run_step;
mod search;
mod secrets;
mod surroundings;
mod sweep;
mod tls;
mod unfinished;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bollard::models::ImageConfig;
use cap_std::fs::Dir;
use sti_core::{BuildId, Identity, ImageFacts, ImageId, Needles, PathFact, Progress, Pull, Reference};
use sti_engine::{About, Engine, Error, Execution, ImageRun, Leftover, Outcome, RunEnd, Trace};

pub use credentials::DockerConfig;
pub use endpoint::{Endpoint, Malformed, Transport};
pub use instructions::dockerfiles;
pub use surroundings::{Candidate, NoEndpoint, Origin, Surroundings, candidates};
pub use tls::TlsFiles;

use crate::{ledger::Ledger, memory::Memory, requests::Requests};

/// What an engine of one build is made with.
pub struct Settings {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// What it is spoken to with in TLS.
    pub tls: Option<TlsFiles>,
    /// The build that all things made are labelled with.
    pub build: BuildId,
    /// The value of [`sti_engine::OWNER_LABEL`].
    pub owner: String,
    /// A private directory where answers about images are remembered by image id. Without one they last as long as the engine.
    pub memory: Option<Dir>,
    /// Where each request is told (`--debug`).
    pub requests_told: Option<Arc<dyn Progress>>,
}

/// Docker or Podman, for one build.
pub struct DockerEngine {
    requests: Requests,
    about: About,
    is_podman: bool,
    build: BuildId,
    owner: String,
    ledger: Ledger,
    memory: Memory,
    docker_config: Option<DockerConfig>,
    /// What images say of themselves, by id.
    configs: Mutex<HashMap<ImageId, ImageConfig>>,
    /// Containers that never start, made to look into images.
    probes: tokio::sync::Mutex<BTreeMap<ImageId, String>>,
    /// A volume that says that a build by instructions is under way: nothing else of such a build can be labelled.
    witness: tokio::sync::OnceCell<()>,
    /// What was asked about images, and who was committed: the next build asks the same of what this one made.
    curiosity: Mutex<Curiosity>,
}

/// What will be worth knowing of the images that this build made.
#[derive(Default)]
struct Curiosity {
    asked: BTreeMap<ImageId, BTreeSet<Question>>,
    committed: Vec<commit::Committed>,
}

/// Something that was asked about an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// What lies at a path.
    Path(String),
    /// What a file holds that may be so long.
    Text(String, u64),
}

impl Question {
    fn path(&self) -> &str {
        match self {
            Self::Path(path) | Self::Text(path, _) => path,
        }
    }
}

impl DockerEngine {
    /// Connects to the engine at one endpoint. Sends one request.
    pub async fn connect(settings: Settings) -> Result<Self, Error> {
        let connected = connect::connect(&settings.endpoint, settings.tls.as_ref()).await?;
        Ok(Self::on(connected, settings))
    }

    /// Connects to what was named, or else to the first engine that answers in a standard place; credentials for registries are
    /// those of docker's configuration.
    pub async fn find(facts: &Surroundings, settings: impl FnOnce(&Candidate) -> Settings) -> Result<Self, NoEndpoint> {
        let (candidate, connected) = surroundings::find(facts).await?;
        let config = facts.docker_directory.as_ref().and_then(|(directory, _)| DockerConfig::read(directory));
        Ok(Self::on(connected, settings(&candidate)).with_credentials(config))
    }

    /// Pulls with the credentials of docker's configuration.
    #[must_use]
    pub fn with_credentials(self, docker_config: Option<DockerConfig>) -> Self {
        Self { docker_config, ..self }
    }

    fn on(connected: connect::Connected, settings: Settings) -> Self {
        let endpoint = settings.endpoint.to_string();
        let requests = Requests::new(connected.docker, endpoint, settings.requests_told);
        requests.begin("GET /version");
        Self {
            requests,
            about: connected.about,
            is_podman: connected.is_podman,
            ledger: Ledger::new(settings.build.clone()),
            build: settings.build,
            owner: settings.owner,
            memory: Memory::new(settings.memory),
            docker_config: None,
            configs: Mutex::default(),
            probes: tokio::sync::Mutex::default(),
            witness: tokio::sync::OnceCell::new(),
            curiosity: Mutex::default(),
        }
    }

    fn curiosity(&self) -> std::sync::MutexGuard<'_, Curiosity> {
        self.curiosity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for DockerEngine {
    async fn about(&self) -> Result<About, Error> {
        Ok(self.about.clone())
    }

    async fn inspect(&self, image: &Reference, pull: Pull, progress: &dyn Progress) -> Result<Option<ImageFacts>, Error> {
        self.find_image(image, pull, progress).await
    }

    async fn look_at(&self, image: &ImageFacts, paths: &[String]) -> Result<Vec<PathFact>, Error> {
        self.look_at_paths(&image.id, paths).await
    }

    async fn read(&self, image: &ImageFacts, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        self.read_file(&image.id, path, limit).await
    }

    async fn identity(&self, image: &ImageFacts) -> Result<Identity, Error> {
        self.identity_of(&image.id, &image.user, &image.reference.to_string()).await
    }

    async fn execute(&self, execution: Execution<'_>) -> Result<Outcome, Error> {
        self.execute_plan(execution).await
    }

    async fn find_secret(&self, image: &ImageId, beyond: &[ImageId], needles: &Needles) -> Result<Option<Trace>, Error> {
        self.search_image(image, beyond, needles).await
    }

    async fn run_image(&self, run: ImageRun<'_>) -> Result<RunEnd, Error> {
        self.run_as_it_says(run).await
    }

    async fn tag(&self, image: &ImageId, tag: &Reference) -> Result<(), Error> {
        self.tag_image(image, tag).await
    }

    async fn untag(&self, tag: &Reference, image: &ImageId) -> Result<(), Error> {
        self.untag_image(tag, image).await
    }

    async fn remove_image(&self, image: &ImageId) -> Result<bool, Error> {
        self.remove_previous_image(image).await
    }

    async fn clean_up(&self) -> Result<(), Error> {
        self.remove_remains().await
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Error> {
        self.find_leftovers().await
    }

    async fn sweep(&self, build: &BuildId) -> Result<u64, Error> {
        self.remove_leftovers(build).await
    }

    fn requests(&self) -> u64 {
        self.requests.sent()
    }

    fn build(&self) -> &BuildId {
        &self.build
    }

    fn endpoint(&self) -> String {
        self.requests.endpoint().to_owned()
    }
}
