//! What one build leaves for the next: rendered pages, each in a file named after the digest of everything it was made from.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use crate::Failure;

/// Rendered pages of the previous build, and of this one.
pub(crate) struct Cache {
    previous: PathBuf,
    current: PathBuf,
}

impl Cache {
    /// Reads from `previous`, which need not be there; writes to `current`.
    pub(crate) fn open(previous: &Path, current: &Path) -> Result<Self, Failure> {
        // Emptied, so that pages that are gone from the source do not stay for ever.
        if current.is_dir() {
            fs::remove_dir_all(current)?;
        }
        fs::create_dir_all(current)?;
        Ok(Self { previous: previous.to_path_buf(), current: current.to_path_buf() })
    }

    /// The page that was made from exactly this, if there is one.
    pub(crate) fn find(&self, made_from: &[&str]) -> Option<String> {
        fs::read_to_string(self.previous.join(key(made_from))).ok()
    }

    /// Keeps a page for the next build.
    pub(crate) fn keep(&self, made_from: &[&str], page: &str) -> Result<(), Failure> {
        Ok(fs::write(self.current.join(key(made_from)), page)?)
    }
}

/// Copies the cache of the image to where the next build finds it.
pub(crate) fn save(cache: &Path, artifacts: &Path) -> Result<(), Failure> {
    let mut saved = 0;
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        fs::copy(entry.path(), artifacts.join(entry.file_name()))?;
        saved += 1;
    }
    println!("saved {saved} rendered pages");
    Ok(())
}

/// Whoever can write the cache can write the site as well, so the digest need not withstand an attack.
fn key(made_from: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    made_from.hash(&mut hasher);
    format!("{:016x}.html", hasher.finish())
}
