//! What a step starts from, and what its image says of itself.

use sti_core::Plan;
use sti_core::plan::{Base, ImageChanges, Step, StepId};

use super::At;
use super::contents::judge_makes_image;
use super::paths::judge_directory;
use super::words::{judge_arguments, judge_kept_variables, judge_labels, judge_ports};
use crate::denial::Denial;

/// A step starts from an image that is granted, from what an earlier step made, or from nothing.
pub(super) fn judge_base(plan: &Plan, id: StepId, step: &Step, at: &At<'_>) -> Result<(), Denial> {
    match &step.base {
        Base::Scratch => Ok(()),
        Base::Image { reference, .. } => at.grant.judge_image("start from", reference, &at.place),
        Base::Step { step: base } if *base >= id => {
            let wish = format!("start from step {}", u64::from(base.0) + 1);
            Err(at.refuse(wish, "a step uses earlier steps only"))
        }
        Base::Step { step: base } => judge_makes_image(plan, *base, at),
    }
}

pub(super) fn judge_changes(at: &At<'_>, changes: &ImageChanges) -> Result<(), Denial> {
    for arguments in [&changes.entrypoint, &changes.command].into_iter().flatten() {
        judge_arguments(at, arguments)?;
    }
    judge_kept_variables(at, &changes.environment)?;
    judge_labels(at, &changes.labels)?;
    judge_ports(at, &changes.expose)?;
    changes.working_directory.iter().try_for_each(|path| judge_directory(at, "set the working directory", path))
}
