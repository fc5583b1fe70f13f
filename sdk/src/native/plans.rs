//! A plan to be written, recorded step by step.

use std::{cell::RefCell, rc::Rc};

use super::{
    images::Image,
    trees,
    types::{Network, Problem, ProblemKind, problem},
};
use crate::{
    Variable,
    testing::{RecordedInstruction, RecordedLayer, RecordedPlace, RecordedPlan, RecordedProduct, RecordedStep, StepKind},
};

/// Whether content stays.
///
/// ```
/// use sti_plugin::Placement;
/// use sti_plugin::testing::JobBuilder;
/// # use sti_plugin::{Scratch};
///
/// let decision = JobBuilder::new("builder", "app").decide_with(|_, plan| {
///     let _run = plan.run("look", Scratch)?.mount(&plan.source(), "/tmp/src")?;
///     Ok(())
/// });
/// assert_eq!(decision.plan.steps[0].places[0].placement, Placement::Mounted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// There while the step runs, writable, and no part of what is committed.
    Mounted,
    /// Copied in first, and part of what is committed.
    Copied,
}

pub struct File {
    pub path: String,
    pub mode: u32,
    pub bytes: Vec<u8>,
}

pub enum Base<'a> {
    Image(&'a Image),
    Made(&'a Made),
    Scratch,
}

/// What the test reads afterwards, shared by all handles of one plan.
type Ledger = Rc<RefCell<RecordedPlan>>;

/// What a host takes in one call of `files`.
const MOST_BYTES: usize = 3 << 20;

/// One step of a ledger.
#[derive(Clone)]
struct Entry {
    ledger: Ledger,
    step: usize,
}

impl Entry {
    fn write(&self, change: impl FnOnce(&mut RecordedStep)) {
        change(&mut self.ledger.borrow_mut().steps[self.step]);
    }

    /// Steps are numbered from 1 where people read them.
    fn number(&self) -> usize {
        self.step + 1
    }
}

#[derive(Default)]
pub struct Plan(pub(crate) Ledger);

impl Plan {
    pub fn source(&self) -> Content {
        Content("source".to_owned())
    }

    pub fn empty(&self) -> Content {
        Content("empty".to_owned())
    }

    pub fn files(&self, files: &[File]) -> Result<Content, Problem> {
        files.iter().try_for_each(|file| trees::check(&file.path))?;
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        if bytes > MOST_BYTES {
            return Err(problem(ProblemKind::Exhausted, "files-too-large", format!("{bytes} bytes are more than {MOST_BYTES}")));
        }
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for file in files {
            self.0.borrow_mut().files.insert(file.path.clone(), (file.mode, file.bytes.clone()));
        }
        Ok(Content(format!("files {}", names.join(", "))))
    }

    pub fn cache(&self, name: &str) -> Result<Content, Problem> {
        Ok(Content(format!("cache {name}")))
    }

    pub fn secret(&self, name: &str) -> Result<Content, Problem> {
        Ok(Content(format!("secret {name}")))
    }

    pub fn run(&self, title: &str, on: &Base<'_>) -> Result<Run, Problem> {
        Ok(Run(self.step(StepKind::Run, title, on)))
    }

    pub fn build(&self, title: &str, on: &Base<'_>) -> Result<Build, Problem> {
        Ok(Build(self.step(StepKind::Build, title, on)))
    }

    pub fn assemble(&self, title: &str, on: &Base<'_>) -> Result<Assembly, Problem> {
        Ok(Assembly(self.step(StepKind::Assemble, title, on)))
    }

    pub fn product(&self, name: &str, image: &Made) -> Result<(), Problem> {
        let mut plan = self.0.borrow_mut();
        if plan.products.iter().any(|product| product.name == name) {
            return Err(problem(ProblemKind::Invalid, "product-twice", format!("there are two products `{name}`")));
        }
        plan.products.push(RecordedProduct { name: name.to_owned(), step: image.0.number() });
        Ok(())
    }

    fn step(&self, kind: StepKind, title: &str, on: &Base<'_>) -> Entry {
        let has_triggers = matches!(on, Base::Image(image) if !image.triggers().is_empty());
        let on = match on {
            Base::Image(image) => image.reference(),
            Base::Made(made) => format!("step {}", made.0.number()),
            Base::Scratch => "scratch".to_owned(),
        };
        let mut plan = self.0.borrow_mut();
        plan.steps.push(RecordedStep { has_triggers, ..RecordedStep::new(kind, title, on) });
        Entry { ledger: Rc::clone(&self.0), step: plan.steps.len() - 1 }
    }
}

pub struct Content(pub(crate) String);

impl Content {
    pub fn part(&self, path: &str) -> Result<Self, Problem> {
        trees::check(path)?;
        Ok(Self(format!("{path} of {}", self.0)))
    }

    pub fn matching(&self, glob: &str) -> Result<Self, Problem> {
        if glob.is_empty() || glob.contains('/') {
            return Err(problem(ProblemKind::Invalid, "bad-glob", format!("`{glob}` stands for no names")));
        }
        Ok(Self(format!("{glob} of {}", self.0)))
    }
}

pub struct Run(Entry);

impl Run {
    pub fn command(&self, arguments: &[String]) {
        self.0.write(|step| step.command = arguments.to_vec());
    }

    pub fn environment(&self, name: &str, value: &str) {
        self.0.write(|step| step.environment.push(Variable::new(name, value)));
    }

    pub fn user(&self, user: &str) {
        self.0.write(|step| step.user = Some(user.to_owned()));
    }

    pub fn working_directory(&self, path: &str) {
        self.0.write(|step| step.working_directory = Some(path.to_owned()));
    }

    pub fn network(&self, network: Network) {
        self.0.write(|step| step.network = Some(network));
    }

    pub fn transient(&self, path: &str) {
        self.0.write(|step| step.transient.push(path.to_owned()));
    }

    pub fn tolerate_failure(&self) {
        self.0.write(|step| step.tolerates_failure = true);
    }

    pub fn labels_from(&self, path: &str) {
        self.0.write(|step| step.labels_from = Some(path.to_owned()));
    }

    pub fn place(&self, what: &Content, at: &str, how: Placement) -> Result<(), Problem> {
        check_absolute(at)?;
        let place = RecordedPlace { content: what.0.clone(), at: at.to_owned(), placement: how };
        self.0.write(|step| step.places.push(place));
        Ok(())
    }

    pub fn capture(&self, path: &str) -> Result<Content, Problem> {
        check_absolute(path)?;
        self.0.write(|step| step.captures.push(path.to_owned()));
        Ok(Content(format!("{path} after step {}", self.0.number())))
    }

    pub fn capture_output(&self) -> Content {
        self.0.write(|step| step.captures.push("standard output".to_owned()));
        Content(format!("standard output of step {}", self.0.number()))
    }

    pub fn commit(&self) -> Made {
        self.0.write(|step| step.is_committed = true);
        Made(self.0.clone())
    }
}

pub struct Build(Entry);

impl Build {
    pub fn carry_out_triggers(&self, context: &Content) -> Result<(), Problem> {
        self.0.write(|step| step.triggers_context = step.has_triggers.then(|| context.0.clone()));
        Ok(())
    }

    pub fn copy(&self, what: &Content, at: &str, owner: Option<&str>) -> Result<(), Problem> {
        check_absolute(at)?;
        let owner = owner.map(str::to_owned);
        self.instruct(RecordedInstruction::Copy { content: what.0.clone(), at: at.to_owned(), owner });
        Ok(())
    }

    pub fn run(&self, arguments: &[String]) {
        self.instruct(RecordedInstruction::Run(arguments.to_vec()));
    }

    pub fn environment(&self, name: &str, value: &str) {
        self.instruct(RecordedInstruction::Environment(Variable::new(name, value)));
    }

    pub fn user(&self, user: &str) {
        self.instruct(RecordedInstruction::User(user.to_owned()));
    }

    pub fn working_directory(&self, path: &str) {
        self.instruct(RecordedInstruction::WorkingDirectory(path.to_owned()));
    }

    pub fn network(&self, network: Network) {
        self.0.write(|step| step.network = Some(network));
    }

    pub fn finish(&self) -> Made {
        Made(self.0.clone())
    }

    fn instruct(&self, instruction: RecordedInstruction) {
        self.0.write(|step| step.instructions.push(instruction));
    }
}

pub struct Assembly(Entry);

impl Assembly {
    pub fn layer(&self, title: &str, what: &Content, at: &str, owner: Option<&str>) -> Result<(), Problem> {
        check_absolute(at)?;
        let layer = RecordedLayer {
            title: title.to_owned(),
            content: what.0.clone(),
            at: at.to_owned(),
            owner: owner.map(str::to_owned),
        };
        self.0.write(|step| step.layers.push(layer));
        Ok(())
    }

    pub fn finish(&self) -> Made {
        Made(self.0.clone())
    }
}

pub struct Made(Entry);

impl Made {
    pub fn entrypoint(&self, arguments: &[String]) {
        self.0.write(|step| step.changes.entrypoint = Some(arguments.to_vec()));
    }

    pub fn command(&self, arguments: &[String]) {
        self.0.write(|step| step.changes.command = Some(arguments.to_vec()));
    }

    pub fn environment(&self, name: &str, value: &str) {
        self.0.write(|step| step.changes.environment.push(Variable::new(name, value)));
    }

    pub fn label(&self, name: &str, value: &str) {
        self.0.write(|step| step.changes.labels.push(Variable::new(name, value)));
    }

    pub fn user(&self, user: &str) {
        self.0.write(|step| step.changes.user = Some(user.to_owned()));
    }

    pub fn working_directory(&self, path: &str) {
        self.0.write(|step| step.changes.working_directory = Some(path.to_owned()));
    }

    pub fn expose(&self, port: &str) {
        self.0.write(|step| step.changes.expose.push(port.to_owned()));
    }

    pub fn files_at(&self, path: &str) -> Result<Content, Problem> {
        check_absolute(path)?;
        Ok(Content(format!("{path} of step {}", self.0.number())))
    }
}

/// Refuses what the host refuses as a path inside a container.
fn check_absolute(path: &str) -> Result<(), Problem> {
    let Some(below) = path.strip_prefix('/') else {
        return Err(problem(ProblemKind::Invalid, "invalid-path", format!("`{path}` is not absolute")));
    };
    trees::check(below)
}
