//! The laboratory of the whole-program tests: images made of one static program, the built `sti` in a home of its own, and a client
//! that looks at the engine from outside.
//!
//! ```no_run
//! use sti_tests::{Builder, Lab};
//!
//! let lab = Lab::new();
//! let builder = lab.builder(Builder::new().prepare("copy /tmp/src /app").run("cat /app/index.txt").user("1001"));
//! let source = lab.source(&[("index.txt", "hello")]);
//! lab.sti(["build", &source, &builder, &lab.tag("app"), "--strategy", "commit"]).assert_success();
//! assert_eq!(lab.run("app").output.stdout, "hello");
//! lab.assert_nothing_left();
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "test code: it makes the environment of the program under test, and ends a test by a panic"
)]

mod builder;
mod lab;
mod leftovers;
mod looking;
mod outcome;
mod programs;
mod proxy;
mod running;
mod scrub;
mod stranger;
mod tools;

pub use builder::Builder;
pub use lab::Lab;
pub use outcome::Outcome;
pub use programs::{built_example, built_fixture, built_plugin, built_sti};
pub use proxy::{Fault, Proxy, When};
pub use running::{Running, Signal};
pub use sti_test_engine::{Body, Ended, Engine, Entry, Image, Output, can_have, can_run, cannot_be_had, name_of_test};
pub use stranger::Stranger;
pub use tools::run;

/// Ends a test early, by name and not in silence, where no engine answers. With `CI=true` that fails the test.
#[macro_export]
macro_rules! needs_engine {
    () => {
        if !$crate::can_run() {
            return;
        }
    };
}

/// Declares a test of each check for each strategy.
#[macro_export]
macro_rules! by_each_strategy {
    ($($check:ident)*) => {
        mod commit { $(#[test] fn $check() { super::$check("commit"); })* }
        mod dockerfile { $(#[test] fn $check() { super::$check("dockerfile"); })* }
    };
}
