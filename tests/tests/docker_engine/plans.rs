//! Plans as these tests write them.

use sti_core::plan::{
    Action, Author, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Network, Place, Placement, Plan, Run,
    Step, StepId,
};

use super::bench::Bench;

/// A plan of these steps.
pub(crate) fn plan_of(steps: Vec<Step>, contents: Vec<Content>) -> Plan {
    let author = Author { plugin: "test".to_owned(), digest: "sha256:0".to_owned() };
    Plan { steps, contents, ..Plan::empty(author) }
}

/// A step that starts from the builder image.
pub(crate) fn on_builder(bench: &Bench, action: Action) -> Step {
    let builder = &bench.builder;
    let base = Base::Image { reference: builder.reference.clone(), id: builder.id.clone(), user: builder.user.clone() };
    Step { title: "prepare".to_owned(), base, action }
}

/// A step on the builder image that runs the fixture and is given nothing.
pub(crate) fn running(bench: &Bench, words: &str) -> Step {
    on_builder(bench, Action::Run(run_of(words, Vec::new())))
}

/// The same, and its filesystem becomes an image.
pub(crate) fn committing(bench: &Bench, words: &str) -> Step {
    on_builder(bench, Action::Run(Run { commit: Some(ImageChanges::default()), ..run_of(words, Vec::new()) }))
}

/// A run of the fixture.
pub(crate) fn run_of(words: &str, places: Vec<Place>) -> Run {
    Run { places, ..Run::new(fixture(words), Network::None) }
}

/// The fixture with these words. Nothing but a blank divides them, so that a word can hold the end of a line.
pub(crate) fn fixture(words: &str) -> Vec<String> {
    std::iter::once("/usr/bin/fixture").chain(words.split(' ')).map(str::to_owned).collect()
}

/// Instructions that run the fixture.
pub(crate) fn build_of(commands: &[&str]) -> Action {
    let instructions = commands.iter().map(|words| Instruction::Run { command: fixture(words) }).collect();
    Action::Build(Build { triggers: None, instructions, network: Network::None, changes: ImageChanges::default() })
}

/// Content of the plan at a path.
pub(crate) fn place(content: u32, at: &str, placement: Placement) -> Place {
    Place { content: ContentId(content), at: at.to_owned(), placement }
}

/// Content of the plan as an instruction or a layer has it.
pub(crate) fn copied(content: u32, at: &str, owner: Option<&str>) -> Copied {
    Copied { content: ContentId(content), at: at.to_owned(), owner: owner.map(str::to_owned) }
}

/// The step whose image is the product; where none makes one, the last is told to.
pub(crate) fn product_of(plan: &mut Plan) -> StepId {
    let made = plan.numbered().filter(|(_, step)| step.changes().is_some()).last().map(|(id, _)| id);
    made.unwrap_or_else(|| {
        let last = plan.steps.len() - 1;
        if let Action::Run(run) = &mut plan.steps[last].action {
            run.commit = Some(ImageChanges::default());
        }
        StepId(u32::try_from(last).unwrap())
    })
}
