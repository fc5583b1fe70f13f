//! How much a plan may hold. The limits are far beyond any honest plan, and near enough to keep a hostile one cheap.

use sti_core::plan::{Action, Content, Instruction, Step};
use sti_core::{Plan, Variable};

use super::At;
use crate::denial::Denial;

const MOST_STEPS: usize = 100;
const MOST_CONTENTS: usize = 1_000;
const MOST_INSTRUCTIONS: usize = 1_000;
const MOST_BYTES_OF_FILES: usize = 4 << 20;
const MOST_BYTES_OF_WORDS: usize = 1 << 20;

pub(super) fn judge(plan: &Plan, at: &At<'_>) -> Result<(), Denial> {
    let files: usize = plan.contents.iter().map(bytes_of_files).sum();
    let instructions: usize = plan.steps.iter().map(count_instructions).sum();
    let own: Vec<Variable> = at.grant.all_variables().cloned().collect();
    let words: usize = plan.steps.iter().map(|step| bytes_of_words(step, &own)).sum();
    let sizes = [
        ("steps", plan.steps.len(), MOST_STEPS),
        ("contents", plan.contents.len(), MOST_CONTENTS),
        ("instructions, layers and placed contents", instructions, MOST_INSTRUCTIONS),
        ("products", plan.products.len(), MOST_STEPS),
        ("bytes of files of its own", files, MOST_BYTES_OF_FILES),
        ("bytes of titles, arguments, variables and labels", words, MOST_BYTES_OF_WORDS),
    ];
    for (what, size, most) in sizes {
        if size > most {
            return Err(at.refuse(format!("plan {size} {what}"), format!("a plan has at most {most} {what}")));
        }
    }
    Ok(())
}

fn bytes_of_files(content: &Content) -> usize {
    match content {
        // Every file costs something, even one without a byte.
        Content::Files { files } => files.iter().map(|file| file.bytes.len() + file.path.len() + 64).sum(),
        _ => 0,
    }
}

fn count_instructions(step: &Step) -> usize {
    match &step.action {
        Action::Run(run) => run.places.len() + run.transient.len(),
        Action::Build(build) => build.instructions.len(),
        Action::Assemble(assemble) => assemble.layers.len(),
    }
}

fn bytes_of_words(step: &Step, users_own: &[Variable]) -> usize {
    let set = |variable: &Variable| bytes_of_variable(variable, users_own);
    let action = match &step.action {
        Action::Run(run) => length(&run.command) + run.environment.iter().map(set).sum::<usize>(),
        Action::Build(build) => build.instructions.iter().map(|instruction| bytes_of_instruction(instruction, users_own)).sum(),
        Action::Assemble(assemble) => assemble.layers.iter().map(|layer| layer.title.len()).sum(),
    };
    let changes = step.changes().map_or(0, |changes| {
        let variables = changes.environment.iter().chain(&changes.labels).map(set).sum::<usize>();
        let commands = [&changes.entrypoint, &changes.command].into_iter().flatten().map(|words| length(words)).sum::<usize>();
        variables + commands + length(&changes.expose)
    });
    step.title.len() + action + changes
}

fn bytes_of_instruction(instruction: &Instruction, users_own: &[Variable]) -> usize {
    match instruction {
        Instruction::Run { command } => length(command),
        Instruction::Environment(variable) => bytes_of_variable(variable, users_own),
        Instruction::Copy(_) | Instruction::User { .. } | Instruction::WorkingDirectory { .. } => 0,
    }
}

/// A value that the user gave is not the plugin's to answer for, however long it is.
fn bytes_of_variable(variable: &Variable, users_own: &[Variable]) -> usize {
    let value = if users_own.contains(variable) { 0 } else { variable.value.len() };
    variable.name.len() + 1 + value
}

/// An empty word costs a byte: the one that ends it.
fn length(words: &[String]) -> usize {
    words.iter().map(|word| word.len() + 1).sum()
}
