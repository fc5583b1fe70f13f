//! Carries out a plan: each step as soon as what it needs is there.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use sti_core::{
    Event, ImageId, Plan, Progress,
    plan::{Action, Base, ContentId, Instruction, OnFailure, Step, StepId},
    progress::Level,
};
use sti_engine::{Error, Execution, Outcome};

use crate::{DockerEngine, contents::Store, places::Held};

/// A plan that is being carried out.
pub(crate) struct Work<'a> {
    pub(crate) engine: &'a DockerEngine,
    pub(crate) store: Store,
    pub(crate) keep_failed: bool,
    pub(crate) progress: &'a dyn Progress,
    state: Mutex<State>,
}

/// What steps have left so far.
#[derive(Default)]
struct State {
    images: BTreeMap<StepId, ImageId>,
    held: HashMap<ContentId, Held>,
    /// What steps should have left that failed, and may.
    missing: BTreeSet<ContentId>,
}

impl DockerEngine {
    /// Carries out a plan; independent steps run side by side, and the first failure ends all.
    pub(crate) async fn execute_plan(&self, execution: Execution<'_>) -> Result<Outcome, Error> {
        let plan = execution.plan.plan();
        let contents = execution.contents.clone();
        let work = Work {
            engine: self,
            store: Store { plan: Arc::new(plan.clone()), contents: Arc::new(contents) },
            keep_failed: execution.keep_failed,
            progress: execution.progress,
            state: Mutex::default(),
        };
        // Until the end is reached in good order, a request may be on its way whose answer nobody has seen.
        self.ledger.set_interrupted(true);
        work.steps().await?;
        self.ledger.set_interrupted(false);
        Ok(Outcome { images: work.state().images.clone() })
    }
}

impl Work<'_> {
    async fn steps(&self) -> Result<(), Error> {
        let plan = self.plan();
        let mut waiting: Vec<StepId> = plan.numbered().map(|(id, _)| id).collect();
        let mut done = BTreeSet::new();
        let mut running = FuturesUnordered::new();
        loop {
            let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|id| is_ready(plan, *id, &done));
            waiting = later;
            running.extend(ready.into_iter().map(|id| self.step(id)));
            match running.next().await {
                Some(Ok(id)) => done.insert(id),
                Some(Err(error)) => {
                    let is_quiet = running.is_empty() && !matches!(error, Error::ConnectionFailed { .. });
                    self.engine.ledger.set_interrupted(!is_quiet);
                    return Err(error);
                }
                None => return Ok(()),
            };
        }
    }

    async fn step(&self, id: StepId) -> Result<StepId, Error> {
        let Some(step) = self.plan().step(id) else { return Ok(id) };
        let begun = Instant::now();
        self.progress.tell(Event::StepStarted { step: id, title: step.title.clone() });
        let step = &self.without_missing(step);
        let image = match &step.action {
            Action::Run(run) => match self.run_step(id, step, run).await {
                Err(error) if run.on_failure == OnFailure::GoOn && error.is_of_the_command() => {
                    self.go_on_without(id, step, &error);
                    None
                }
                ended => ended?,
            },
            Action::Build(build) => Some(self.build_step(id, step, build).await?),
            Action::Assemble(assemble) => Some(self.assemble_step(id, step, assemble).await?),
        };
        if let Some(image) = image {
            self.state().images.insert(id, image);
        }
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.tell(Event::StepFinished { step: id, milliseconds });
        Ok(id)
    }

    /// A step that copies nothing of what is missing.
    fn without_missing<'a>(&self, step: &'a Step) -> Cow<'a, Step> {
        if !step.contents().iter().any(|content| self.lacks(*content)) {
            return Cow::Borrowed(step);
        }
        let mut step = step.clone();
        match &mut step.action {
            // What is mounted is there all the same, with nothing in it.
            Action::Run(_) => {}
            Action::Build(build) => build
                .instructions
                .retain(|instruction| !matches!(instruction, Instruction::Copy(copied) if self.lacks(copied.content))),
            Action::Assemble(assemble) => assemble.layers.retain(|layer| !self.lacks(layer.copied.content)),
        }
        Cow::Owned(step)
    }

    fn go_on_without(&self, id: StepId, step: &Step, error: &Error) {
        self.progress.say(Level::Warning, error.tolerated(&step.title));
        self.state().missing.extend(self.plan().left_by(id));
    }

    /// The image that a step starts from; `None` for an empty file system.
    pub(crate) fn base(&self, step: &Step) -> Result<Option<ImageId>, Error> {
        match &step.base {
            Base::Image { id, .. } => Ok(Some(id.clone())),
            Base::Step { step: id } => self.image_of(*id, &step.title).map(Some),
            Base::Scratch => Ok(None),
        }
    }

    /// The image that an earlier step made.
    pub(crate) fn image_of(&self, step: StepId, title: &str) -> Result<ImageId, Error> {
        let made = self.state().images.get(&step).cloned();
        made.ok_or_else(|| Error::Unsupported { title: title.to_owned(), what: format!("step {} makes no image", step.0) })
    }

    /// What an earlier step left of a content.
    pub(crate) fn held(&self, content: ContentId) -> Option<Held> {
        self.state().held.get(&content).cloned()
    }

    /// Whether the step that should have left a content failed, and may.
    pub(crate) fn is_missing(&self, content: ContentId) -> bool {
        self.state().missing.contains(&content)
    }

    /// Remembers what a step left.
    pub(crate) fn hold(&self, content: ContentId, held: Held) {
        self.state().held.insert(content, held);
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.store.plan
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_ready(plan: &Plan, id: StepId, done: &BTreeSet<StepId>) -> bool {
    plan.step(id).is_some_and(|step| plan.needs(step).is_subset(done))
}
