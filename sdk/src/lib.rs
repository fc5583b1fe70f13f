#![doc = include_str!("../README.md")]

mod address;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[expect(clippy::pedantic, reason = "generated")]
pub mod bindings;
mod blob;
mod card;
pub mod contract;
mod fetcher;
pub mod http;
mod image;
mod job;
pub mod log;
#[cfg(not(target_family = "wasm"))]
#[expect(
    unreachable_pub,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the same forms as the generated ones, which ask a host"
)]
mod native;
mod panic;
mod plan;
mod problem;
pub mod repositories;
mod strategy;
mod subject;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod tree;
mod tree_writer;
mod validator;
mod variable;

#[cfg(target_family = "wasm")]
use bindings::host;
#[cfg(not(target_family = "wasm"))]
use native as host;

pub use address::Address;
pub use blob::{Blob, Spool};
pub use card::{Card, Setting};
pub use fetcher::Fetcher;
pub use image::{Image, find, may_execute, require};
pub use job::Job;
pub use plan::{Assembly, Base, Build, Content, Made, Plan, Run, Scratch};
pub use problem::{Problem, ProblemKind};
pub use strategy::Strategy;
pub use subject::{Finding, Findings, PlannedStep, Subject};
pub use tree::Tree;
pub use tree_writer::{FileWriter, TreeWriter};
pub use validator::Validator;
pub use variable::Variable;

pub use host::{
    images::{Identity, PathFact, PathKind, Pull},
    plans::Placement,
    requests::{Incremental, Moment, Severity},
    trees::{Entry, EntryKind},
    types::Network,
};

/// What the registering macros call; not a part of the interface.
#[doc(hidden)]
pub mod exports {
    pub use crate::fetcher::{describe_fetcher, fetch};
    pub use crate::strategy::{decide, describe_strategy};
    pub use crate::validator::{describe_validator, validate};
}
