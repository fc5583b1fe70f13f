//! A build as a Dockerfile with its context, for others to build: everything up to approval, and nothing made in an engine.

use std::sync::Arc;

use cap_std::fs::Dir;
use sti_core::{ImageFacts, Incremental, Plan, Progress, progress::Level};
use sti_output::{Known, Ownership, Rendered, owners_of};

use super::{Approved, approve, error::StiError, fetching::Fetched, images::Images, request::BuildRequest};
use crate::Host;

/// The one label that is another in each build: a Dockerfile is the same for the same input.
const CREATED: &str = "org.opencontainers.image.created";

/// A build as a Dockerfile.
#[derive(Debug)]
pub struct AsDockerfile {
    /// The text, and what must be told of it.
    pub rendered: Rendered,
    /// What was fetched stays as long as it is used.
    fetched: Fetched,
}

impl AsDockerfile {
    /// Writes what the Dockerfile copies into an empty directory. `is_wanted` is asked now and then.
    ///
    /// # Errors
    /// Where the source cannot be read, or the directory not written.
    pub fn write_context(&self, into: &Dir, is_wanted: &dyn Fn() -> bool) -> Result<(), StiError> {
        Ok(self.rendered.context.write(into, &self.fetched.tree, is_wanted)?)
    }
}

/// Does everything that [`build()`](super::build()) does up to approval, for a clean build, and answers with a Dockerfile that says the
/// same. `file` is its name, and `context` that of a directory beside it.
///
/// # Errors
/// As [`build()`](super::build()), and where no Dockerfile can say what the plan says.
pub async fn as_dockerfile(
    request: BuildRequest,
    host: &Host,
    progress: Arc<dyn Progress>,
    file: &str,
    context: &str,
) -> Result<AsDockerfile, StiError> {
    let request = BuildRequest { clean: true, ..request };
    check(&request)?;
    let lock = host.begin(progress.as_ref()).await?;
    let rendered = render(&request, host, &progress, file, context).await;
    host.end(lock, progress.as_ref()).await;
    rendered
}

/// An earlier product is in this engine, and whoever builds the Dockerfile may have another one.
fn check(request: &BuildRequest) -> Result<(), StiError> {
    if request.wishes.incremental == Incremental::AsUsual {
        return Ok(());
    }
    Err(StiError::InvalidArgument {
        what: "what comes out of a Dockerfile is a clean build".to_owned(),
        hint: Some("leave `--incremental` out".to_owned()),
    })
}

async fn render(
    request: &BuildRequest,
    host: &Host,
    progress: &Arc<dyn Progress>,
    file: &str,
    context: &str,
) -> Result<AsDockerfile, StiError> {
    let Approved { plan, images, fetched } = approve(request, host, progress).await?;
    let plan = without_time(plan.plan().clone(), request);
    let known = known(&plan, &images, host).await?;
    let rendered = sti_output::render(&plan, &known, file, context)?;
    for note in &rendered.notes {
        progress.say(Level::Warning, note.clone());
    }
    Ok(AsDockerfile { rendered, fetched })
}

fn without_time(mut plan: Plan, request: &BuildRequest) -> Plan {
    if request.labels.iter().any(|label| label.name == CREATED) {
        return plan;
    }
    for changes in plan.steps.iter_mut().filter_map(sti_core::plan::Step::changes_mut) {
        changes.labels.retain(|label| label.name != CREATED);
    }
    plan
}

/// Asks about the users of all images that the plan begins with.
async fn known(plan: &Plan, images: &Images, host: &Host) -> Result<Known, StiError> {
    let mut known = Known::default();
    for (reference, Ownership { image, user }) in owners_of(plan) {
        let Some(facts) = images.held(&reference).await? else {
            return Err(StiError::Ours(format!("nobody knows the image `{reference}` of the plan")));
        };
        let identity = host.engine.identity(&ImageFacts { user: user.clone(), ..facts.clone() }).await?;
        known.owners.insert((image.clone(), user), (identity.uid, identity.gid));
        known.images.insert(image, facts);
    }
    Ok(known)
}

impl From<sti_output::Error> for StiError {
    fn from(error: sti_output::Error) -> Self {
        match error {
            sti_output::Error::Source(error) => Self::Source(error),
            sti_output::Error::Unsayable { .. } | sti_output::Error::Write { .. } | sti_output::Error::Stopped => {
                Self::InvalidArgument { hint: error.hint(), what: error.to_string() }
            }
        }
    }
}
