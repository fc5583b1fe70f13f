//! The questions about images that a plugin may ask, as the sandbox sees them: judged by policy and answered by an engine elsewhere.

use async_trait::async_trait;
use sti_core::{Identity, ImageFacts, PathFact, Problem};

/// Answers a plugin's questions about images. A refusal by policy is a [`Problem`] of kind `Denied`.
#[async_trait]
pub trait Questions: Send + Sync {
    /// Finds an image by name. With `may_pull` it is pulled as the user asked, else only what the engine holds is found.
    async fn find(&self, reference: &str, may_pull: bool) -> Result<Option<ImageFacts>, Problem>;

    /// See [`crate::Engine::look_at`].
    async fn look_at(&self, image: &ImageFacts, paths: &[String]) -> Result<Vec<PathFact>, Problem>;

    /// See [`crate::Engine::read`].
    async fn read(&self, image: &ImageFacts, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Problem>;

    /// See [`crate::Engine::identity`].
    async fn identity(&self, image: &ImageFacts) -> Result<Identity, Problem>;
}
