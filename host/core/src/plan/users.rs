//! Who a plan runs things as, as it is written.

use super::{Action, Base, Instruction, Plan, Step, StepId};
use crate::{ImageId, Reference};

/// A user in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsAs {
    /// The step that runs something as this user, or makes an image of this user's.
    pub step: StepId,
    /// As in an image's configuration; `""` means root.
    pub user: String,
    /// The image at the bottom, in whose lists names are looked up; `None` where there is none.
    pub image: Option<(Reference, ImageId)>,
}

/// What is known of an image, be it a base or one that the plan makes.
#[derive(Clone)]
struct Standing {
    image: Option<(Reference, ImageId)>,
    user: String,
}

impl Plan {
    /// Lists all users that commands run as or that an image is made for, the own users of images that are started from included.
    pub fn users(&self) -> Vec<RunsAs> {
        let mut made: Vec<Standing> = Vec::new();
        let mut all: Vec<RunsAs> = Vec::new();
        for (id, step) in self.numbered() {
            let base = match &step.base {
                Base::Image { reference, id, user } => {
                    Standing { image: Some((reference.clone(), id.clone())), user: user.clone() }
                }
                Base::Step { step } => made.get(step.0 as usize).cloned().unwrap_or_else(nobody),
                Base::Scratch => nobody(),
            };
            let users = std::iter::once(base.user.clone()).chain(written_in(step));
            let users: Vec<String> = users.collect();
            let last = users.last().cloned().unwrap_or_default();
            all.extend(users.into_iter().map(|user| RunsAs { step: id, user, image: base.image.clone() }));
            made.push(Standing { user: if stays(step) { last } else { base.user }, image: base.image });
        }
        all
    }
}

fn nobody() -> Standing {
    Standing { image: None, user: String::new() }
}

/// The users that a step names, in order.
fn written_in(step: &Step) -> Vec<String> {
    let of_changes = step.changes().and_then(|changes| changes.user.clone());
    match &step.action {
        Action::Run(run) => run.user.clone().into_iter().chain(of_changes).collect(),
        Action::Build(build) => {
            let of_instructions = build.instructions.iter().filter_map(|instruction| match instruction {
                Instruction::User { user } => Some(user.clone()),
                _ => None,
            });
            let of_triggers = build.triggers.iter().flat_map(super::Triggers::users);
            of_triggers.chain(of_instructions).chain(of_changes).collect()
        }
        Action::Assemble(_) => of_changes.into_iter().collect(),
    }
}

/// Whether the last user of a step is its image's: a container's user is not that of what is committed.
fn stays(step: &Step) -> bool {
    !matches!(step.action, Action::Run(_)) || step.changes().is_some_and(|changes| changes.user.is_some())
}
