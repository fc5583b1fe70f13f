//! The strategy `commit`: runs `prepare` or `assemble` in a container that has source and artifacts mounted, and commits that container.
//!
//! The product is the builder image (of an extended build: the runtime image) with one new layer, and nothing of what was mounted
//! in it. Its command is exactly the run script; entrypoint, user, ports and all the rest stay as the image has them.
//!
//! | build by `prepare` | steps |
//! |---|---|
//! | clean | prepare in the builder |
//! | incremental | save-artifacts in the previous product → prepare in the builder |
//! | extended | prepare in the builder (product `build`) → prepare in the runtime image |
//! | extended incremental | save-artifacts in the previous `build` → prepare in the builder (product `build`) → prepare in the runtime image |
//!
//! | build by `assemble` | steps |
//! |---|---|
//! | clean | assemble in the builder |
//! | incremental | save-artifacts in the previous product, whose output is a tar → assemble in the builder |
//! | with a run script in the source | the same → instructions that add the script |
//! | extended | the same in the builder, committed as product `build` where `--incremental` is said → assemble-runtime in the runtime image |

mod assemble;
mod prepare;

use sti_plugin::{Card, Job, Plan, Problem, Strategy, contract::Followed, register_strategy};

/// Decides for containers that are committed.
pub struct Commit;

register_strategy!(Commit);

impl Strategy for Commit {
    fn card() -> Card {
        Card::new("commit", env!("CARGO_PKG_VERSION"))
            .alias("run")
            .summary("runs prepare or assemble in a container that has the source mounted, and commits it: one new layer")
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        match Followed::find(job)? {
            Followed::Prepare(parts) => prepare::decide(job, plan, &parts),
            Followed::Assemble(parts) => assemble::decide(plan, &parts),
            Followed::Triggers(parts) => plan.product("app", &parts.build(plan)?),
        }
    }
}
