//! How much a plugin may use. A plugin that reaches a limit is ended, and the build with it.

use std::time::Duration;

/// The limits of every call. Policy may set others for one plugin with [`crate::Plugin::limited`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all memories of the plugin together.
    pub memory: u64,
    /// How long it may think about a job or a subject. The time in which the host answers its questions does not count.
    pub answer: Duration,
    /// How long it may work on an address. The time in which the host sends, reads and writes for it does not count.
    pub fetch: Duration,
    /// How long it may take to introduce itself.
    pub introduction: Duration,
    /// Bytes that it may hand over in one call of a host function.
    pub call_bytes: usize,
    /// Handles that it may hold at one time.
    pub handles: usize,
    /// Bytes that it may say; what comes after is left out.
    pub log_bytes: usize,
    /// Contents, steps, files, arguments, variables and findings together.
    pub plan_items: usize,
    /// Bytes of all that together.
    pub plan_bytes: usize,
    /// Bytes of the component itself.
    pub component_bytes: usize,
}

impl Limits {
    /// The more narrow of two limits, each by each.
    #[must_use]
    pub fn narrowed(&self, other: &Self) -> Self {
        Self {
            memory: self.memory.min(other.memory),
            answer: self.answer.min(other.answer),
            fetch: self.fetch.min(other.fetch),
            introduction: self.introduction.min(other.introduction),
            call_bytes: self.call_bytes.min(other.call_bytes),
            handles: self.handles.min(other.handles),
            log_bytes: self.log_bytes.min(other.log_bytes),
            plan_items: self.plan_items.min(other.plan_items),
            plan_bytes: self.plan_bytes.min(other.plan_bytes),
            component_bytes: self.component_bytes.min(other.component_bytes),
        }
    }
}

impl Default for Limits {
    /// What holds where nobody says otherwise.
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            answer: Duration::from_secs(30),
            fetch: Duration::from_mins(30),
            introduction: Duration::from_secs(2),
            call_bytes: 4 << 20,
            handles: 10_000,
            log_bytes: 1 << 20,
            plan_items: 10_000,
            plan_bytes: 8 << 20,
            component_bytes: 64 << 20,
        }
    }
}
