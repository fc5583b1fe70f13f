//! The strategy `commit`: runs `prepare` in a container that has source and artifacts mounted, and commits that container.
//!
//! The product is the builder image (or the runtime image of an extended build) with one new layer, whose command is the run script.

use sti_plugin::{Card, Job, Plan, Problem, Pull, Strategy, contract::PREPARE, register_strategy, require};

struct Commit;

register_strategy!(Commit);

impl Strategy for Commit {
    fn card() -> Card {
        Card::new("commit", env!("CARGO_PKG_VERSION"))
            .alias("run")
            .summary("runs prepare in a container and commits it: one new layer, nothing of the source in it")
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        let builder = require(&job.builder_image(), Pull::AsAsked)?;
        let app = plan
            .run("prepare", &builder)?
            .command([PREPARE.build_script()])
            .mount(&plan.source(), PREPARE.source_at())?
            .environment(job.environment())
            .commit();
        app.command([PREPARE.run_script()]).environment(job.environment());
        plan.product("app", &app)
    }
}
