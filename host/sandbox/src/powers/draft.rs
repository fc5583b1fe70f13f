//! A plan while it is written. Checks what is true of every plan: numbers, sizes, that a step uses earlier ones only, and that
//! nothing is said which could never be meant. What is *allowed* is policy's to say, later.

use std::collections::BTreeMap;

use sti_core::{
    ImageFacts, Plan, Problem, ProblemKind, Variable,
    plan::{
        APP, Action, Assemble, Author, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Layer, Names, Network,
        Place, Placement, PlanFile, Product, Purpose, Run, Step, StepId, Triggers, is_at_or_below,
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
    /// The ONBUILD instructions of the images that steps of instructions start from.
    triggers: BTreeMap<StepId, Vec<String>>,
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
        Self { plan: Plan::empty(author), network, refused: None, triggers: BTreeMap::new() }
    }

    /// The plan, once the plugin says that it is done: the first thing that could not be written down stops it.
    pub(crate) fn finish(self, purpose: Purpose) -> Result<Plan, Problem> {
        if let Some(problem) = self.refused {
            return Err(problem);
        }
        if purpose == Purpose::Products && !self.plan.products.iter().any(|product| product.name == APP) {
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
            Content::Part { of, path } => {
                self.check_is_whole(*of)?;
                relative(path)?.len()
            }
            Content::Matching { glob, .. } => text(glob, "a glob")?.len(),
            Content::Cache { name } | Content::Secret { name } => text(name, "a name")?.len(),
            Content::Source | Content::Empty | Content::Files { .. } | Content::Output { .. } => 0,
        };
        budget.spend_one(bytes)?;
        self.plan.contents.push(content);
        Ok(ContentId(number(self.plan.contents.len() - 1)))
    }

    /// Entries of a directory that a step leaves.
    pub(crate) fn matching(&mut self, of: ContentId, glob: String, budget: &mut Budget) -> Written<ContentId> {
        self.check_is_whole(of)?;
        if self.plan.made_by(of).is_none() {
            return refused("not-left-by-a-step", "only of what a step leaves can entries be picked by their names".to_owned());
        }
        if let Err(why) = Names::of(text(&glob, "a glob")?) {
            return refused("bad-glob", format!("`{}` stands for no names: {why}", hygiene::line(&glob, 80)));
        }
        self.content(Content::Matching { of, glob }, budget)
    }

    /// What was picked by names is no directory of which there could be a part.
    fn check_is_whole(&self, content: ContentId) -> Written<()> {
        match self.plan.glob(content) {
            Some(glob) => refused("part-of-matching", format!("what matches `{}` has no parts", hygiene::line(glob, 80))),
            None => Ok(()),
        }
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
        if let Some(pair) = files.windows(2).find(|pair| is_at_or_below(&pair[1].path, &pair[0].path)) {
            return refused("invalid-path", format!("`{}` and `{}` cannot both be files", pair[0].path, pair[1].path));
        }
        self.content(Content::Files { files }, budget)
    }

    /// Adds a step that runs a container.
    pub(crate) fn run(&mut self, title: &str, base: Base, budget: &mut Budget) -> Written<StepId> {
        let run = Run::new(Vec::new(), self.network);
        self.step(title, base, Action::Run(run), budget)
    }

    /// Adds a step that carries out instructions.
    pub(crate) fn build(&mut self, title: &str, base: Base, triggers: Vec<String>, budget: &mut Budget) -> Written<StepId> {
        let step = self.step(title, base, Action::Build(Build::new(self.network)), budget)?;
        self.triggers.insert(step, triggers);
        Ok(step)
    }

    /// Has the ONBUILD instructions of a build's image carried out; one without any stays as it is.
    pub(crate) fn carry_out_triggers(&mut self, step: StepId, context: ContentId, budget: &mut Budget) -> Written<()> {
        self.check_order(step, context)?;
        self.check_no_secret(context)?;
        let instructions = self.triggers.get(&step).cloned().unwrap_or_default();
        budget.spend_one(instructions.iter().map(String::len).sum())?;
        let triggers = (!instructions.is_empty()).then_some(Triggers { context, instructions });
        self.in_build(step, |build| build.triggers = triggers);
        Ok(())
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
        match place.placement {
            Placement::Copied => self.check_no_secret(place.content)?,
            Placement::Mounted => self.check_is_no_choice(place.content)?,
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

    /// Entries that were picked by their names go into a directory beside others, and a mount has none.
    fn check_is_no_choice(&self, content: ContentId) -> Written<()> {
        match self.plan.glob(content) {
            Some(glob) => refused("matching-mounted", format!("what matches `{}` can only be copied", hygiene::line(glob, 80))),
            None => Ok(()),
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

fn refused<T>(code: &str, message: String) -> Written<T> {
    Err(Stop::Refused(invalid(code, message)))
}

fn invalid(code: &str, message: String) -> Problem {
    Problem::new(ProblemKind::Invalid, code, message)
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("the budget keeps plans far below four thousand million items")
}

#[cfg(test)]
mod tests {
    use sti_core::plan::{Author, Base, Content, ContentId, Network, Place, Placement, PlanFile, StepId};

    use super::{Draft, Stop, Written, texts, variable};
    use crate::{Limits, powers::Budget};

    fn draft() -> (Draft, Budget) {
        let author = Author { plugin: "test".to_owned(), digest: "sha256:0".to_owned() };
        (Draft::new(author, Network::None), Budget::new(&Limits::default()))
    }

    fn check_refused<T>(written: Written<T>, code: &str) {
        match written {
            Err(Stop::Refused(problem)) => assert_eq!(problem.code, code, "{}", problem.message),
            Err(Stop::Exceeded(exceeded)) => panic!("{exceeded}"),
            Ok(_) => panic!("it was written down, and {code} was expected"),
        }
    }

    fn check_written<T>(written: Written<T>) -> T {
        match written {
            Ok(written) => written,
            Err(Stop::Refused(problem)) => panic!("{problem}"),
            Err(Stop::Exceeded(exceeded)) => panic!("{exceeded}"),
        }
    }

    fn place(content: ContentId, placement: Placement) -> Place {
        Place { content, at: "/tmp/x".to_owned(), placement }
    }

    fn file(path: &str, mode: u32) -> PlanFile {
        PlanFile { path: path.to_owned(), mode, bytes: b"x".to_vec() }
    }

    #[test]
    fn lets_a_step_use_what_earlier_ones_leave_and_nothing_else() {
        let (mut draft, mut budget) = draft();
        let first = check_written(draft.run("first", Base::Scratch, &mut budget));
        let second = check_written(draft.run("second", Base::Scratch, &mut budget));
        let left = |step| Content::Capture { step, path: "/out".to_owned() };
        let of_first = check_written(draft.content(left(first), &mut budget));
        let of_second = check_written(draft.content(left(second), &mut budget));
        let part = check_written(draft.content(Content::Part { of: of_second, path: "a".to_owned() }, &mut budget));
        check_written(draft.place(second, place(of_first, Placement::Mounted), &mut budget));
        check_refused(draft.place(first, place(of_first, Placement::Mounted), &mut budget), "later-step");
        check_refused(draft.place(first, place(of_second, Placement::Copied), &mut budget), "later-step");
        check_refused(draft.place(first, place(part, Placement::Copied), &mut budget), "later-step");
    }

    #[test]
    fn picks_by_names_what_a_step_leaves_and_only_copies_it() {
        let (mut draft, mut budget) = draft();
        let first = check_written(draft.run("first", Base::Scratch, &mut budget));
        let second = check_written(draft.run("second", Base::Scratch, &mut budget));
        let left = check_written(draft.content(Content::Capture { step: first, path: "/out".to_owned() }, &mut budget));
        let source = check_written(draft.content(Content::Source, &mut budget));
        let picked = check_written(draft.matching(left, "*.jar".to_owned(), &mut budget));
        check_written(draft.place(second, place(picked, Placement::Copied), &mut budget));
        check_refused(draft.place(first, place(picked, Placement::Copied), &mut budget), "later-step");
        check_refused(draft.place(second, place(picked, Placement::Mounted), &mut budget), "matching-mounted");
        check_refused(draft.matching(source, "*.jar".to_owned(), &mut budget), "not-left-by-a-step");
        check_refused(draft.matching(picked, "a*".to_owned(), &mut budget), "part-of-matching");
        check_refused(draft.content(Content::Part { of: picked, path: "a".to_owned() }, &mut budget), "part-of-matching");
        for glob in ["lib/*.jar", "["] {
            check_refused(draft.matching(left, glob.to_owned(), &mut budget), "bad-glob");
        }
        check_refused(draft.matching(left, "a\0".to_owned(), &mut budget), "nul-byte");
    }

    #[test]
    fn copies_no_secret_nor_a_part_of_one() {
        let (mut draft, mut budget) = draft();
        let step = check_written(draft.run("run", Base::Scratch, &mut budget));
        let secret = check_written(draft.content(Content::Secret { name: "key".to_owned() }, &mut budget));
        let part = check_written(draft.content(Content::Part { of: secret, path: "a".to_owned() }, &mut budget));
        check_written(draft.place(step, place(secret, Placement::Mounted), &mut budget));
        check_refused(draft.place(step, place(secret, Placement::Copied), &mut budget), "secret-copied");
        check_refused(draft.place(step, place(part, Placement::Copied), &mut budget), "secret-copied");
    }

    #[test]
    fn writes_the_same_content_once() {
        let (mut draft, mut budget) = draft();
        let first = check_written(draft.content(Content::Source, &mut budget));
        check_written(draft.content(Content::Empty, &mut budget));
        assert_eq!(check_written(draft.content(Content::Source, &mut budget)), first);
    }

    #[test]
    fn refuses_files_that_cannot_be() {
        let refused = |files: Vec<PlanFile>, code: &str| {
            let (mut draft, mut budget) = draft();
            check_refused(draft.files(files, &mut budget), code);
        };
        for path in ["", "/a", "a/", "a//b", "./a", "a/..", ".."] {
            refused(vec![file(path, 0o644)], "invalid-path");
        }
        refused(vec![file("a\0b", 0o644)], "nul-byte");
        refused(vec![file("a", 0o4755)], "invalid-mode");
        refused(vec![file("a", 0o644), file("a", 0o600)], "invalid-path");
        refused(vec![file("a/b", 0o644), file("a", 0o600)], "invalid-path");
        refused(vec![PlanFile { bytes: vec![0; 4 << 20], ..file("a", 0o600) }], "files-too-large");
    }

    #[test]
    fn starts_steps_with_the_network_of_the_job() {
        let (mut draft, mut budget) = draft();
        let step = check_written(draft.run("run", Base::Scratch, &mut budget));
        draft.in_run(step, |run| assert_eq!(run.network, Network::None));
    }

    #[test]
    fn refuses_what_no_container_can_hold() {
        let (mut draft, mut budget) = draft();
        check_refused(variable("A=B".to_owned(), String::new(), &mut budget), "invalid-name");
        check_refused(variable(String::new(), String::new(), &mut budget), "invalid-name");
        check_refused(variable("A".to_owned(), "\0".to_owned(), &mut budget), "nul-byte");
        check_refused(texts(vec!["a\0".to_owned()], &mut budget), "nul-byte");
        check_refused(draft.content(Content::Capture { step: StepId(0), path: "out".to_owned() }, &mut budget), "invalid-path");
    }

    #[test]
    fn stops_at_the_limits() {
        let (mut draft, _) = draft();
        let mut small = Budget::new(&Limits { plan_items: 2, ..Limits::default() });
        check_written(draft.run("one", Base::Scratch, &mut small));
        check_written(draft.run("two", Base::Scratch, &mut small));
        assert!(matches!(draft.run("three", Base::Scratch, &mut small), Err(Stop::Exceeded(_))));
        let mut small = Budget::new(&Limits { plan_bytes: 4, ..Limits::default() });
        assert!(matches!(texts(vec!["12345".to_owned()], &mut small), Err(Stop::Exceeded(_))));
    }
}
