//! Scripts that are neither in an image nor in the source: whoever implements this judges where they are, and reads them.

use async_trait::async_trait;
use sti_core::Problem;

/// Scripts at the address that the user gives them by.
#[async_trait]
pub trait Scripts: Send + Sync {
    /// What is in the script of this name, which is in kebab-case; `None` where there is none.
    async fn script(&self, name: &str) -> Result<Option<Vec<u8>>, Problem>;
}
