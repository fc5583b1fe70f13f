//! The host's side as the test kit plays it: the same modules, types and methods that are generated for a guest, in memory.
//!
//! What a guest's types do by calling the host, these do by looking into values that a test made. Like generated code, all of it
//! is public here and hidden from the outside.

pub(crate) mod blobs;
pub(crate) mod http;
pub(crate) mod images;
pub(crate) mod log;
pub(crate) mod plans;
pub(crate) mod repositories;
pub(crate) mod requests;
pub(crate) mod trees;
pub(crate) mod types;
