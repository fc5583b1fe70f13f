//! The contract `prepare`: source and artifacts in volumes, the second one handed on by the container that filled it.

use anyhow::Result;
use serde_json::json;

use super::{Bare, Begins, below, directory, volume};

impl Bare<'_> {
    /// Runs prepare with the source, and with artifacts of an earlier product, and commits. Answers the containers.
    pub(super) fn prepare(&self, earlier: Option<&str>) -> Result<Vec<String>> {
        let saved = earlier.map(|earlier| self.save(earlier)).transpose()?;
        let host = json!({ "Mounts": [volume("/tmp/src", Begins::Empty)], "VolumesFrom": saved.as_slice() });
        let id = self.create(self.builder, "prepare", host)?;
        self.put(&id, |tar| {
            directory(tar, "tmp/src", 0o755)?;
            below(tar, self.source, "tmp/src")
        })?;
        self.run_to_end(&id)?;
        self.commit(&id)?;
        Ok([id].into_iter().chain(saved).collect())
    }

    /// Runs save-artifacts; the volume stays with its container.
    fn save(&self, earlier: &str) -> Result<String> {
        let host = json!({ "Mounts": [volume("/tmp/artifacts", Begins::Empty)] });
        let id = self.create(earlier, "save-artifacts", host)?;
        self.put(&id, |tar| directory(tar, "tmp/artifacts", 0o755))?;
        self.run_to_end(&id)?;
        Ok(id)
    }
}
