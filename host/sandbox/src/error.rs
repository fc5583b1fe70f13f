//! What can go wrong with a plugin. All of it is the plugin's fault, except [`Error::Store`].

use sti_core::Problem;
use thiserror::Error;

use crate::Invalid;

/// A failure of a plugin.
#[derive(Debug, Error)]
pub enum Error {
    /// It is no plugin, or none that this `sti` can run.
    #[error("plugin `{plugin}` cannot be used: {why}")]
    Invalid {
        /// Its name or path.
        plugin: String,
        /// What is wrong with it.
        why: Invalid,
    },
    /// It broke down: a panic, an exit, an access outside its memory.
    #[error("plugin `{plugin}` broke down: {why}")]
    Trap {
        /// Its name or path.
        plugin: String,
        /// What happened.
        why: String,
        /// The functions that were running, innermost first.
        trace: Vec<String>,
        /// The last lines that it wrote to its standard error.
        said: Vec<String>,
    },
    /// It reached a limit and was ended.
    #[error("plugin `{plugin}` was ended: {what} (limit: {limit})")]
    Limit {
        /// Its name or path.
        plugin: String,
        /// What it did.
        what: String,
        /// The limit that it reached.
        limit: String,
        /// What to do about it.
        hint: String,
    },
    /// It answered with a failure.
    #[error("plugin `{plugin}`: {problem}")]
    Problem {
        /// Its name.
        plugin: String,
        /// In its own words, cleaned.
        problem: Problem,
    },
    /// The directory of compiled code cannot be trusted.
    #[error("the directory of compiled plugins cannot be used: {why}")]
    Store {
        /// What is wrong with it.
        why: String,
        /// What to do about it.
        hint: String,
    },
}

impl Error {
    /// The stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "plugin-invalid",
            Self::Trap { .. } => "plugin-trap",
            Self::Limit { .. } => "plugin-limit",
            Self::Problem { .. } => "plugin-problem",
            Self::Store { .. } => "plugin-store",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { why, .. } => Some(why.hint()),
            Self::Trap { .. } => Some("this is a mistake in the plugin: tell its authors, with the lines above".to_owned()),
            Self::Limit { hint, .. } | Self::Store { hint, .. } => Some(hint.clone()),
            Self::Problem { problem, .. } => problem.hint.clone(),
        }
    }
}
