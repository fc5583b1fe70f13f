//! The story of a build, one line a stage. Knows neither which engine runs nor which plugin decides.

mod as_dockerfile;
mod deliver;
pub(crate) mod error;
pub(crate) mod fetching;
mod images;
mod judge;
mod keeping;
mod provenance;
pub(crate) mod recorded;
pub(crate) mod request;
mod running;
mod scripts;
mod secrets;
mod uids;
mod usage;
mod validation;
mod verdict;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sti_core::{ImageId, Plan, Progress, Reference, plan::Network, progress::Event};
use sti_engine::{Contents, Execution};
use sti_policy::ApprovedPlan;
use sti_sandbox::{Powers, Scripts};

pub use as_dockerfile::{AsDockerfile, as_dockerfile};
pub use error::{Condition, StiError};
pub(crate) use fetching::Checksum;
pub use fetching::{Fetched, NamedBy, Source, SourceAddress, Target, fetch};
pub(crate) use request::DEFAULT_STRATEGY;
pub use request::{BuildRequest, StrategyChoice};
pub use running::run_product;
pub use scripts::{ScriptsAddress, ScriptsPlace};
pub use usage::{UsageRequest, UsageResult, usage};
pub use validation::{ValidateRequest, ValidateResult, validate};
pub use verdict::ImageVerdict;

use crate::{Host, plugins::Chosen};
use images::Images;
use secrets::Veil;

/// What came out of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildResult {
    /// The name of the product.
    pub tag: Reference,
    /// Its identity.
    pub image: ImageId,
    /// Everything that was tagged, the product included.
    pub products: Vec<(Reference, ImageId)>,
    /// What its containers could reach, and so what it reaches where it is run.
    pub network: Network,
    /// From the request to the last tag.
    pub took: Duration,
}

/// What a build would do.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Approved, and not carried out.
    pub plan: ApprovedPlan,
}

/// Turns source into an image.
///
/// The answer is told as [`Event::Built`] as soon as everything is tagged; afterwards, before the function returns, whatever the build
/// made in the engine beyond its products is removed, after a failure as well. Whoever drops the future before its end calls
/// [`Host::abandon`].
///
/// # Errors
/// By the conditions of [`StiError::condition`]. Nothing is tagged then.
pub async fn build(request: BuildRequest, host: &Host, progress: Arc<dyn Progress>) -> Result<BuildResult, StiError> {
    build_as_approved(request, host, progress, &|_| Ok(())).await
}

/// The same as [`build()`], and shows the approved plan to `witness` before anything is done. Its error ends the build.
///
/// # Errors
/// As [`build()`].
pub async fn build_as_approved(
    request: BuildRequest,
    host: &Host,
    progress: Arc<dyn Progress>,
    witness: &(dyn Fn(&Plan) -> Result<(), StiError> + Sync),
) -> Result<BuildResult, StiError> {
    let veil = Veil::over(&request);
    let progress = veil.before(progress);
    let lock = host.begin(progress.as_ref()).await?;
    let leave_clean_up = request.leave_clean_up;
    let built = carry_out(request, host, (&veil, &progress), witness).await;
    if leave_clean_up && built.is_ok() && lock.is_some() {
        // What is left is now that of a build that is dead.
        drop(lock);
    } else {
        host.end(lock, progress.as_ref()).await;
    }
    let (result, previous) = built.map_err(|error| veil.over_error(error))?;
    // Artifacts were saved in a container of it, which is gone only now.
    if let Some(previous) = previous {
        deliver::remove_previous(&previous, host, progress.as_ref()).await;
    }
    Ok(result)
}

/// Does everything that [`build()`] does up to approval, and answers with the plan. Touches nothing but what is needed to look into images.
///
/// # Errors
/// As [`build()`].
pub async fn plan(request: BuildRequest, host: &Host, progress: Arc<dyn Progress>) -> Result<Planned, StiError> {
    let lock = host.begin(progress.as_ref()).await?;
    let planned = approve(&request, host, &progress).await.map(|approved| Planned { plan: approved.plan });
    host.end(lock, progress.as_ref()).await;
    planned
}

/// Builds and tags. Answers the result, and the image that is to be removed when nothing of the build uses it any more.
async fn carry_out(
    request: BuildRequest,
    host: &Host,
    (veil, progress): (&Veil, &Arc<dyn Progress>),
    witness: &(dyn Fn(&Plan) -> Result<(), StiError> + Sync),
) -> Result<(BuildResult, Option<ImageId>), StiError> {
    let begun = Instant::now();
    // What was fetched stays as long as it is used.
    let Approved { plan: approved_plan, images, fetched } = approve(&request, host, progress).await?;
    witness(approved_plan.plan())?;
    let contents = Contents { source: Some(fetched.tree.clone()), secrets: request.secrets.clone() };
    let execution =
        Execution { plan: &approved_plan, contents: &contents, keep_failed: request.keep_failed, progress: progress.as_ref() };
    let outcome = host.engine.execute(execution).await?;
    veil.refuse_in_products(host, approved_plan.plan(), &outcome, progress.as_ref()).await?;
    let delivered = deliver::deliver(&request, host, &approved_plan, &outcome, &images, progress.as_ref()).await?;
    let products = delivered.products;
    let (tag, image) = deliver::app_of(&products, &request.tag);
    let took = begun.elapsed();
    progress.tell(Event::Built { tag: tag.written().to_owned(), image: image.to_string(), milliseconds: millis(took) });
    Ok((BuildResult { tag, image, products, network: images.network(), took }, delivered.to_remove))
}

/// A plan that may be carried out, and what it needs.
struct Approved {
    plan: ApprovedPlan,
    images: Arc<Images>,
    fetched: Fetched,
}

async fn approve(request: &BuildRequest, host: &Host, progress: &Arc<dyn Progress>) -> Result<Approved, StiError> {
    let strategy = host.plugins.strategy(&request.strategy, &host.policy).await?;
    strategy.check_settings(&request.settings)?;
    let fetched = fetching::tree_of(&request.source, &host.plugins, &host.policy, progress).await?;
    fetched.tree.check()?;
    let images = Arc::new(Images::of(request, host, &strategy, Arc::clone(progress)));
    images.find_named(request).await?;
    judge::judge_images(request, &fetched.tree, host, &images, progress).await?;
    let plan = decide(request, &fetched, host, &strategy, &images, progress).await?;
    let plan = provenance::stamp(plan, request, &fetched);
    uids::judge(&plan, &images).await?;
    let plan = host.policy.approve(plan, strategy.identity(), &request.named())?;
    Ok(Approved { plan, images, fetched })
}

async fn decide(
    request: &BuildRequest,
    fetched: &Fetched,
    host: &Host,
    strategy: &Chosen,
    images: &Arc<Images>,
    progress: &Arc<dyn Progress>,
) -> Result<Plan, StiError> {
    let scripts = request.scripts.as_ref().map(|address| {
        let grant = host.policy.fetch_grant(strategy.identity(), address.hosts());
        scripts::at(address, &grant, progress)
    });
    let scripts = scripts.transpose()?.map(Arc::new);
    let asked = scripts.clone().map(|scripts| scripts as Arc<dyn Scripts>);
    let powers = Powers { scripts: asked, ..images.powers(Arc::clone(progress)) };
    let decided = images.limited(strategy.plugin()).decide(request.job(fetched, images.network()), powers).await;
    decided.map_err(|error| {
        let told = images.recorded_refusal().or_else(|| scripts.and_then(|scripts| scripts.recorded_failure()));
        told.unwrap_or_else(|| error.into())
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
