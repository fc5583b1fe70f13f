//! The network against real servers on this machine's loopback, made by each test: nothing here leaves the machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod bodies;
mod downloads;
mod git_lines;
mod logins;
mod names;
mod posts;
mod proxies;
mod redirects;
mod requests;
mod server;
mod setup;
mod ssh_lines;
mod tls;
mod unchanged;
