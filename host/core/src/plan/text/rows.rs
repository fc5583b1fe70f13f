//! The rows of a step: a label, and what it is about.

use super::words::{base, command, content, network, pair, quoted, user};
use crate::plan::{Action, Assemble, Build, Copied, ImageChanges, Instruction, OnFailure, Placement, Plan, Run, Step, StepId};

/// A label with what stands behind it.
type Row = (&'static str, String);

/// Everything that a step says, in the order in which it happens.
pub(super) fn of_step(plan: &Plan, id: StepId, step: &Step) -> Vec<Row> {
    let mut rows = vec![("from", base(&step.base))];
    match &step.action {
        Action::Run(run) => rows.extend(of_run(plan, run)),
        Action::Build(build) => rows.extend(of_build(plan, build)),
        Action::Assemble(assemble) => rows.extend(of_assemble(plan, assemble)),
    }
    rows.extend(plan.captures_of(id).map(|(_, path)| ("keep", format!("{} for later steps", quoted(path)))));
    rows.extend(plan.output_of(id).map(|_| ("keep", "its standard output, a tar, for later steps".to_owned())));
    if let Some(changes) = step.changes() {
        rows.push(("make", "an image".to_owned()));
        rows.extend(of_changes(changes).into_iter().map(|(label, what)| ("", format!("{label:<12}{what}"))));
    }
    rows
}

fn of_run(plan: &Plan, run: &Run) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(run.transient.iter().map(|path| ("forget", format!("what is in {} at the end", quoted(path)))));
    for place in &run.places {
        let label = match place.placement {
            Placement::Mounted => "mount",
            Placement::Copied => "copy",
        };
        rows.push((label, format!("{} at {}", content(plan, place.content), quoted(&place.at))));
    }
    rows.extend(run.environment.iter().map(|variable| ("set", pair(variable))));
    rows.extend(run.user.iter().map(|written| ("user", user(written))));
    rows.extend(run.working_directory.iter().map(|path| ("in", quoted(path))));
    rows.push(("network", network(run.network).to_owned()));
    rows.push(("run", command(&run.command)));
    rows.extend(run.labels_from.iter().map(|path| ("labels", format!("of {}, where the command leaves it", quoted(path)))));
    if run.on_failure == OnFailure::GoOn {
        rows.push(("failing", "the build goes on, without what this should leave".to_owned()));
    }
    rows
}

fn of_build(plan: &Plan, build: &Build) -> Vec<Row> {
    let mut rows = vec![("network", network(build.network).to_owned())];
    if let Some(triggers) = &build.triggers {
        rows.push(("onbuild", format!("with {} at the top of the build context:", content(plan, triggers.context))));
        rows.extend(triggers.instructions.iter().map(|instruction| ("onbuild", quoted(instruction))));
    }
    rows.extend(build.instructions.iter().map(|instruction| match instruction {
        Instruction::Copy(copied) => ("copy", of_copied(plan, copied)),
        Instruction::Run { command: arguments } => ("run", command(arguments)),
        Instruction::Environment(variable) => ("set", pair(variable)),
        Instruction::User { user: written } => ("user", user(written)),
        Instruction::WorkingDirectory { path } => ("in", quoted(path)),
    }));
    rows
}

fn of_assemble(plan: &Plan, assemble: &Assemble) -> Vec<Row> {
    let row = |layer: &crate::plan::Layer| ("layer", format!("{}: {}", quoted(&layer.title), of_copied(plan, &layer.copied)));
    assemble.layers.iter().map(row).collect()
}

fn of_copied(plan: &Plan, copied: &Copied) -> String {
    let owner = copied.owner.as_ref().map(|owner| format!(", owned by {}", user(owner))).unwrap_or_default();
    format!("{} at {}{owner}", content(plan, copied.content), quoted(&copied.at))
}

fn of_changes(changes: &ImageChanges) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(changes.entrypoint.iter().map(|arguments| ("entrypoint", command(arguments))));
    rows.extend(changes.command.iter().map(|arguments| ("command", command(arguments))));
    rows.extend(changes.environment.iter().map(|variable| ("variable", pair(variable))));
    rows.extend(changes.labels.iter().map(|label| ("label", pair(label))));
    rows.extend(changes.user.iter().map(|written| ("user", user(written))));
    rows.extend(changes.working_directory.iter().map(|path| ("directory", quoted(path))));
    rows.extend(changes.expose.iter().map(|port| ("port", quoted(port))));
    rows
}
