//! The sandbox: loads a plugin, asks it, and gives back what it wrote, within limits. The only room that names wasmtime.
//!
//! A plugin passes three walls before it runs: what it imports must exist and suit its kind ([`Invalid`] says what does not), what
//! it is linked with holds nothing that policy does not judge, and each call has a store, a deadline and limits of its own.

mod calls;
mod card;
mod compiled;
mod error;
mod hygiene;
mod invalid;
mod job;
mod keeper;
mod limits;
mod memory;
mod output;
mod plugin;
mod powers;
mod preflight;
mod sandbox;
mod scripts;
mod store;
mod ticker;
mod web;

pub use card::{Card, Kind, Moment, Setting};
pub use error::Error;
pub use invalid::Invalid;
pub use job::{Errand, Fetched, Job, Powers, Reach, Subject};
pub use keeper::Keeper;
pub use limits::Limits;
pub use plugin::Plugin;
pub use sandbox::{Component, Sandbox, Settings, digest_of};
pub use scripts::Scripts;
pub use web::{Answer, Line, Web, WebRequest};

/// The contract that this sandbox serves.
pub const CONTRACT: &str = "sti:host and sti:plugin 0.1.0";

/// What runs the code of plugins.
pub const RUNTIME: &str = "wasmtime 48";
