//! A step that stacks layers, and runs nothing.

use super::{Content, Made};
use crate::{Problem, host::plans};

/// A stack of layers. Times are clamped and entries sorted, so that equal content is an equal digest.
///
/// ```
/// use sti_plugin::{Image, Made, Plan, Problem};
///
/// fn packed(plan: &Plan, base: &Image) -> Result<Made, Problem> {
///     let notes = plan.files([("NOTES", 0o644, "made without running anything")])?;
///     Ok(plan
///         .assemble("pack", base)?
///         .layer("source", &plan.source(), "/srv")?
///         .layer_of("notes", &notes, "/srv/.notes", "root")?
///         .finish())
/// }
/// ```
#[must_use = "an assembly is of use by the image it makes"]
pub struct Assembly(pub(super) plans::Assembly);

impl Assembly {
    /// Adds a layer with content at an absolute path, owned by the base's own user.
    pub fn layer(self, title: &str, content: &Content, at: impl AsRef<str>) -> Result<Self, Problem> {
        self.0.layer(title, &content.0, at.as_ref(), None)?;
        Ok(self)
    }

    /// Adds a layer whose files belong to `owner` (`user`, `uid`, `user:group`, `uid:gid`). Root is refused where the base's user is another.
    pub fn layer_of(self, title: &str, content: &Content, at: impl AsRef<str>, owner: &str) -> Result<Self, Problem> {
        self.0.layer(title, &content.0, at.as_ref(), Some(owner))?;
        Ok(self)
    }

    /// Makes the image.
    pub fn finish(&self) -> Made {
        Made(self.0.finish())
    }
}
