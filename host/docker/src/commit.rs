//! Makes an image of a container.
//!
//! The image bears no label of ours, since a label would stay for ever and be inherited by what others build from it. Its comment
//! says which build made it; together with a container of that build that is still there (containers are removed last) it tells an
//! image that a killed build left from one that was a product once.

use bollard::{models::ImageInspect, query_parameters::CommitContainerOptionsBuilder};
use sti_core::{
    BuildId, ImageId, Progress,
    plan::{ImageChanges, Run},
    progress::Level,
};
use sti_engine::Error;

use crate::{DockerEngine, dockerfile, image_config};

/// An image of this build and the container that it was made of.
#[derive(Clone)]
pub(crate) struct Committed {
    /// The image that came out.
    pub(crate) image: ImageId,
    /// The image that the container was made from.
    pub(crate) base: ImageId,
    /// Where it can be looked into until it is removed.
    pub(crate) container: String,
    /// What was mounted there, and is not in the image.
    pub(crate) mounted: Vec<String>,
    /// The programs that this build or its product runs.
    pub(crate) programs: Vec<String>,
}

const NAMES_STAY: &str = "this engine keeps the names, without values, of variables that were for scripts only";

/// What the comment of an image says that this build made.
pub(crate) fn comment(build: &BuildId) -> String {
    format!("{}={build}", sti_core::build_id::LABEL)
}

/// Whether an image says by its comment that a build committed it.
pub(crate) fn is_committed_by(image: &ImageInspect, build: &BuildId) -> bool {
    image.comment.as_deref() == Some(comment(build).as_str())
}

/// Whether an image bears the command of those on which the engine's builder is at work for a build; no product does.
pub(crate) fn is_half_built_by(image: &ImageInspect, build: &BuildId) -> bool {
    let command = image.config.as_ref().and_then(|config| config.cmd.as_deref()).unwrap_or_default();
    matches!(command, [only] if *only == comment(build))
}

impl DockerEngine {
    /// Commits a container whose command has ended.
    pub(crate) async fn commit(
        &self,
        container: &str,
        base: &ImageId,
        run: &Run,
        changes: &ImageChanges,
        (title, progress): (&str, &dyn Progress),
    ) -> Result<ImageId, Error> {
        let config = self.config_of(base).await?;
        let product = image_config::changed(&config, changes);
        let mut options =
            CommitContainerOptionsBuilder::new().container(container).comment(&comment(&self.build)).pause(false).build();
        let told = image_config::to_commit(&product, run);
        if self.is_podman {
            // Podman reads the body and forgets it.
            let unwritable =
                |error: sti_core::dockerfile::Unwritable| Error::Unsupported { title: title.to_owned(), what: error.to_string() };
            options.changes = Some(dockerfile::changes(&told).map_err(unwritable)?);
        }
        let call = self.requests.patient().commit_container(options, told);
        let request = format!("POST /commit?container={container}");
        self.ledger.commits();
        let answered = self.requests.send(request, call).await;
        self.ledger.committed();
        let answer = answered.map_err(|failure| failure.while_committing(title))?;
        let mut image = ImageId(with_algorithm(&answer.id));
        self.ledger.image(&image);
        if Self::must_forget(run, &product) {
            let described = if self.is_podman { None } else { self.described_anew(&image, &product).await? };
            match described {
                Some(described) => image = described,
                None => progress.say(Level::Warning, NAMES_STAY.to_owned()),
            }
        }
        self.remember_config(&image, product);
        Ok(image)
    }
}

/// Podman leaves the algorithm of a digest away.
pub(crate) fn with_algorithm(id: &str) -> String {
    if id.contains(':') { id.to_owned() } else { format!("sha256:{id}") }
}
