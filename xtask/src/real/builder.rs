//! The images of `tests/real`: a root file system, the scripts on top of it, and what the image says of itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sti_test_engine::{Engine, Entry, Image};

use crate::commands;

use super::{LABEL, root::Root};

/// Where the scripts are in the images.
const SCRIPTS: &str = "/usr/libexec/s2i";

/// An image that is described by a folder of `tests/real`.
pub(super) struct Builder {
    name: String,
    folder: PathBuf,
}

impl Builder {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), folder: folder().join(name) }
    }

    /// The image's name in the engine.
    pub(super) fn image(&self) -> String {
        format!("sti-real-{}", self.name)
    }

    /// Makes the image. Answers its name.
    pub(super) fn make(&self, engine: &Engine) -> Result<String> {
        let root = Root::of(&self.name, &self.folder)?.made()?;
        engine.import_over(&root, &self.image_of_scripts()?, &format!("{}:latest", self.image()))?;
        Ok(self.image())
    }

    /// What comes on top of the root file system.
    pub(super) fn image_of_scripts(&self) -> Result<Image> {
        // Files only: directories are of the root file system, and an engine takes no path twice.
        let scripts = [scripts(&folder().join("common"), "/usr/bin")?, scripts(&self.folder.join("s2i"), SCRIPTS)?];
        let own = instructions(&self.folder.join("image"))?;
        let common =
            [format!("LABEL {LABEL}={}", self.name), format!("LABEL io.openshift.s2i.scripts-url=image://{SCRIPTS}"), usage()];
        Ok(Image { entries: scripts.concat(), changes: common.into_iter().chain(own).collect() })
    }
}

/// What the image does when it is run itself, as the communities' images do.
fn usage() -> String {
    format!(r#"CMD ["{SCRIPTS}/usage"]"#)
}

fn folder() -> PathBuf {
    commands::root().join("tests/real")
}

/// The scripts of a folder as files of the image. They have no mode here that would count: an archive of the repository may have lost it.
fn scripts(folder: &Path, at: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let path = format!("{at}/{}", entry.file_name().to_string_lossy());
        entries.push(Entry::File { path, mode: 0o755, bytes: fs::read(entry.path())? });
    }
    Ok(entries)
}

/// The instructions of a file, one a line.
fn instructions(file: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}
