//! A small client of the API of Docker and Podman: one blocking request on one connection. The tests look at the engine through it,
//! because a client under test cannot be its own witness; `cargo xtask` makes images and measures with it.
#![expect(clippy::disallowed_methods, reason = "tools and tests read their environment themselves")]

mod answer;
mod body;
mod container;
mod engine;
mod image;

pub use answer::Answer;
pub use body::Body;
pub use container::{Ended, Output};
pub use engine::Engine;
pub use image::{Entry, Image};
