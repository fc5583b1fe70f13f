//! What fuzzing feeds with bytes, and what must hold whatever they are. `tests/fuzz` calls these functions with what a fuzzer makes up,
//! `tests/corpus.rs` with what it made up before.
//!
//! | target | what it feeds | what must hold |
//! |---|---|---|
//! | [`addresses`] | the readers of addresses and references, of the host, of its network and of both fetchers | no login is left in what is shown; nobody is asked but the host that was judged |
//! | [`tree_writer`] | a tree-writer, with a row of calls | nothing beside the tree changes, nothing is reached through a link, and what was counted is there |
//! | [`archives`] | the fetcher `archive`, with a whole archive | it ends within its limits, with a tree of normal paths or a problem that can be shown |
//! | [`git`] | the fetcher `git`, with all answers of a server | the same, and no spelling of `.git` is written |
//!
//! Both fetchers are met at their outermost seam, as a host meets them: what lies within may change without a change here. They run
//! natively, with the test kit of the SDK in the place of a host; so a `usize` has 64 bits here and 32 in the sandbox.

mod addresses;
mod archives;
mod deck;
mod fetched;
mod git;
mod hidden;
#[path = "../../../plugins/git/tests/fetches/support/packs.rs"]
#[allow(dead_code, reason = "the tests of the plugin need more of it")]
mod packs;
mod repository;
mod tree_writer;
mod yard;

pub use addresses::addresses;
pub use archives::archives;
pub use git::git;
pub use tree_writer::tree_writer;

use hidden::SourceAddress;

/// A function that takes any bytes, and panics where something does not hold.
pub type Target = fn(&[u8]);

/// All of them, under the names of their corpora.
pub const TARGETS: &[(&str, Target)] =
    &[("addresses", addresses), ("tree_writer", tree_writer), ("archives", archives), ("git", git)];
