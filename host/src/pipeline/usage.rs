//! `usage`: lets a builder image explain itself. One plan with one step, judged and carried out like those of builds, that makes nothing.

use std::sync::{Arc, Mutex, PoisonError};

use sti_core::{
    Event, Progress, Pull, Reference, Tree, Wishes,
    plan::{Action, Network, Plan, Purpose},
    progress::Stream,
};
use sti_engine::{Contents, Execution};
use sti_policy::{ApprovedPlan, Named};
use sti_sandbox::Job;

use super::{error::StiError, images::Images, request::platform};
use crate::{Host, StrategyChoice};

/// The strategy that decides what explains an image.
const STRATEGY: &str = "usage";

/// An explanation that is longer is cut: whoever writes it may never end.
const MOST_BYTES: usize = 1 << 20;

/// An image that shall explain itself.
#[derive(Clone, Debug)]
pub struct UsageRequest {
    /// Which.
    pub image: Reference,
    /// Where it has its scripts, such as `image:///usr/libexec/s2i`, where it does not say so itself.
    pub scripts_url: Option<String>,
    /// When it is pulled.
    pub pull: Pull,
    /// There is no source: an empty directory in its place.
    pub nothing: Tree,
}

/// What an image says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageResult {
    /// As it was named.
    pub image: Reference,
    /// The script that said it.
    pub script: String,
    /// What it printed to its standard output, at most 1 MiB.
    pub text: String,
}

/// Runs the script by which an image explains itself. What it prints is told as [`Event::Output`] meanwhile.
///
/// # Errors
/// Where there is no such image or script, or the script fails, by the conditions of [`StiError::condition`].
pub async fn usage(request: UsageRequest, host: &Host, progress: Arc<dyn Progress>) -> Result<UsageResult, StiError> {
    let lock = host.begin(progress.as_ref()).await?;
    let explained = explain(&request, host, &progress).await;
    host.end(lock, progress.as_ref()).await;
    explained
}

async fn explain(request: &UsageRequest, host: &Host, progress: &Arc<dyn Progress>) -> Result<UsageResult, StiError> {
    let approved_plan = approve(request, host, progress).await?;
    let contents = Contents { source: Some(request.nothing.clone()), ..Contents::default() };
    let heard = Heard { told: Arc::clone(progress), text: Mutex::default() };
    let execution = Execution { plan: &approved_plan, contents: &contents, keep_failed: false, progress: &heard };
    host.engine.execute(execution).await?;
    let text = heard.text.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(UsageResult { image: request.image.clone(), script: script_of(approved_plan.plan()), text })
}

async fn approve(request: &UsageRequest, host: &Host, progress: &Arc<dyn Progress>) -> Result<ApprovedPlan, StiError> {
    let strategy = host.plugins.strategy(&StrategyChoice::Named(STRATEGY.to_owned()), &host.policy).await?;
    let named = request.named();
    let grant = host.policy.grant(strategy.identity(), &named);
    let images = Arc::new(Images::granted(host, grant, request.pull, named.images.clone(), Arc::clone(progress)));
    images.existing(&request.image, |image, pull| StiError::NoSuchBuilderImage { image, pull }).await?;
    let (plugin, powers) = (images.limited(strategy.plugin()), images.powers(Arc::clone(progress)));
    let decided = plugin.decide_for(request.job(images.network()), powers, Purpose::Explanation).await;
    let plan = decided.map_err(|error| images.recorded_refusal().unwrap_or_else(|| error.into()))?;
    Ok(host.policy.approve_for(plan, strategy.identity(), &named, Purpose::Explanation)?)
}

/// The program of the last step.
fn script_of(plan: &Plan) -> String {
    match plan.steps.last().map(|step| &step.action) {
        Some(Action::Run(run)) => run.command.first().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

impl UsageRequest {
    /// The image, and nothing else.
    fn named(&self) -> Named {
        Named::images(vec![self.image.clone()], self.image.clone())
    }

    fn job(&self, network: Network) -> Job {
        Job {
            strategy: STRATEGY.to_owned(),
            source: self.nothing.clone(),
            source_facts: Vec::new(),
            builder_image: self.image.clone(),
            runtime_image: None,
            tag: self.image.clone(),
            clean: true,
            wishes: Wishes { scripts_url: self.scripts_url.clone(), ..Wishes::default() },
            allows_triggers: false,
            contract: None,
            environment: Vec::new(),
            build_environment: Vec::new(),
            secrets: Vec::new(),
            injected: Vec::new(),
            settings: Vec::new(),
            platform: platform(),
            network,
        }
    }
}

/// Passes on what is told, and remembers what the script printed.
struct Heard {
    told: Arc<dyn Progress>,
    text: Mutex<String>,
}

impl Progress for Heard {
    fn tell(&self, event: Event) {
        if let Event::Output { stream: Stream::Stdout, line, .. } = &event {
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            if text.len() + line.len() < MOST_BYTES {
                text.push_str(line);
                text.push('\n');
            }
        }
        self.told.tell(event);
    }
}
