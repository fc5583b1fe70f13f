//! What must be known of images before a plan can be written down: who their users are in numbers, and what they say of themselves.

use std::collections::{BTreeMap, BTreeSet};

use sti_core::{
    ImageFacts, ImageId, Plan, Reference,
    plan::{Action, Base, Instruction, Step},
};

/// What is known of the images that a plan begins with. Who fills it asks for all that [`owners_of`] lists.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What the images say of themselves.
    pub images: BTreeMap<ImageId, ImageFacts>,
    /// Users in numbers: a Dockerfile's `--chown` takes a user's number for its group's where no group is said.
    pub owners: BTreeMap<(ImageId, String), (u32, u32)>,
}

/// A user whose numbers must be known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ownership {
    /// The image in whose lists the user is looked up.
    pub image: ImageId,
    /// The user as written; `""` means root.
    pub user: String,
}

/// Lists the images that a plan begins with, and the users in them that own what its steps are given.
pub fn owners_of(plan: &Plan) -> Vec<(Reference, Ownership)> {
    let mut seen = BTreeSet::new();
    let owners = plan.steps.iter().filter_map(|step| {
        let Base::Image { reference, id, .. } = root_of(plan, step)? else { return None };
        Some((reference.clone(), Ownership { image: id.clone(), user: user_of(plan, step) }))
    });
    owners.filter(|(_, owner)| seen.insert(owner.clone())).collect()
}

impl Known {
    /// The owner of what a step is given, as `--chown` takes it; none for root, whom files belong to anyway.
    pub(crate) fn chown(&self, plan: &Plan, step: &Step) -> Option<String> {
        self.owner(plan, step).filter(|owner| *owner != (0, 0)).map(|(uid, gid)| format!("{uid}:{gid}"))
    }

    /// Who the commands of a step run as, in numbers.
    pub(crate) fn owner(&self, plan: &Plan, step: &Step) -> Option<(u32, u32)> {
        let Base::Image { id, .. } = root_of(plan, step)? else { return None };
        self.owners.get(&(id.clone(), user_of(plan, step))).copied()
    }

    /// What the image says of itself that a step begins with, through however many steps.
    pub(crate) fn root(&self, plan: &Plan, step: &Step) -> Option<&ImageFacts> {
        let Base::Image { id, .. } = root_of(plan, step)? else { return None };
        self.images.get(id)
    }
}

/// The user that a step leaves to those that begin with it, or to the product; `""` means root.
pub(crate) fn user_after(plan: &Plan, step: &Step) -> String {
    let said = match &step.action {
        Action::Build(build) => build.instructions.iter().rev().find_map(|instruction| match instruction {
            Instruction::User { user } => Some(user),
            _ => None,
        }),
        Action::Run(_) | Action::Assemble(_) => None,
    };
    let changed = step.changes().and_then(|changes| changes.user.as_ref());
    changed.or(said).cloned().unwrap_or_else(|| base_user(plan, step))
}

/// The user of what a step begins with.
pub(crate) fn base_user(plan: &Plan, step: &Step) -> String {
    match &step.base {
        Base::Image { user, .. } => user.clone(),
        Base::Step { step } => earlier(plan, *step).map(|step| user_after(plan, step)).unwrap_or_default(),
        Base::Scratch => String::new(),
    }
}

fn user_of(plan: &Plan, step: &Step) -> String {
    match &step.action {
        Action::Run(run) => run.user.clone().unwrap_or_else(|| base_user(plan, step)),
        Action::Build(_) | Action::Assemble(_) => base_user(plan, step),
    }
}

fn root_of<'a>(plan: &'a Plan, step: &'a Step) -> Option<&'a Base> {
    match &step.base {
        Base::Step { step } => root_of(plan, earlier(plan, *step)?),
        base => Some(base),
    }
}

/// An approved plan's steps begin with earlier ones only, so that each of these walks has an end.
fn earlier(plan: &Plan, step: sti_core::plan::StepId) -> Option<&Step> {
    plan.step(step)
}
