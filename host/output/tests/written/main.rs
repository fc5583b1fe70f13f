//! What is written for plans of every kind: the Dockerfiles as snapshots, the context as files.
#![expect(clippy::unwrap_used, reason = "a test ends by a panic")]

mod contexts;
mod plans;
mod stages;
