//! What is said of an image, and what it is needed for.

use sti_core::{Finding, Pull, Reference, Severity};

use super::error::{Condition, StiError};

/// All that was found about one image.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ImageVerdict {
    /// `builder` or `runtime`.
    pub role: &'static str,
    /// As it was named.
    pub image: Reference,
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
    /// Why there was nothing to judge, where the image could not be had.
    #[serde(skip)]
    pub(super) not_had: Option<Condition>,
}

impl ImageVerdict {
    pub(super) fn of(role: Role, image: &Reference, findings: Vec<Finding>) -> Self {
        Self { role: role.name(), image: image.clone(), findings, not_had: None }
    }

    /// The verdict on an image that nobody could look at.
    pub(super) fn not_had(role: Role, image: &Reference, error: &StiError) -> Self {
        let condition = error.condition();
        let reasons: Vec<_> = std::iter::once(error.to_string()).chain(error.because()).collect();
        let finding = Finding {
            severity: Severity::Failure,
            code: condition.name.to_owned(),
            message: reasons.join(": "),
            hint: error.hint(),
        };
        Self { not_had: Some(condition), ..Self::of(role, image, vec![finding]) }
    }

    /// Whether nothing was found that keeps the image from building.
    pub fn passes(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Failure)
    }
}

/// What an image is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Builder,
    Runtime,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Runtime => "runtime",
        }
    }

    pub(super) fn missing(self, image: Reference, pull: Pull) -> StiError {
        match self {
            Self::Builder => StiError::NoSuchBuilderImage { image, pull },
            Self::Runtime => StiError::NoSuchRuntimeImage { image, pull },
        }
    }
}
