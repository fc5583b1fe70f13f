//! `ONBUILD` instructions that images bring along: carried out where the user allows it, and refused otherwise.

use crate::{Image, Job, Made, Plan, Problem};

/// How many instructions are told.
const TOLD: usize = 5;

/// Refuses images whose instructions the user did not allow, with what they would do.
pub(super) fn refuse_unasked<'a>(job: &Job, images: impl IntoIterator<Item = &'a Image>) -> Result<(), Problem> {
    if job.allows_triggers() {
        return Ok(());
    }
    images.into_iter().try_for_each(|image| {
        let triggers = image.triggers();
        if triggers.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = triggers.iter().take(TOLD).map(|trigger| format!("`{trigger}`")).collect();
        let more = if triggers.len() > TOLD { format!(" and {} more", triggers.len() - TOLD) } else { String::new() };
        let message =
            format!("`{}` has ONBUILD instructions, which would be carried out: {}{more}", image.reference(), told.join(", "));
        Err(Problem::invalid("triggers-unasked", message).hint("--allow-onbuild"))
    })
}

/// Plans what the `ONBUILD` instructions of an image make of it, with the source as their build context; `None` where it has none.
///
/// ```
/// use sti_plugin::contract::after_triggers;
/// use sti_plugin::testing::{FakeImage, JobBuilder};
/// use sti_plugin::{Base, Pull, require};
///
/// let builder = FakeImage::new("builder").triggers(&["COPY . /app"]);
/// let decision = JobBuilder::new("builder", "app").image(builder).decide_with(|_, plan| {
///     let builder = require("builder", Pull::AsAsked)?;
///     let made = after_triggers(plan, &builder)?;
///     let base = made.as_ref().map_or(Base::Image(&builder), Base::Made);
///     plan.product("app", &plan.run("assemble", base)?.command(["/assemble"]).commit())
/// });
/// assert_eq!(decision.plan.steps[1].on, "step 1");
/// ```
pub fn after_triggers(plan: &Plan, image: &Image) -> Result<Option<Made>, Problem> {
    if image.triggers().is_empty() {
        return Ok(None);
    }
    let title = format!("carry out the ONBUILD instructions of {}", image.reference());
    Ok(Some(plan.build(&title, image)?.carry_out_triggers(&plan.source())?.finish()))
}
