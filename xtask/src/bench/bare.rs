//! The other side: the smallest sequence of API calls that does the same work correctly, by a client that is no slower than it must be.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sti_test_engine::{Body, Engine};
use tar::{Builder, EntryType, Header};

use super::{
    LABEL, Times,
    cases::{Case, USER},
};

/// The product of the bare calls, and the one that `sti` makes.
const PRODUCT: &str = "sti-bench-bare";

/// What is built with what.
pub(super) struct Bare<'a> {
    pub(super) engine: &'a Engine,
    pub(super) builder: &'a str,
    pub(super) source: &'a Path,
    pub(super) case: &'a Case,
}

impl Bare<'_> {
    /// Builds once. The product of the time before is removed afterwards, outside of what is measured.
    pub(super) fn run(&self) -> Result<Times> {
        let name = format!("{PRODUCT}:latest");
        let before = self.engine.find(&format!("/images/{name}/json"))?.and_then(|image| image["Id"].as_str().map(str::to_owned));
        let began = Instant::now();
        self.engine.get(&format!("/images/{}/json", self.builder))?;
        let saved = if self.case.artifacts.is_some() { self.save(&name)? } else { None };
        let built = self.prepare(saved.as_deref())?;
        let answer = began.elapsed();
        for id in built.iter().chain(&saved) {
            self.engine.remove_container(id)?;
        }
        let end = began.elapsed();
        if let Some(id) = before {
            self.engine.remove_image(&id)?;
        }
        Ok(Times { answer, end })
    }

    /// Runs save-artifacts in the product of the time before; the volume stays with its container. The first time there is none.
    fn save(&self, name: &str) -> Result<Option<String>> {
        if self.engine.find(&format!("/images/{name}/json"))?.is_none() {
            return Ok(None);
        }
        let id = self.create(name, "/usr/bin/save-artifacts", "/tmp/artifacts", None)?;
        self.put(&id, |tar| directory(tar, "tmp/artifacts", 0o755))?;
        self.run_to_end(&id)?;
        Ok(Some(id))
    }

    /// Runs prepare with the source, and the artifacts where there are some, and commits.
    fn prepare(&self, saved: Option<&str>) -> Result<Option<String>> {
        let id = self.create(self.builder, "/usr/bin/prepare", "/tmp/src", saved)?;
        self.put(&id, |tar| {
            directory(tar, "tmp/src", 0o755)?;
            below(tar, self.source, "tmp/src")
        })?;
        self.run_to_end(&id)?;
        let path = format!("/commit?container={id}&repo={PRODUCT}&tag=latest&pause=0");
        self.engine.post(&path, &json!({ "Cmd": ["/usr/bin/run"] }))?;
        Ok(Some(id))
    }

    fn create(&self, image: &str, script: &str, volume: &str, volumes_from: Option<&str>) -> Result<String> {
        let mount = json!({ "Type": "volume", "Target": volume, "VolumeOptions": { "NoCopy": true, "Labels": { LABEL: "1" } } });
        let host = json!({ "Mounts": [mount], "VolumesFrom": volumes_from.into_iter().collect::<Vec<_>>() });
        self.engine.create_container(&json!({ "Image": image, "Entrypoint": [script], "Cmd": [], "HostConfig": host }))
    }

    fn put(&self, id: &str, mut write: impl FnMut(&mut Builder<&mut dyn Write>) -> Result<()>) -> Result<()> {
        let mut body = |out: &mut dyn Write| {
            let mut tar = Builder::new(out);
            write(&mut tar)?;
            Ok(tar.finish()?)
        };
        self.engine.send("PUT", &format!("/containers/{id}/archive?path=/"), Body::Tar(&mut body))?.good().map(|_| ())
    }

    /// Attaches, starts, waits. What the script prints is read while it runs, as it must be.
    fn run_to_end(&self, id: &str) -> Result<()> {
        let attach = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1");
        let mut output = self.engine.send("POST", &attach, Body::None)?.good()?;
        let code = thread::scope(|scope| {
            self.engine.post(&format!("/containers/{id}/start"), &Value::Null)?;
            let waiting = scope.spawn(|| self.engine.post(&format!("/containers/{id}/wait"), &Value::Null));
            let mut printed = Vec::new();
            output.body.read_to_end(&mut printed)?;
            waiting.join().ok().context("the waiting thread panicked")?
        })?;
        ensure!(code["StatusCode"] == 0, "{id} ended with {code}: {:?}", self.engine.output(id)?);
        Ok(())
    }
}

fn directory(tar: &mut Builder<&mut dyn Write>, path: &str, mode: u32) -> Result<()> {
    let mut header = header(EntryType::Directory, mode, 0);
    Ok(tar.append_data(&mut header, format!("{path}/"), std::io::empty())?)
}

fn below(tar: &mut Builder<&mut dyn Write>, folder: &Path, name: &str) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        let found = entry.metadata()?;
        if found.is_dir() {
            directory(tar, &name, found.mode() & 0o7777)?;
            below(tar, &entry.path(), &name)?;
        } else {
            let mut header = header(EntryType::Regular, found.mode() & 0o7777, found.len());
            header.set_mtime(found.mtime().unsigned_abs());
            tar.append_data(&mut header, name, File::open(entry.path())?)?;
        }
    }
    Ok(())
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(USER);
    header.set_gid(0);
    header.set_size(size);
    header
}
