//! The trait that every engine implements, and what goes into and comes out of it.

pub mod archive;
pub mod cases;
pub mod detour;
mod error;
pub mod fake;
mod image_run;
pub mod labels;
mod questions;
pub mod secrets;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use sti_core::{
    BuildId, Identity, ImageFacts, ImageId, Needles, PathFact, Progress, Pull, Reference, Secret, Tree, plan::StepId,
};
use sti_policy::ApprovedPlan;

pub use error::{Error, Exit, StepFailure};
pub use image_run::{GRACE, ImageRun, RunEnd};
pub use questions::Questions;

/// Where containers run. One value serves one build: what it makes is labelled with that build's [`BuildId`].
///
/// Dropping the future of any call leaves the engine in a state from which [`Engine::clean_up`] removes everything.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Says what answers, for `sti version` and `sti doctor`.
    async fn about(&self) -> Result<About, Error>;

    /// Finds an image, pulling it as asked. `None` where it exists nowhere it may be looked for.
    async fn inspect(&self, image: &Reference, pull: Pull, progress: &dyn Progress) -> Result<Option<ImageFacts>, Error>;

    /// Tells what lies at absolute paths of an image, links followed inside the image; what does not exist is left out. Answers keep
    /// the order of the questions, and are remembered for the image.
    async fn look_at(&self, image: &ImageFacts, paths: &[String]) -> Result<Vec<PathFact>, Error>;

    /// Reads a file of an image; `None` where there is none. A larger file than `limit` bytes is an error.
    async fn read(&self, image: &ImageFacts, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error>;

    /// Tells who a container of the image runs as, names resolved inside the image.
    async fn identity(&self, image: &ImageFacts) -> Result<Identity, Error>;

    /// Carries out a plan, steps that do not depend on each other side by side. Tags nothing.
    async fn execute(&self, execution: Execution<'_>) -> Result<Outcome, Error>;

    /// Looks for secrets in all that an image has beyond others: in the bytes and names of its files, and in what it says of itself.
    async fn find_secret(&self, image: &ImageId, beyond: &[ImageId], needles: &Needles) -> Result<Option<Trace>, Error>;

    /// Runs an image until its command ends, however it does. The container is this build's to clean up.
    async fn run_image(&self, run: ImageRun<'_>) -> Result<RunEnd, Error>;

    /// Gives an image a name, taking it from the image that bore it.
    async fn tag(&self, image: &ImageId, tag: &Reference) -> Result<(), Error>;

    /// Takes a name away that this build gave; what bears no other is this build's to clean up again.
    async fn untag(&self, tag: &Reference, image: &ImageId) -> Result<(), Error>;

    /// Removes an image that no name and no container needs; `false` where something still does.
    async fn remove_image(&self, image: &ImageId) -> Result<bool, Error>;

    /// Removes everything that this build made, except images that were tagged, and what [`Execution::keep_failed`] kept. Idempotent.
    async fn clean_up(&self) -> Result<(), Error>;

    /// The builds that left something in this engine, this one excepted.
    async fn leftovers(&self) -> Result<Vec<Leftover>, Error>;

    /// Removes what a dead build left: containers, volumes, untagged images. Answers how many things went.
    async fn sweep(&self, build: &BuildId) -> Result<u64, Error>;

    /// How many requests were sent so far.
    fn requests(&self) -> u64;

    /// The build that this value serves.
    fn build(&self) -> &BuildId;

    /// Where the engine was found, such as `unix:///var/run/docker.sock`: the same text for the same engine.
    fn endpoint(&self) -> String;
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct About {
    /// `Docker`, `Podman`, ….
    pub product: String,
    /// Its version.
    pub version: String,
    /// The version of the API that is spoken.
    pub api: String,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// Where it was found.
    pub endpoint: String,
}

impl fmt::Display for About {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { product, version, api, platform, endpoint } = self;
        write!(formatter, "{product} {version} (API {api}, {platform}) at {endpoint}")
    }
}

/// What a plan is carried out with.
pub struct Execution<'a> {
    /// What shall be done.
    pub plan: &'a ApprovedPlan,
    /// The bytes behind the plan's contents.
    pub contents: &'a Contents,
    /// Leaves the container of a failed step in place, named in the error (`--debug`).
    pub keep_failed: bool,
    /// Where it is told how things go.
    pub progress: &'a dyn Progress,
}

/// The bytes behind a plan's contents.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// What `Content::Source` stands for.
    pub source: Option<Tree>,
    /// What `Content::Secret` stands for, by name.
    pub secrets: BTreeMap<String, Secret>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The images by the step that made them.
    pub images: BTreeMap<StepId, ImageId>,
}

/// A secret that was found where none may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The name of the secret.
    pub secret: String,
    /// Where it is, as it reads behind "in": `/app/config`, or `its configuration`.
    pub place: String,
}

/// What a build left behind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Leftover {
    /// Which build.
    pub build: BuildId,
    /// The value of its label [`OWNER_LABEL`]: which machine and user it ran as.
    pub owner: Option<String>,
    /// How many containers, volumes and images.
    pub things: u64,
}

/// The label that tells whose build it was, so that nobody judges the life of another machine's build.
pub const OWNER_LABEL: &str = "sti.owner";
