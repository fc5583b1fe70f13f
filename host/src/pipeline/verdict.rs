//! What is said of an image, and what it is needed for.

use sti_core::{Finding, Pull, Reference, Severity};

use super::error::StiError;

/// All that was found about one image.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ImageVerdict {
    /// `builder` or `runtime`.
    pub role: &'static str,
    /// As it was named.
    pub image: Reference,
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
}

impl ImageVerdict {
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
