//! The strategy `usage`: runs the script by which a builder image explains itself, and makes nothing. `sti usage` asks for it.

use sti_plugin::{Card, Job, Plan, Problem, Strategy, contract::Usage as Script, register_strategy};

/// Decides for images that explain themselves.
pub struct Usage;

register_strategy!(Usage);

impl Strategy for Usage {
    fn card() -> Card {
        Card::new("usage", env!("CARGO_PKG_VERSION"))
            .summary("runs the script by which a builder image explains itself: makes nothing")
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        // All that counts is that the step is in the plan: nothing is taken of it.
        let _explaining = Script::find(job)?.explaining(plan)?;
        Ok(())
    }
}
