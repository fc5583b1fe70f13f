//! What plugins say, kept for the thread until the test asks for it.

use std::cell::RefCell;

/// How loud a line is.
///
/// ```
/// use sti_plugin::{log, testing::JobBuilder};
///
/// let decision = JobBuilder::new("builder", "app").decide_with(|_, _| {
///     log::warning("look at this");
///     Ok(())
/// });
/// assert_eq!(decision.log[0].level, log::Level::Warning);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Shown with `--debug` only.
    Debug,
    /// Part of the ordinary story.
    Info,
    /// Something that the user should look at.
    Warning,
}

thread_local! {
    static SAID: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn message(level: Level, text: &str) {
    SAID.with_borrow_mut(|said| said.push((level, text.to_owned())));
}

/// A bar that nobody watches.
pub(crate) fn progress(_what: &str, _done: u64, _total: Option<u64>) {}

/// Hands over what was said so far, and forgets it.
pub(crate) fn take() -> Vec<(Level, String)> {
    SAID.take()
}
