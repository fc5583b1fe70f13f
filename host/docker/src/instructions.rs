//! A build step: its instructions as a Dockerfile, carried out by the engine's own builder.

use bollard::models::ImageConfig;
use sti_core::{
    ImageId, Plan,
    dockerfile::{Dockerfile, Unwritable},
    plan::{Action, Assemble, Base, Build, ContentId, Copied, ImageChanges, Instruction, Network, Step, StepId, Triggers},
};
use sti_engine::{Error, archive::Times};

use crate::{
    builder::{Context, Order},
    commit, contents,
    dockerfile::context_name,
    execute::Work,
};

/// Writes a Dockerfile for each step of a plan that an engine's builder could carry out, in order: what `--dir` keeps. The context
/// has a directory `content-NUMBER` for each content. A step that a Dockerfile cannot say is left out.
pub fn dockerfiles(plan: &Plan) -> Vec<String> {
    let written = plan.steps.iter().filter_map(|step| {
        let base = match &step.base {
            Base::Image { reference, .. } => reference.written().to_owned(),
            Base::Step { step } => format!("step-{}", step.0),
            Base::Scratch => "scratch".to_owned(),
        };
        let user = match &step.base {
            Base::Image { user, .. } if !user.is_empty() => Some(user.as_str()),
            _ => None,
        };
        let facts = BaseFacts { name: &base, owner: user, config: None, mark: None };
        match &step.action {
            Action::Build(build) => of_build(build, &facts).ok(),
            Action::Assemble(assemble) => of_assemble(assemble, &facts).ok(),
            Action::Run(_) => None,
        }
    });
    written.map(Dockerfile::into_text).collect()
}

/// What is known of the base while a Dockerfile is written.
pub(crate) struct BaseFacts<'a> {
    /// What stands behind `FROM`.
    pub(crate) name: &'a str,
    /// Who owns what is copied without an owner.
    pub(crate) owner: Option<&'a str>,
    /// What the base says of itself, where an engine was asked.
    pub(crate) config: Option<&'a ImageConfig>,
    /// The command that unfinished images bear, by which they are found where the build dies.
    pub(crate) mark: Option<String>,
}

/// The Dockerfile of a build step.
pub(crate) fn of_build(build: &Build, base: &BaseFacts<'_>) -> Result<Dockerfile, Unwritable> {
    let mut file = begin(base);
    for instruction in &build.instructions {
        match instruction {
            Instruction::Copy(copied) => copy(&mut file, copied, base)?,
            Instruction::Run { command } => file.run(command),
            Instruction::Environment(variable) => file.environment(&variable.name, &variable.value)?,
            Instruction::User { user } => file.user(user)?,
            Instruction::WorkingDirectory { path } => file.working_directory(path)?,
        }
    }
    end(file, &build.changes, base)
}

/// The Dockerfile of an assemble step.
pub(crate) fn of_assemble(assemble: &Assemble, base: &BaseFacts<'_>) -> Result<Dockerfile, Unwritable> {
    let mut file = begin(base);
    assemble.layers.iter().try_for_each(|layer| copy(&mut file, &layer.copied, base))?;
    end(file, &assemble.changes, base)
}

fn begin(base: &BaseFacts<'_>) -> Dockerfile {
    let mut file = Dockerfile::from(base.name);
    if let Some(mark) = &base.mark {
        file.command(std::slice::from_ref(mark));
    }
    file
}

fn copy(file: &mut Dockerfile, copied: &Copied, base: &BaseFacts<'_>) -> Result<(), Unwritable> {
    file.copy(&context_name(copied.content), &copied.at, copied.owner.as_deref().or(base.owner))
}

/// The command of the base is said again where an entrypoint or the mark took its place.
fn end(mut file: Dockerfile, changes: &ImageChanges, base: &BaseFacts<'_>) -> Result<Dockerfile, Unwritable> {
    let of_the_base = base.config.map(|config| config.cmd.clone().unwrap_or_default());
    let is_lost = base.mark.is_some() || changes.entrypoint.is_some();
    file.changes(changes, of_the_base.as_deref().filter(|_| is_lost))?;
    Ok(file)
}

impl Work<'_> {
    /// Carries out a build step.
    pub(crate) async fn build_step(&self, id: StepId, step: &Step, build: &Build) -> Result<ImageId, Error> {
        self.by_dockerfile(id, step, build.network, false, |base| of_build(build, base)).await
    }

    /// Has the engine carry out a Dockerfile on the base of a step.
    pub(crate) async fn by_dockerfile(
        &self,
        id: StepId,
        step: &Step,
        network: Network,
        clamp_times: bool,
        write: impl FnOnce(&BaseFacts<'_>) -> Result<Dockerfile, Unwritable>,
    ) -> Result<ImageId, Error> {
        let unsupported = |what: String| Error::Unsupported { title: step.title.clone(), what };
        let image = match &step.action {
            Action::Build(Build { triggers: Some(triggers), .. }) => Some(self.carry_out(triggers, id, step, network).await?),
            _ => self.base(step)?,
        };
        let config = match &image {
            Some(image) => self.engine.config_of(image).await?,
            None => ImageConfig::default(),
        };
        if config.on_build.as_ref().is_some_and(|triggers| !triggers.is_empty()) {
            let what = "instructions on an image with ONBUILD triggers, which the engine would run unasked";
            return Err(unsupported(what.to_owned()));
        }
        if let Some(image) = &image {
            self.refuse_detours(step, image, None).await?;
        }
        let owner = self.owner_of(image.as_ref(), &config, &step.title).await?;
        let mark = Some(commit::comment(&self.engine.build));
        let name = image.as_ref().map_or("scratch", ImageId::as_str);
        let facts = BaseFacts { name, owner: owner.as_deref(), config: Some(&config), mark };
        let dockerfile = write(&facts).map_err(|error| unsupported(error.to_string()))?;
        let changed = step.changes().map(|changes| crate::image_config::changed(&config, changes));
        let times =
            |content| if clamp_times { Times::All(contents::time_of(name, content)) } else { self.times_of(name, content) };
        let context = Context::Apart(contents_of(step).into_iter().map(|content| (content, times(content))).collect());
        let order = Order { step: id, title: &step.title, dockerfile, context, network };
        let made = self.build(order).await?;
        // Instructions may have changed more than the step says at its end: those are asked for when they are needed.
        if let (Action::Assemble(_), Some(changed)) = (&step.action, changed) {
            self.engine.remember_config(&made, changed);
        }
        Ok(made)
    }

    /// Has the engine carry out what the base asks for, and nothing else: its own builder does so behind `FROM`.
    async fn carry_out(&self, triggers: &Triggers, id: StepId, step: &Step, network: Network) -> Result<ImageId, Error> {
        let Some(image) = self.base(step)? else {
            let what = "ONBUILD instructions of an empty file system".to_owned();
            return Err(Error::Unsupported { title: step.title.clone(), what });
        };
        let context = Context::Top(triggers.context, self.times_of(image.as_str(), triggers.context));
        self.build(Order { step: id, title: &step.title, dockerfile: Dockerfile::from(image.as_str()), context, network }).await
    }

    /// The base's own user in numbers; none for root, whom files belong to anyway.
    async fn owner_of(&self, image: Option<&ImageId>, config: &ImageConfig, title: &str) -> Result<Option<String>, Error> {
        let (Some(image), Some(user)) = (image, config.user.as_deref().filter(|user| !user.is_empty())) else { return Ok(None) };
        let identity = self.engine.identity_of(image, user, title).await?;
        let is_root = identity.uid == 0 && identity.gid == 0;
        Ok((!is_root).then(|| format!("{}:{}", identity.uid, identity.gid)))
    }
}

fn contents_of(step: &Step) -> Vec<ContentId> {
    let mut contents = match &step.action {
        Action::Build(build) => build.copied().collect(),
        _ => step.contents(),
    };
    contents.sort_unstable();
    contents.dedup();
    contents
}
