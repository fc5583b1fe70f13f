//! Holds a plan against a grant, word by word. Sizes come first, so that what follows is bounded whatever a plugin wrote.

mod contents;
mod images;
mod paths;
mod places;
mod products;
mod sizes;
mod steps;
mod users;
mod words;

pub use words::refused_label;

use sti_core::Plan;
use sti_core::plan::{Purpose, SCHEMA, StepId};

use crate::denial::{Denial, Where};
use crate::grant::Grant;
use crate::quoting::shown;

/// Refuses the first wish of a plan that goes beyond the grant.
pub(crate) fn judge(plan: &Plan, grant: &Grant, purpose: Purpose) -> Result<(), Denial> {
    let whole = At { grant, place: Where::Plan };
    judge_author(plan, &whole)?;
    sizes::judge(plan, &whole)?;
    contents::judge(plan, grant)?;
    steps::judge(plan, grant)?;
    users::judge(plan, grant)?;
    match purpose {
        Purpose::Products => products::judge(plan, grant),
        Purpose::Explanation => products::judge_none(plan, grant),
    }
}

fn judge_author(plan: &Plan, at: &At<'_>) -> Result<(), Denial> {
    let author = &plan.author;
    if author.digest != at.grant.plugin.digest {
        let wish = format!("hand in a plan of `{}` ({})", shown(&author.plugin), shown(&author.digest));
        return Err(at.refuse(wish, format!("a plan is judged by the grant of its own author, {}", at.grant.plugin.digest)));
    }
    if plan.schema != SCHEMA {
        return Err(at.refuse(format!("write a plan of schema {}", plan.schema), format!("this sti knows schema {SCHEMA}")));
    }
    Ok(())
}

/// A place of the plan under a grant: where refusals are born.
struct At<'a> {
    grant: &'a Grant,
    place: Where,
}

impl<'a> At<'a> {
    fn step(grant: &'a Grant, plan: &Plan, step: StepId) -> Self {
        let title = plan.step(step).map(|step| step.title.clone()).unwrap_or_default();
        Self { grant, place: Where::Step { number: step.0 as usize + 1, title } }
    }

    /// A refusal that nothing in the grant could turn.
    fn refuse(&self, wish: impl Into<String>, grant: impl Into<String>) -> Denial {
        self.grant.denial(&self.place, wish.into(), grant.into(), None)
    }

    /// A refusal with what would turn it.
    fn refuse_with(&self, wish: impl Into<String>, grant: impl Into<String>, hint: impl Into<Option<String>>) -> Denial {
        self.grant.denial(&self.place, wish.into(), grant.into(), hint.into())
    }
}
