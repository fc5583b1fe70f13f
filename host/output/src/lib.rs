//! A plan as files that others can build: a Dockerfile with a stage for each step, and the context that it copies from. Runs nothing.
//!
//! | of the plan | in the Dockerfile |
//! |---|---|
//! | a `build` or `assemble` step | a stage with its instructions |
//! | a `run` step of which later ones take files only | a stage that all it is given is copied into |
//! | a `run` step that makes an image | a stage whose `RUN` mounts what it is given, so that nothing of it stays |
//! | what a step leaves for a later one | `COPY --from` |
//! | source and files of the plan | directories of the context |
//! | a secret | a secret mount |
//!
//! What no Dockerfile can say is refused and never left out, but for two things that are told: products beside the one that bears the
//! user's tag, and labels that a script leaves.

mod context;
mod error;
mod known;
mod mounts;
mod origin;
mod stages;

pub use context::Context;
pub use error::Error;
pub use known::{Known, Ownership, owners_of};
pub use stages::{Rendered, render};
