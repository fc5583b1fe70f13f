//! A stage for each step that the product needs, in the order of the plan.

use std::collections::BTreeSet;

use sti_core::{
    Plan, Variable,
    dockerfile::{Dockerfile, Unwritable},
    plan::{
        APP, Action, Assemble, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Network, OnFailure, Place,
        Run, Step, StepId, is_at_or_below,
    },
};

use crate::{
    context::Context,
    error::Error,
    known::{Known, base_user},
    origin::{Placed, stage_name},
};

/// A plan as a Dockerfile.
#[derive(Debug)]
pub struct Rendered {
    /// The text; the same for the same plan.
    pub text: String,
    /// What it copies from.
    pub context: Context,
    /// What `docker build` and its kin must be told beside file and context, such as `--network none`.
    pub flags: Vec<String>,
    /// What is not as in a build by `sti`, a sentence each.
    pub notes: Vec<String>,
}

/// Writes the steps that the product needs. `file` and `context` are the names of the Dockerfile and of the directory beside it.
pub fn render(plan: &Plan, known: &Known, file: &str, context: &str) -> Result<Rendered, Error> {
    let app = plan.products.iter().find(|product| product.name == APP).map(|product| product.step);
    let app = app.ok_or_else(|| Error::unsayable(APP, "no step makes the product"))?;
    let mut stages = Stages {
        plan,
        known,
        context,
        app,
        needed: needed(plan, app),
        file: Dockerfile::default(),
        placed: Placed::new(),
        needs_mounts: false,
        mounted_upon: None,
        secrets: BTreeSet::new(),
        notes: Vec::new(),
    };
    let steps = plan.numbered().filter(|(id, _)| stages.needed.contains(id)).collect::<Vec<_>>();
    for (id, step) in &steps {
        stages.file.blank();
        stages.step(*id, step)?;
    }
    let flags = stages.flags(&steps)?;
    let others = plan.products.iter().filter(|product| product.name != APP);
    stages.notes.extend(others.map(|product| format!("`{}` is not made: a Dockerfile makes one image", product.tag)));
    let text = stages.head(file, &flags) + &stages.file.into_text();
    Ok(Rendered { text, context: Context::of(plan, stages.placed), flags, notes: stages.notes })
}

/// A Dockerfile that is being written.
pub(crate) struct Stages<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) known: &'a Known,
    /// The name of the directory beside the Dockerfile.
    pub(crate) context: &'a str,
    pub(crate) file: Dockerfile,
    pub(crate) placed: Placed,
    /// Whether a builder must know `RUN --mount`.
    pub(crate) needs_mounts: bool,
    /// A directory of an image that something is mounted upon.
    pub(crate) mounted_upon: Option<String>,
    pub(crate) secrets: BTreeSet<String>,
    app: StepId,
    needed: BTreeSet<StepId>,
    notes: Vec<String>,
}

/// The step whose stage is being written.
pub(crate) struct Writing<'a> {
    pub(crate) step: &'a Step,
    /// What stands behind `FROM`.
    pub(crate) base: &'a str,
    /// The name of the stage.
    pub(crate) stage: String,
}

impl Stages<'_> {
    fn step(&mut self, id: StepId, step: &Step) -> Result<(), Error> {
        let base = self.base(step)?;
        let writing = Writing { step, base: &base, stage: stage_name(id) };
        match &step.action {
            Action::Run(run) if self.makes_an_image(id) => self.committed(id, &writing, run),
            Action::Run(run) => self.passing(&writing, run),
            Action::Build(build) => self.build(&writing, build),
            Action::Assemble(assemble) => self.assemble(&writing, assemble),
        }
    }

    /// What stands behind `FROM`: the image as it was named, and never what would mean a stage.
    fn base(&mut self, step: &Step) -> Result<String, Error> {
        let Base::Image { reference, .. } = &step.base else {
            return Ok(match step.base {
                Base::Step { step } => stage_name(step),
                _ => "scratch".to_owned(),
            });
        };
        let triggers = self.known.root(self.plan, step).map(|facts| facts.triggers.as_slice()).unwrap_or_default();
        if let Some(first) = triggers.first() {
            let what = format!("`{reference}` has ONBUILD instructions, such as `{first}`, which each stage would carry out");
            return Err(Error::unsayable(&step.title, what));
        }
        let names_a_stage = reference.written() == "scratch" || reference.written().starts_with("step-");
        Ok(if names_a_stage { reference.canonical() } else { reference.written().to_owned() })
    }

    /// A command of which an image comes: all that it is given is mounted, so that nothing of that stays.
    fn committed(&mut self, id: StepId, writing: &Writing<'_>, run: &Run) -> Result<(), Error> {
        let step = writing.step;
        check(step, run)?;
        let changes = run.commit.clone().unwrap_or_default();
        if let Some(path) = self.lost_capture(id, run) {
            let what = format!("`{path}` is to be handed on, and nothing stays of what is mounted there");
            return Err(Error::unsayable(&step.title, what).hinted("--strategy dockerfile"));
        }
        if let Some(variable) = run.environment.iter().find(|variable| !changes.environment.contains(variable)) {
            let what = format!("the product would keep the variable `{}`, which is for the command alone", variable.name);
            return Err(Error::unsayable(&step.title, what));
        }
        if run.working_directory.is_some() {
            return Err(Error::unsayable(&step.title, "its command runs in another directory than the product's"));
        }
        let mut mounts = self.places(writing, run)?;
        mounts.extend(self.secrets(step, run)?);
        self.begin(writing);
        for place in run.places.iter().filter(|place| stays(run, place)) {
            self.copy_in(step, place)?;
        }
        self.variables(step, &run.environment)?;
        self.command_as(step, run, &mounts)?;
        if run.user.is_some() {
            self.written(step, |file| file.user(&base_user(self.plan, step)))?;
        }
        if let Some(path) = &run.labels_from {
            self.notes.push(format!(
                "labels that the script leaves in `{path}` are not the product's: a Dockerfile says labels itself"
            ));
        }
        let said = |variable: &Variable| run.environment.contains(variable);
        let environment = changes.environment.iter().filter(|variable| !said(variable)).cloned().collect();
        self.changes(step, &ImageChanges { environment, ..changes })
    }

    /// A command of which later steps take files only: nobody sees what else is in its stage.
    fn passing(&mut self, writing: &Writing<'_>, run: &Run) -> Result<(), Error> {
        let step = writing.step;
        check(step, run)?;
        let secrets = self.secrets(step, run)?;
        self.begin(writing);
        for place in &run.places {
            if self.secret(place).is_none() {
                self.copy_in(step, place)?;
            }
        }
        self.variables(step, &run.environment)?;
        if let Some(path) = &run.working_directory {
            self.written(step, |file| file.working_directory(path))?;
        }
        self.command_as(step, run, &secrets)
    }

    fn build(&mut self, writing: &Writing<'_>, build: &Build) -> Result<(), Error> {
        let step = writing.step;
        self.begin(writing);
        for instruction in &build.instructions {
            match instruction {
                Instruction::Copy(copied) => self.copied(step, copied)?,
                Instruction::Run { command } => self.file.run(command),
                Instruction::Environment(variable) => self.variables(step, std::slice::from_ref(variable))?,
                Instruction::User { user } => self.written(step, |file| file.user(user))?,
                Instruction::WorkingDirectory { path } => self.written(step, |file| file.working_directory(path))?,
            }
        }
        self.changes(step, &build.changes)
    }

    fn assemble(&mut self, writing: &Writing<'_>, assemble: &Assemble) -> Result<(), Error> {
        self.begin(writing);
        assemble.layers.iter().try_for_each(|layer| self.copied(writing.step, &layer.copied))?;
        self.changes(writing.step, &assemble.changes)
    }

    fn begin(&mut self, writing: &Writing<'_>) {
        self.file.comment(&format!("{}.", writing.step.title));
        if let Base::Image { id, .. } = &writing.step.base {
            self.file.comment(&format!("{} was {id} when this was written.", writing.base));
        }
        self.file.stage(writing.base, &writing.stage);
    }

    fn copied(&mut self, step: &Step, copied: &Copied) -> Result<(), Error> {
        let owner = copied.owner.clone().or_else(|| self.known.chown(self.plan, step));
        self.copy(step, copied.content, &copied.at, owner.as_deref())
    }

    fn copy_in(&mut self, step: &Step, place: &Place) -> Result<(), Error> {
        let owner = self.known.chown(self.plan, step);
        self.copy(step, place.content, &place.at, owner.as_deref())
    }

    fn variables(&mut self, step: &Step, variables: &[Variable]) -> Result<(), Error> {
        variables.iter().try_for_each(|variable| self.written(step, |file| file.environment(&variable.name, &variable.value)))
    }

    fn command_as(&mut self, step: &Step, run: &Run, mounts: &[String]) -> Result<(), Error> {
        if let Some(user) = &run.user {
            self.written(step, |file| file.user(user))?;
        }
        self.file.run_with(mounts, &run.command);
        Ok(())
    }

    /// An entrypoint makes a builder forget the command, which is then said again.
    fn changes(&mut self, step: &Step, changes: &ImageChanges) -> Result<(), Error> {
        let command = command_before(self.plan, self.known, step);
        let forgotten = changes.entrypoint.is_some().then_some(command).flatten();
        self.written(step, |file| file.changes(changes, forgotten.as_deref()))
    }

    fn written(&mut self, step: &Step, write: impl FnOnce(&mut Dockerfile) -> Result<(), Unwritable>) -> Result<(), Error> {
        write(&mut self.file).map_err(|error| Error::unwritable(&step.title, &error))
    }

    /// A path that a later step takes of what is mounted here.
    fn lost_capture(&self, id: StepId, run: &Run) -> Option<&str> {
        let mounted = run.places.iter().filter(|place| run.is_mount(place)).map(|place| &place.at).chain(&run.transient);
        let mounted: Vec<_> = mounted.collect();
        let is_lost = |path: &str| mounted.iter().any(|at| is_at_or_below(path, at) || is_at_or_below(at, path));
        let used = self.used();
        self.plan.captures_of(id).find(|(content, path)| used.contains(content) && is_lost(path)).map(|(_, path)| path)
    }

    /// Whether anything begins with what a step makes, is copied from it as an image, or it is the product.
    fn makes_an_image(&self, id: StepId) -> bool {
        let is_base = |step: &Step| matches!(step.base, Base::Step { step } if step == id);
        let is_looked_into =
            |content: &ContentId| matches!(self.plan.content(*content), Some(Content::ImageFiles { step, .. }) if *step == id);
        id == self.app || self.steps().any(is_base) || self.used().iter().any(is_looked_into)
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.needed.iter().filter_map(|id| self.plan.step(*id))
    }

    /// The contents that the written steps use, each by what it is a part of.
    fn used(&self) -> BTreeSet<ContentId> {
        let contents = self.steps().flat_map(Step::contents);
        contents.filter_map(|content| self.plan.resolve(content).map(|(root, _, _)| root)).collect()
    }

    fn flags(&self, steps: &[(StepId, &Step)]) -> Result<Vec<String>, Error> {
        let networks: BTreeSet<Network> = steps.iter().filter_map(|(_, step)| network_of(step)).collect();
        if let ([_, _, ..], Some((_, step))) = (networks.iter().collect::<Vec<_>>().as_slice(), steps.last()) {
            return Err(Error::unsayable(&step.title, "not all commands may reach the same network"));
        }
        let network = networks.contains(&Network::None).then(|| "--network none".to_owned());
        let secrets = self.secrets.iter().map(|name| format!("--secret id={name},src=FILE"));
        Ok(network.into_iter().chain(secrets).collect())
    }

    /// What people read first. The first line is none that a parser would take for its own.
    fn head(&self, file: &str, flags: &[String]) -> String {
        let mut head = Dockerfile::default();
        head.comment(&format!("Written by `sti build --as-dockerfile`. What it copies lies beside it, in `{}`.", self.context));
        let flags = flags.iter().map(String::as_str);
        let words: Vec<&str> = ["docker", "build"].into_iter().chain(flags).chain(["--file", file, "."]).collect();
        head.comment(&format!("To be built in this directory: {}", words.join(" ")));
        if self.needs_mounts {
            head.comment("It mounts what scripts are given: that needs BuildKit (DOCKER_BUILDKIT=1), Podman or Buildah.");
        }
        if let Some(directory) = &self.mounted_upon {
            head.comment(&format!(
                "It mounts upon `{directory}`, which Podman 4.3 and Buildah 1.28 take out of the image: use BuildKit."
            ));
        }
        self.notes.iter().for_each(|note| head.comment(&format!("Other than by `sti build`: {note}.")));
        head.into_text()
    }
}

/// The steps without which the product cannot be made, itself included.
fn needed(plan: &Plan, app: StepId) -> BTreeSet<StepId> {
    let mut needed = BTreeSet::new();
    let mut open = vec![app];
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            open.extend(plan.step(id).map(|step| plan.needs(step)).unwrap_or_default());
        }
    }
    needed
}

/// Refuses what no stage can be begun with.
fn check(step: &Step, run: &Run) -> Result<(), Error> {
    if matches!(step.base, Base::Scratch) {
        return Err(Error::unsayable(&step.title, "it runs a command in an empty file system"));
    }
    if run.on_failure == OnFailure::GoOn {
        return Err(Error::unsayable(&step.title, "it may fail, and whoever builds a Dockerfile stops there"));
    }
    Ok(())
}

/// Whether a place is part of what is committed.
fn stays(run: &Run, place: &Place) -> bool {
    place.placement == sti_core::plan::Placement::Copied && run.transient_above(&place.at).is_none()
}

/// What the base of a step runs.
fn command_before(plan: &Plan, known: &Known, step: &Step) -> Option<Vec<String>> {
    let Base::Step { step: before } = &step.base else { return known.root(plan, step).map(|facts| facts.command.clone()) };
    let before = plan.step(*before)?;
    before.changes().and_then(|changes| changes.command.clone()).or_else(|| command_before(plan, known, before))
}

/// What the commands of a step reach; none where it has no commands.
fn network_of(step: &Step) -> Option<Network> {
    match &step.action {
        Action::Run(run) => Some(run.network),
        Action::Build(build) => {
            let runs = build.instructions.iter().any(|instruction| matches!(instruction, Instruction::Run { .. }));
            runs.then_some(build.network)
        }
        Action::Assemble(_) => None,
    }
}
