//! The strategy `dockerfile`: writes instructions, which become a Dockerfile where the engine has a builder of its own.
//!
//! From the builder image: the source added at `/tmp/src`, artifacts at `/tmp/artifacts`; the environment; the prepare step; the run
//! script as command. All the rest stays as the image has it. What is added belongs to the image's user.
//!
//! By the contract `assemble` it is the same with its scripts and places.
//!
//! | build | steps |
//! |---|---|
//! | clean | instructions on the builder |
//! | incremental | save-artifacts in the previous product → instructions on the builder |
//! | extended | prepare in the builder (product `build`) → instructions on the runtime image |
//! | extended incremental | save-artifacts in the previous `build` → the same two |
//!
//! Instructions have a layer each and cannot mount: unlike with `commit`, the source and the artifacts stay in lower layers of the image
//! that they were copied into. So the builder of an extended build, of which the next one shall find nothing of that, is a container
//! with mounts. The engine's builder runs without its cache: every instruction is carried out in each build. The runtime image gets of
//! the builder what lay in `/tmp/build`, and nothing else.

mod assemble;
mod prepare;
mod speakable;

use sti_plugin::{Card, Job, Plan, Problem, Strategy, contract::Followed, register_strategy};

/// Decides for instructions that the engine builds.
pub struct Dockerfile;

register_strategy!(Dockerfile);

impl Strategy for Dockerfile {
    fn card() -> Card {
        Card::new("dockerfile", env!("CARGO_PKG_VERSION"))
            .alias("build")
            .summary("writes a Dockerfile that adds the source and runs prepare or assemble, and has the engine build it")
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        match Followed::find(job)? {
            Followed::Prepare(parts) => prepare::decide(job, plan, &parts),
            Followed::Assemble(parts) => assemble::decide(plan, &parts),
            Followed::Triggers(parts) => {
                speakable::check_values(&parts.environment)?;
                plan.product("app", &parts.build(plan)?)
            }
        }
    }
}
