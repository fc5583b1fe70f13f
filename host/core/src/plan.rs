//! The plan: what a strategy wants done, as plain data. Writing one does nothing; the same for every engine.

mod content;
mod names;
mod purpose;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod schema;
mod step;
mod text;
mod users;
mod walk;

use serde::{Deserialize, Serialize};

pub use content::{Content, ContentId, PlanFile};
pub use names::Names;
pub use purpose::Purpose;
pub use step::{
    Action, Assemble, Base, Build, Copied, ImageChanges, Instruction, Layer, Network, OnFailure, Place, Placement, Run, Step,
    StepId, Triggers, is_at_or_below,
};
pub use users::RunsAs;

use crate::Reference;

/// The version of the JSON form, raised when a reader of an older one would go wrong.
pub const SCHEMA: u32 = 1;

/// The name of the product that bears the user's tag.
pub const APP: &str = "app";

/// A strategy's answer: contents, the steps that use them, and what comes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who wrote it.
    pub author: Author,
    /// A [`ContentId`] is an index into this list.
    pub contents: Vec<Content>,
    /// A [`StepId`] is an index into this list; a step uses earlier ones only.
    pub steps: Vec<Step>,
    /// What is tagged when every step has succeeded.
    pub products: Vec<Product>,
}

/// The plugin that wrote a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The name on its card.
    pub plugin: String,
    /// The digest of the component: `sha256:…`.
    pub digest: String,
}

/// An image that leaves the build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// [`APP`], or another name.
    pub name: String,
    /// The name it is tagged with.
    pub tag: Reference,
    /// The step whose image it is.
    pub step: StepId,
}

impl Plan {
    /// A plan without any step.
    pub fn empty(author: Author) -> Self {
        Self { schema: SCHEMA, author, contents: Vec::new(), steps: Vec::new(), products: Vec::new() }
    }

    /// The step with this number; `None` where the plan has none.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id.0 as usize)
    }

    /// The content with this number; `None` where the plan has none.
    pub fn content(&self, id: ContentId) -> Option<&Content> {
        self.contents.get(id.0 as usize)
    }

    /// All steps with their numbers, in the order in which they were written.
    pub fn numbered(&self) -> impl Iterator<Item = (StepId, &Step)> {
        (0..).map(StepId).zip(&self.steps)
    }
}
