//! The test kit: a plugin is tested natively, by `cargo test`, without a host, an engine or a component.
//!
//! ```
//! use sti_plugin::{Card, Job, Plan, Problem, Scratch, Strategy};
//! use sti_plugin::testing::{JobBuilder, MemoryTree};
//!
//! struct Pack;
//!
//! impl Strategy for Pack {
//!     fn card() -> Card {
//!         Card::new("pack", "1.0.0")
//!     }
//!
//!     fn decide(_job: &Job, plan: &Plan) -> Result<(), Problem> {
//!         let app = plan.assemble("pack", Scratch)?.layer("source", &plan.source(), "/srv")?.finish();
//!         plan.product("app", &app)
//!     }
//! }
//!
//! let job = JobBuilder::new("builder", "app:1").source(MemoryTree::new().file("index.html", "<p>"));
//! assert_eq!(job.decide::<Pack>().expect_plan().to_text(), "\
//! 1. assemble `pack` on scratch
//!    layer `source`: source at /srv
//! product app: step 1
//! ");
//! ```

mod address;
pub(crate) mod glob;
mod image;
mod job;
pub(crate) mod line;
mod plan;
mod plan_text;
mod subject;
mod tree;
pub(crate) mod web;

pub use address::{AddressBuilder, Fetched};
pub use image::{FakeImage, FakeImages};
pub use job::{Decision, JobBuilder, LogLine};
pub use line::Line;
pub use plan::{
    RecordedChanges, RecordedInstruction, RecordedLayer, RecordedPlace, RecordedPlan, RecordedProduct, RecordedStep, StepKind,
};
pub use subject::{SubjectBuilder, Verdict};
pub use tree::MemoryTree;
pub use web::{WebAnswer, WebRequest};
