//! The contract `assemble`: the source where it may be moved, in a volume, so that nothing that the script leaves of it is in the
//! product; and what save-artifacts prints, unpacked while it is printed.

use std::io;

use anyhow::Result;
use serde_json::json;
use sti_test_engine::Body;

use super::{Bare, Begins, below, directory, frames::StandardOutput, volume};

impl Bare<'_> {
    /// Runs assemble with the source, and with artifacts of an earlier product, and commits. Answers the containers.
    pub(super) fn assemble(&self, earlier: Option<&str>) -> Result<Vec<String>> {
        let host = json!({ "Mounts": [volume("/tmp", Begins::AsTheImage)] });
        let id = self.create(self.builder, "assemble", host)?;
        self.put(&id, |tar| {
            directory(tar, "tmp/src", 0o755)?;
            if earlier.is_some() {
                directory(tar, "tmp/artifacts", 0o755)?;
            }
            below(tar, self.source, "tmp/src")
        })?;
        let saved = earlier.map(|earlier| self.save_into(&id, earlier)).transpose()?;
        self.run_to_end(&id)?;
        self.commit(&id)?;
        Ok([id].into_iter().chain(saved).collect())
    }

    /// Runs save-artifacts, and sends on what it prints to the container that is to find it. Its owners are right as they are.
    fn save_into(&self, receiver: &str, earlier: &str) -> Result<String> {
        let id = self.create(earlier, "save-artifacts", json!({}))?;
        self.run_and_read(&id, |output| {
            let mut printed = StandardOutput::of(output);
            let mut body = |out: &mut dyn io::Write| Ok(io::copy(&mut printed, out).map(drop)?);
            let path = format!("/containers/{receiver}/archive?path=/tmp/artifacts");
            self.engine.send("PUT", &path, Body::Tar(&mut body))?.good()?;
            Ok(printed.errors())
        })?;
        Ok(id)
    }
}
