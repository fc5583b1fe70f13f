//! The fetcher against repositories that real git made and serves, and against servers that lie.

mod additions;
mod checkout;
mod fetching;
mod hostile;
mod local;
mod references;
mod support;
