//! Steps: order, bases, commands, what is put where, and the network. Who they run as is judged in `users`.

use std::collections::BTreeSet;

use sti_core::Plan;
use sti_core::plan::{
    Action, Build, Content, ContentId, Instruction, Network, OnFailure, Placement, Run, Step, StepId, is_at_or_below,
};

use super::At;
use super::images::{judge_base, judge_changes};
use super::paths::{judge_absolute, judge_directory};
use super::words::{judge_command, judge_kept_variables, judge_title, judge_variables};
use crate::denial::Denial;
use crate::grant::Grant;
use crate::quoting::shown;

pub(super) fn judge(plan: &Plan, grant: &Grant) -> Result<(), Denial> {
    plan.numbered().try_for_each(|(id, step)| judge_step(plan, id, step, &At::step(grant, plan, id)))
}

fn judge_step(plan: &Plan, id: StepId, step: &Step, at: &At<'_>) -> Result<(), Denial> {
    judge_title(at, &step.title)?;
    judge_base(plan, id, step, at)?;
    step.contents().into_iter().try_for_each(|content| judge_use(plan, id, content, at))?;
    match &step.action {
        Action::Run(run) => judge_run(plan, run, at)?,
        Action::Build(build) => judge_build(plan, build, at)?,
        Action::Assemble(assemble) => {
            for layer in &assemble.layers {
                judge_title(at, &layer.title)?;
                judge_copied(plan, layer.copied.content, &layer.copied.at, at)?;
            }
        }
    }
    step.changes().map_or(Ok(()), |changes| judge_changes(at, changes))
}

/// A step is given contents that exist, and that are there before it begins.
fn judge_use(plan: &Plan, id: StepId, content: ContentId, at: &At<'_>) -> Result<(), Denial> {
    if plan.content(content).is_none() {
        let grant = format!("the plan has {} of them, counted from 0", plan.contents.len());
        return Err(at.refuse(format!("use content {}", content.0), grant));
    }
    match plan.made_by(content) {
        Some(maker) if maker >= id => {
            let wish = format!("use what step {} leaves", u64::from(maker.0) + 1);
            Err(at.refuse(wish, "a step uses earlier steps only"))
        }
        _ => Ok(()),
    }
}

fn judge_run(plan: &Plan, run: &Run, at: &At<'_>) -> Result<(), Denial> {
    judge_command(at, &run.command)?;
    judge_variables(at, &run.environment)?;
    judge_network(at, run.network)?;
    run.working_directory.iter().try_for_each(|path| judge_directory(at, "work in", path))?;
    let mut taken = BTreeSet::new();
    for directory in &run.transient {
        judge_absolute(at, "forget what is in", directory)?;
        if !taken.insert(directory) {
            return Err(at.refuse(format!("forget `{}` twice", shown(directory)), "each directory is named once"));
        }
    }
    if run.on_failure == OnFailure::GoOn && run.commit.is_some() {
        return Err(at.refuse("make an image of a step that may fail", "an image is made of a command that ended well"));
    }
    run.labels_from.iter().try_for_each(|path| judge_absolute(at, "take labels from", path))?;
    for place in &run.places {
        match place.placement {
            Placement::Mounted => judge_absolute(at, "mount at", &place.at)?,
            Placement::Copied => judge_copied(plan, place.content, &place.at, at)?,
        }
        if place.placement == Placement::Copied && run.transient.iter().any(|directory| is_at_or_below(&place.at, directory)) {
            return Err(at.refuse(
                format!("copy to `{}`", shown(&place.at)),
                "what is copied stays in the image, and this lies in a directory of which nothing does",
            ));
        }
        let glob = plan.glob(place.content);
        if let (Some(glob), Placement::Mounted) = (glob, place.placement) {
            let wish = format!("mount what matches `{}`", shown(glob));
            return Err(at.refuse(wish, "entries that are picked by their names are copied, beside what is there"));
        }
        if glob.is_none() && !taken.insert(&place.at) {
            return Err(at.refuse(
                format!("put two contents at `{}`", shown(&place.at)),
                "each place of a container is given one content",
            ));
        }
    }
    Ok(())
}

fn judge_build(plan: &Plan, build: &Build, at: &At<'_>) -> Result<(), Denial> {
    judge_network(at, build.network)?;
    for instruction in &build.instructions {
        match instruction {
            Instruction::Copy(copied) => judge_copied(plan, copied.content, &copied.at, at)?,
            Instruction::Run { command } => judge_command(at, command)?,
            Instruction::Environment(variable) => judge_kept_variables(at, [variable])?,
            Instruction::WorkingDirectory { path } => judge_directory(at, "work in", path)?,
            Instruction::User { .. } => {}
        }
    }
    Ok(())
}

/// What is copied stays in an image, and a secret must not.
fn judge_copied(plan: &Plan, content: ContentId, path: &str, at: &At<'_>) -> Result<(), Denial> {
    judge_absolute(at, "copy to", path)?;
    match plan.resolve(content) {
        Some((_, Content::Secret { name }, _)) => Err(at.refuse(
            format!("copy the secret `{}` into an image", shown(name)),
            "secrets are mounted, and so never part of an image",
        )),
        _ => Ok(()),
    }
}

fn judge_network(at: &At<'_>, network: Network) -> Result<(), Denial> {
    if network <= at.grant.network() {
        return Ok(());
    }
    let wish = "reach the network";
    if at.grant.named.network == Network::None {
        let hint = "to allow it, leave out `--network none`".to_owned();
        return Err(at.refuse_with(wish, "the command line says `--network none`", hint));
    }
    Err(at.refuse_with(wish, at.grant.by_the_file("no network"), at.grant.line_of_the_file("network", "\"outgoing\"")))
}
