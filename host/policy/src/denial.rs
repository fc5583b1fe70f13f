//! What policy refuses, said so that a person can act on it: what was wished, what is granted and by whom, and the line that would allow it.

use std::fmt;
use std::path::PathBuf;

use sti_core::{Problem, ProblemKind};
use thiserror::Error;

use crate::quoting::shown;

/// A refusal by policy. Its text is what happened; [`Denial::because`] and [`Denial::hint`] are the other two parts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Denial {
    /// The component may not be loaded at all.
    #[error("{0}")]
    NotVetted(Box<NotVetted>),
    /// The plugin wishes more than it was granted.
    #[error("{0}")]
    NotGranted(Box<NotGranted>),
}

/// A component that the policy file does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotVetted {
    /// What it is called.
    pub plugin: String,
    /// Its digest.
    pub digest: String,
    /// The file that vets, as it is shown.
    pub file: PathBuf,
    /// The lines that would vet it.
    pub hint: String,
}

/// One wish that goes beyond the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotGranted {
    /// Whose wish it is.
    pub plugin: String,
    /// Where it stands in the plan.
    pub place: Where,
    /// What is wished, as it reads after "may not".
    pub wish: String,
    /// What is granted instead, and by whom.
    pub grant: String,
    /// What would allow it; absent where nothing would.
    pub hint: Option<String>,
}

/// Where in a plan a wish stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// In a question that was asked before there was a plan.
    Question,
    /// In the plan as a whole.
    Plan,
    /// In a content.
    Content {
        /// Its index in the plan.
        index: usize,
    },
    /// In a step.
    Step {
        /// Counted from 1, as `sti plan` shows it.
        number: usize,
        /// Its title.
        title: String,
    },
    /// In a product.
    Product {
        /// Its name.
        name: String,
    },
}

impl Denial {
    /// The identifier of SEMANTICS, section 4.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotVetted(_) => "not-vetted",
            Self::NotGranted(_) => "not-granted",
        }
    }

    /// What is granted, and by whom.
    pub fn because(&self) -> Option<String> {
        Some(match self {
            Self::NotVetted(denied) => {
                format!("policy `{}` vets plugins by digest, and {} is not listed", denied.file.display(), denied.digest)
            }
            Self::NotGranted(denied) => denied.grant.clone(),
        })
    }

    /// What would allow it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotVetted(denied) => Some(denied.hint.clone()),
            Self::NotGranted(denied) => denied.hint.clone(),
        }
    }
}

impl fmt::Display for NotVetted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "plugin `{}` is not vetted", shown(&self.plugin))
    }
}

impl fmt::Display for NotGranted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "plugin `{}` may not {}{}", shown(&self.plugin), self.wish, self.place)
    }
}

impl fmt::Display for Where {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Question | Self::Plan => Ok(()),
            Self::Content { index } => write!(formatter, " (content {index})"),
            Self::Step { number, title } => write!(formatter, " (step {number}, `{}`)", shown(title)),
            Self::Product { name } => write!(formatter, " (product `{}`)", shown(name)),
        }
    }
}

/// As a plugin is told of it.
impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        let because = denial.because().map(|because| format!(": {because}")).unwrap_or_default();
        let told = Self::new(ProblemKind::Denied, denial.code(), format!("{denial}{because}"));
        match denial.hint() {
            Some(hint) => told.with_hint(hint),
            None => told,
        }
    }
}
