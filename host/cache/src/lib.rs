//! What fetches leave for later ones: trees and bytes by key, in a directory that only the user can write. Knows neither plugins nor
//! servers; whoever asks says what a key means.
//!
//! | name in the directory | is |
//! |---|---|
//! | `lock` | held by all while one of them puts or takes something, and by one alone while it takes something away |
//! | 16 digits | what a living process is making: it holds a lock on it, and what nobody holds is removed |
//! | `tree-…`, `bytes-…`, `note-…` | what is kept: `about.json`, and what that is about |
//!
//! Nothing is ever seen half-made: it is made aside, and renamed when all of it is there. A machine that loses its power may still have
//! the name and not the bytes, so what is kept counts for the boot in which it was made, and longer once it is known to be on the disk
//! (`durable`). Whatever was changed since it was kept is taken for missing: `about.json` is made last, and nothing that it is about
//! has a later time of change, which nobody can set. What is missing costs time, and nothing else.

mod about;
mod aside;
mod copy;
mod entry;
mod place;
mod remove;
mod seal;
mod store;
mod tidy;

pub use aside::{Scratch, sweep};
pub use copy::copy_tree;
pub use remove::{empty, empty_but};
pub use store::{Kept, Settings, Store};
pub use tidy::Tidied;
