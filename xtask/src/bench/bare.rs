//! The other side: the smallest sequence of API calls that does the same work correctly, by a client that is no slower than it must be.

mod assemble;
mod frames;
mod prepare;

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
    contract::Contract,
};

/// The product of the bare calls, without its tag.
const REPOSITORY: &str = "sti-bench-bare";

/// The same with its tag.
pub(super) const PRODUCT: &str = "sti-bench-bare:latest";

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
        let before = self.product()?;
        let began = Instant::now();
        self.engine.get(&format!("/images/{}/json", self.builder))?;
        // The first time there is none.
        let earlier = if self.case.artifacts.is_some() { self.product()? } else { None };
        let containers = match self.case.contract {
            Contract::Prepare => self.prepare(earlier.as_deref())?,
            Contract::Assemble => self.assemble(earlier.as_deref())?,
        };
        let answer = began.elapsed();
        for id in &containers {
            self.engine.remove_container(id)?;
        }
        let end = began.elapsed();
        if let Some(id) = before {
            self.engine.remove_image(&id)?;
        }
        Ok(Times { answer, end })
    }

    fn product(&self) -> Result<Option<String>> {
        let found = self.engine.find(&format!("/images/{PRODUCT}/json"))?;
        Ok(found.and_then(|image| image["Id"].as_str().map(str::to_owned)))
    }

    /// Makes a container that runs one of the contract's scripts.
    fn create(&self, image: &str, script: &str, mut host: Value) -> Result<String> {
        // The output is read as it comes; the engine need not write it to its disk as well.
        host["LogConfig"] = json!({ "Type": "none" });
        let script = self.case.contract.script(script);
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

    fn run_to_end(&self, id: &str) -> Result<()> {
        self.run_and_read(id, |mut output| {
            let mut printed = Vec::new();
            output.read_to_end(&mut printed)?;
            Ok(printed)
        })
    }

    /// Attaches, starts, waits. What the script prints is read while it runs, as it must be; what was read is told where it fails.
    fn run_and_read(&self, id: &str, read: impl FnOnce(Box<dyn Read>) -> Result<Vec<u8>>) -> Result<()> {
        let attach = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1");
        let output = self.engine.send("POST", &attach, Body::None)?.good()?;
        let (printed, code) = thread::scope(|scope| {
            self.engine.post(&format!("/containers/{id}/start"), &Value::Null)?;
            let waiting = scope.spawn(|| self.engine.post(&format!("/containers/{id}/wait"), &Value::Null));
            let printed = read(output.body)?;
            anyhow::Ok((printed, waiting.join().ok().context("the waiting thread panicked")??))
        })?;
        ensure!(code["StatusCode"] == 0, "{id} ended with {code}: {:?}", String::from_utf8_lossy(&printed));
        Ok(())
    }

    fn commit(&self, id: &str) -> Result<()> {
        let path = format!("/commit?container={id}&repo={REPOSITORY}&tag=latest&pause=0");
        // Without a word of its own it would keep that of the container, which is the script that builds.
        let config = json!({ "Entrypoint": [], "Cmd": [self.case.contract.script("run")] });
        self.engine.post(&path, &config).map(|_| ())
    }
}

/// A volume without a name, as a container's mounts take it.
fn volume(target: &str, begins: Begins) -> Value {
    let options = json!({ "NoCopy": begins == Begins::Empty, "Labels": { LABEL: "1" } });
    json!({ "Type": "volume", "Target": target, "VolumeOptions": options })
}

/// What a volume holds at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    Empty,
    AsTheImage,
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
