//! Turns source code and a builder image into a ready-to-run image.
//!
//! Every decision is made by a sandboxed WebAssembly component (a strategy, a validator), and everything with an effect is done by
//! the host, after policy approved it. This crate is what the program `sti` does, offered as functions: [`build()`], [`plan()`] and
//! [`validate()`]. A [`Host`] says where: which plugins there are, what policy allows, which engine runs containers.
//!
//! ```no_run
#![doc = include_str!("../examples/build.rs")]
//! ```

mod cli;
mod host;
mod lives;
mod pipeline;
mod plugins;
pub mod web;

pub use cli::{open_source, run};
pub use host::Host;
pub use lives::{BuildLock, Lives};
pub use pipeline::{
    AsDockerfile, BuildRequest, BuildResult, Condition, Fetched, ImageVerdict, NamedBy, Planned, ScriptsAddress, ScriptsPlace,
    Source, SourceAddress, StiError, StrategyChoice, Target, UsageRequest, UsageResult, ValidateRequest, ValidateResult,
    as_dockerfile, build, build_as_approved, fetch, plan, run_product, usage, validate,
};
pub use plugins::{FetcherChoice, Installed, Known, Origin, Plugins};
pub use sti_cache::{Kept, Scratch, Store};
pub use sti_core::{
    BuildId, Event, Finding, ImageId, Plan, Progress, Pull, Reference, Secret, Severity, Tree, Variable,
    plan::{Network, PlanFile},
    progress::{Level, Silent},
};
