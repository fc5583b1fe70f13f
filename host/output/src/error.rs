//! Why a plan does not become a Dockerfile.

use sti_core::{dockerfile::Unwritable, tree};
use thiserror::Error;

/// Why a plan does not become a Dockerfile with its context.
#[derive(Debug, Error)]
pub enum Error {
    /// A Dockerfile has no words for it.
    #[error("the step `{title}` cannot be a part of a Dockerfile: {what}")]
    Unsayable {
        /// The step.
        title: String,
        /// What it wants.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The source could not be read, or changed while it was.
    #[error(transparent)]
    Source(#[from] tree::Error),
    /// The context cannot be written.
    #[error("cannot write `{path}`: {why}")]
    Write {
        /// Within the context.
        path: String,
        /// What the system says.
        #[source]
        why: std::io::Error,
    },
    /// Whoever wanted it does not any more.
    #[error("the context was not written to its end")]
    Stopped,
}

impl Error {
    pub(crate) fn unsayable(title: &str, what: impl Into<String>) -> Self {
        Self::Unsayable { title: title.to_owned(), what: what.into(), hint: None }
    }

    pub(crate) fn unwritable(title: &str, unwritable: &Unwritable) -> Self {
        Self::unsayable(title, format!("`{}` holds what none can say", unwritable.name))
    }

    /// The same with what to do about it.
    pub(crate) fn hinted(self, hint: &str) -> Self {
        match self {
            Self::Unsayable { title, what, .. } => Self::Unsayable { title, what, hint: Some(hint.to_owned()) },
            other => other,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unsayable { hint, .. } => hint.clone(),
            Self::Write { .. } => Some("--as-dockerfile PATH, in a directory that you can write".to_owned()),
            Self::Source(error) => error.hint(),
            Self::Stopped => None,
        }
    }
}
