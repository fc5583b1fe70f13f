//! The directory that `sti fetch` fills: new or empty before, and as it was again where nothing came of it.

use std::{
    fs::{self, Permissions},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};

use crate::StiError;

/// A directory that is emptied when it is dropped, unless it is to be kept.
pub(super) struct Destination {
    path: PathBuf,
    dir: Arc<Dir>,
    was: Permissions,
    /// What was made for it, the deepest first.
    made: Vec<PathBuf>,
}

impl Destination {
    /// Opens a directory that is empty, or makes it with all above it.
    pub(super) fn at(path: &Path) -> Result<Self, StiError> {
        let refused =
            |what: String| StiError::InvalidArgument { what, hint: Some("name a directory that is not there yet".to_owned()) };
        let cannot = |error: io::Error| refused(format!("cannot write in `{}`: {error}", path.display()));
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let made = path.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        fs::create_dir_all(path).map_err(cannot)?;
        if fs::read_dir(path).map_err(cannot)?.next().is_some() {
            return Err(refused(format!("`{}` is not empty", path.display())));
        }
        let was = fs::metadata(path).map_err(cannot)?.permissions();
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(cannot)?;
        Ok(Self { path: path.to_owned(), dir: Arc::new(dir), was, made })
    }

    pub(super) fn dir(&self) -> &Arc<Dir> {
        &self.dir
    }

    /// Leaves everything where it is.
    pub(super) fn keep(mut self) {
        self.path.clear();
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        // What cannot be removed is the user's to look at.
        let _kept = fs::set_permissions(&self.path, self.was.clone());
        let _left = sti_cache::empty(&self.dir);
        for directory in &self.made {
            // Somebody else's file keeps it there.
            let _kept = fs::remove_dir(directory);
        }
    }
}
