//! A small client of the API of Docker and Podman: one blocking request on one connection. The tests look at the engine through it,
//! because a client under test cannot be its own witness; `cargo xtask` makes images and measures with it.
#![expect(
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    reason = "tools and tests read their environment, say what they skip, and end by a panic"
)]

mod answer;
mod body;
mod container;
mod engine;
mod image;
mod skipped;

pub use answer::Answer;
pub use body::Body;
pub use container::{Ended, Output};
pub use engine::Engine;
pub use image::{Entry, Image};
pub use skipped::{can_have, can_run, cannot_be_had, name_of_test};
