//! A plan while it is written. Checks what is true of every plan: numbers, sizes, that a step uses earlier ones only, and that
//! nothing is said which could never be meant. What is *allowed* is policy's to say, later.

use sti_core::{
    ImageFacts, Plan, Problem, ProblemKind, Variable,
    plan::{
        APP, Action, Assemble, Author, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Layer, Network, Place,
        Placement, PlanFile, Product, Run, Step, StepId,
    },
};

use super::Budget;
use crate::{Job, calls::Exceeded, hygiene};

/// What files that a plugin writes may hold in one call.
const MOST_FILE_BYTES: usize = 3 << 20;
const TITLE: usize = 120;

/// A plan that is being written.
pub(crate) struct Draft {
    plan: Plan,
    network: Network,
    refused: Option<Problem>,
}

/// Why something cannot be written down.
pub(crate) enum Stop {
    /// The plugin hears it.
    Refused(Problem),
    /// The plugin is ended.
    Exceeded(Exceeded),
}

impl From<Exceeded> for Stop {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

type Written<T> = Result<T, Stop>;

impl Draft {
    pub(crate) fn new(author: Author, network: Network) -> Self {
        Self { plan: Plan::empty(author), network, refused: None }
    }

    /// The plan, once the plugin says that it is done: the first thing that could not be written down stops it.
    pub(crate) fn finish(self) -> Result<Plan, Problem> {
        if let Some(problem) = self.refused {
            return Err(problem);
        }
        if !self.plan.products.iter().any(|product| product.name == APP) {
            return Err(invalid("no-product", format!("it planned no product `{APP}`, so there is nothing to tag")));
        }
        Ok(self.plan)
    }

    /// Remembers what a function without an answer could not write down.
    pub(crate) fn refuse(&mut self, problem: Problem) {
        self.refused.get_or_insert(problem);
    }

    /// Adds a content, or finds the same one written earlier.
    pub(crate) fn content(&mut self, content: Content, budget: &mut Budget) -> Written<ContentId> {
        if let Some(place) = self.plan.contents.iter().position(|known| *known == content) {
            return Ok(ContentId(number(place)));
        }
        let bytes = match &content {
            Content::Capture { path, .. } | Content::ImageFiles { path, .. } => absolute(path)?.len(),
            Content::Part { path, .. } => relative(path)?.len(),
            Content::Cache { name } | Content::Secret { name } => text(name, "a name")?.len(),
            Content::Source | Content::Empty | Content::Files { .. } | Content::Output { .. } => 0,
        };
        budget.spend_one(bytes)?;
        self.plan.contents.push(content);
        Ok(ContentId(number(self.plan.contents.len() - 1)))
    }

    /// Files that the plugin writes itself, put into the order of their paths.
    pub(crate) fn files(&mut self, mut files: Vec<PlanFile>, budget: &mut Budget) -> Written<ContentId> {
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        if bytes > MOST_FILE_BYTES {
            let message = format!("these files have {bytes} bytes, and at most {MOST_FILE_BYTES} can be written at once");
            return Err(Stop::Refused(Problem::new(ProblemKind::Exhausted, "files-too-large", message)));
        }
        for file in &files {
            budget.spend_one(relative(&file.path)?.len() + file.bytes.len())?;
            if file.mode > 0o777 {
                return refused("invalid-mode", format!("`{}` has mode {:o}, and there are nine bits", file.path, file.mode));
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        if let Some(pair) = files.windows(2).find(|pair| is_same_or_below(&pair[0].path, &pair[1].path)) {
            return refused("invalid-path", format!("`{}` and `{}` cannot both be files", pair[0].path, pair[1].path));
        }
        self.content(Content::Files { files }, budget)
    }

    /// Adds a step that runs a container.
    pub(crate) fn run(&mut self, title: &str, base: Base, budget: &mut Budget) -> Written<StepId> {
        let run = Run {
            command: Vec::new(),
            environment: Vec::new(),
            user: None,
            working_directory: None,
            network: self.network,
            places: Vec::new(),
            commit: None,
        };
        self.step(title, base, Action::Run(run), budget)
    }

    /// Adds a step that carries out instructions.
    pub(crate) fn build(&mut self, title: &str, base: Base, budget: &mut Budget) -> Written<StepId> {
        let build = Build { instructions: Vec::new(), network: self.network, changes: ImageChanges::default() };
        self.step(title, base, Action::Build(build), budget)
    }

    /// Adds a step that stacks layers.
    pub(crate) fn assemble(&mut self, title: &str, base: Base, budget: &mut Budget) -> Written<StepId> {
        let assemble = Assemble { layers: Vec::new(), changes: ImageChanges::default() };
        self.step(title, base, Action::Assemble(assemble), budget)
    }

    fn step(&mut self, title: &str, base: Base, action: Action, budget: &mut Budget) -> Written<StepId> {
        let title = hygiene::line(title, TITLE);
        budget.spend_one(title.len())?;
        self.plan.steps.push(Step { title, base, action });
        Ok(StepId(number(self.plan.steps.len() - 1)))
    }

    /// Declares a result, tagged by the rule of [`Job::tag_of`].
    pub(crate) fn product(&mut self, name: &str, step: StepId, job: &Job, budget: &mut Budget) -> Written<()> {
        if !hygiene::is_kebab(name) {
            return refused("invalid-name", format!("`{}` is no name of a product in kebab-case", hygiene::line(name, 80)));
        }
        if self.plan.products.iter().any(|product| product.name == name) {
            return refused("invalid-name", format!("there is a product `{name}` already"));
        }
        let Ok(tag) = job.tag_of(name) else {
            return refused("invalid-reference", format!("`{}` cannot bear the name of a product `{name}` behind it", job.tag));
        };
        budget.spend_one(name.len())?;
        self.plan.products.push(Product { name: name.to_owned(), tag, step });
        Ok(())
    }

    /// Writes into the run of a step. Handles of runs lead to no other kind of step.
    pub(crate) fn in_run(&mut self, step: StepId, write: impl FnOnce(&mut Run)) {
        if let Some(Action::Run(run)) = self.plan.steps.get_mut(step.0 as usize).map(|step| &mut step.action) {
            write(run);
        }
    }

    /// Writes into the build of a step.
    pub(crate) fn in_build(&mut self, step: StepId, write: impl FnOnce(&mut Build)) {
        if let Some(Action::Build(build)) = self.plan.steps.get_mut(step.0 as usize).map(|step| &mut step.action) {
            write(build);
        }
    }

    /// What the image that a step makes says of itself.
    pub(crate) fn changes_of(&mut self, step: StepId) -> Option<&mut ImageChanges> {
        self.plan.steps.get_mut(step.0 as usize)?.changes_mut()
    }

    /// Gives content to a run.
    pub(crate) fn place(&mut self, step: StepId, place: Place, budget: &mut Budget) -> Written<()> {
        budget.spend_one(absolute(&place.at)?.len())?;
        self.check_order(step, place.content)?;
        if place.placement == Placement::Copied {
            self.check_no_secret(place.content)?;
        }
        self.in_run(step, |run| run.places.push(place));
        Ok(())
    }

    /// Adds an instruction that copies.
    pub(crate) fn copy(&mut self, step: StepId, copied: Copied, budget: &mut Budget) -> Written<()> {
        self.check_copied(step, &copied, budget)?;
        self.in_build(step, |build| build.instructions.push(Instruction::Copy(copied)));
        Ok(())
    }

    /// Adds a layer.
    pub(crate) fn layer(&mut self, step: StepId, title: &str, copied: Copied, budget: &mut Budget) -> Written<()> {
        self.check_copied(step, &copied, budget)?;
        let title = hygiene::line(title, TITLE);
        if let Some(Action::Assemble(assemble)) = self.plan.steps.get_mut(step.0 as usize).map(|step| &mut step.action) {
            assemble.layers.push(Layer { title, copied });
        }
        Ok(())
    }

    fn check_copied(&self, step: StepId, copied: &Copied, budget: &mut Budget) -> Written<()> {
        let owner = text(copied.owner.as_deref().unwrap_or("root"), "an owner")?;
        budget.spend_one(absolute(&copied.at)?.len() + owner.len())?;
        self.check_order(step, copied.content)?;
        self.check_no_secret(copied.content)
    }

    /// A step uses what earlier steps made: so no plan can go round in a circle.
    fn check_order(&self, step: StepId, content: ContentId) -> Written<()> {
        match self.plan.made_by(content) {
            Some(maker) if maker >= step => {
                refused("later-step", "a step can use what earlier steps leave, not its own nor a later one's".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn check_no_secret(&self, content: ContentId) -> Written<()> {
        match self.plan.resolve(content) {
            Some((_, Content::Secret { name }, _)) => {
                refused("secret-copied", format!("the secret `{}` can only be mounted", hygiene::line(name, 80)))
            }
            _ => Ok(()),
        }
    }
}

/// What a step starts from, where that is an image of the engine. The user is written by the host, for policy to read.
pub(crate) fn image_base(facts: &ImageFacts) -> Base {
    Base::Image { reference: facts.reference.clone(), id: facts.id.clone(), user: facts.user.clone() }
}

/// A variable or label that can be written down.
pub(crate) fn variable(name: String, value: String, budget: &mut Budget) -> Written<Variable> {
    budget.spend_one(name.len() + value.len())?;
    text(&value, "a value")?;
    if name.is_empty() || name.contains(['=', '\0']) {
        return refused("invalid-name", format!("`{}` is no name of a variable", hygiene::line(&name, 80)));
    }
    Ok(Variable { name, value })
}

/// Texts that can be written down.
pub(crate) fn texts(texts: Vec<String>, budget: &mut Budget) -> Written<Vec<String>> {
    for each in &texts {
        budget.spend_one(text(each, "an argument")?.len())?;
    }
    Ok(texts)
}

/// A text that can be written down.
pub(crate) fn one_text(written: String, what: &str, budget: &mut Budget) -> Written<String> {
    budget.spend_one(text(&written, what)?.len())?;
    Ok(written)
}

/// A path of a container that can be written down. Whether it is a good one is judged by policy.
pub(crate) fn path(written: String, budget: &mut Budget) -> Written<String> {
    budget.spend_one(absolute(&written)?.len())?;
    Ok(written)
}

fn text<'text>(text: &'text str, what: &str) -> Written<&'text str> {
    if text.contains('\0') {
        return refused("nul-byte", format!("{what} holds a NUL byte: `{}`", hygiene::line(text, 80)));
    }
    Ok(text)
}

fn absolute(path: &str) -> Written<&str> {
    if !path.starts_with('/') {
        return refused("invalid-path", format!("`{}` is no absolute path", hygiene::line(path, 200)));
    }
    text(path, "a path")
}

fn relative(path: &str) -> Written<&str> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refused("invalid-path", format!("`{}` is no relative path without `.` and `..`", hygiene::line(path, 200)));
    }
    text(path, "a path")
}

fn is_same_or_below(one: &str, other: &str) -> bool {
    other.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn refused<T>(code: &str, message: String) -> Written<T> {
    Err(Stop::Refused(invalid(code, message)))
}

fn invalid(code: &str, message: String) -> Problem {
    Problem::new(ProblemKind::Invalid, code, message)
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("the budget keeps plans far below four thousand million items")
}
