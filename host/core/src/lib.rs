//! The nouns of `sti`: what the rooms of the house hand to each other. Names no engine, no WebAssembly and no terminal.

pub mod blob;
pub mod build_id;
pub mod closest;
pub mod digest;
pub mod directory;
pub mod dockerfile;
pub mod finding;
pub mod hosts;
pub mod image;
pub mod plan;
pub mod problem;
pub mod progress;
pub mod reference;
pub mod secret;
pub mod spool;
pub mod text;
pub mod tree;
pub mod uids;
pub mod variable;
pub mod wishes;

pub use blob::Blob;
pub use build_id::BuildId;
pub use finding::{Finding, Severity};
pub use image::{Identity, ImageFacts, ImageId, PathFact, PathKind, Pull};
pub use plan::Plan;
pub use problem::{Problem, ProblemKind};
pub use progress::{Event, Progress};
pub use reference::Reference;
pub use secret::{Needles, Secret};
pub use tree::Tree;
pub use uids::UidRanges;
pub use variable::Variable;
pub use wishes::{Incremental, Wishes};
