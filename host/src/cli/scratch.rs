//! Directories for what is fetched: each holds a lock on itself as long as its build lives, and whatever a killed one left is removed
//! by the next.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};
use rustix::fs::{FlockOperation, flock};
use sti_core::{Blob, BuildId};

use super::surroundings::{Directories, private_dir};
use crate::StiError;

/// A directory of one build, removed when it is dropped.
pub(super) struct Scratch {
    path: PathBuf,
    dir: Arc<Dir>,
    /// Held until the end.
    _lock: File,
}

impl Scratch {
    /// Makes one, and removes those that nobody holds.
    pub(super) fn new(build: &BuildId) -> Result<Self, StiError> {
        let (all, _) = place()?;
        sweep(&all);
        let path = all.join(build.as_str());
        let made = fs::create_dir(&path).and_then(|()| {
            fs::set_permissions(&path, Permissions::from_mode(0o700))?;
            let lock = File::open(&path)?;
            flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            Ok((lock, Dir::open_ambient_dir(&path, ambient_authority())?))
        });
        let (lock, dir) = made.map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, dir: Arc::new(dir), _lock: lock })
    }

    pub(super) fn dir(&self) -> &Arc<Dir> {
        &self.dir
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Where downloads are kept while they are read; they have no names there.
pub(super) fn spool() -> Result<Dir, StiError> {
    place().map(|(_, dir)| dir)
}

/// All of standard input, in a file of the spool: an archive is read at more than one place.
pub(super) fn of_standard_input() -> Result<Blob, StiError> {
    let (path, dir) = place()?;
    let spooled = || {
        let mut file = sti_network::spool_file(&dir)?;
        io::copy(&mut io::stdin().lock(), &mut file)?;
        Blob::of(file)
    };
    spooled().map_err(|error| unwritable(&path, &error))
}

fn place() -> Result<(PathBuf, Dir), StiError> {
    let directories = Directories::of_user().ok_or_else(|| StiError::InvalidArgument {
        what: "there is no place for what is fetched: neither HOME nor XDG_CACHE_HOME is set".to_owned(),
        hint: Some("set XDG_CACHE_HOME to a directory that you can write".to_owned()),
    })?;
    let path = directories.cache.join("sources");
    let dir = private_dir(&path)?;
    Ok((path, dir))
}

/// Whoever can lock a directory knows that its build is gone. One that was made this moment is not locked yet, and too young.
fn sweep(all: &Path) {
    let entries = fs::read_dir(all).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| BuildId::parse(name).is_some())) {
        let Ok(held) = File::open(entry.path()) else { continue };
        let is_young = entry
            .metadata()
            .and_then(|found| found.modified())
            .is_ok_and(|made| made.elapsed().is_ok_and(|age| age < std::time::Duration::from_secs(10)));
        if !is_young && flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok() {
            remove(&entry.path());
        }
    }
}

/// Removes a directory of ours. Directories that may not be written are made writable first; no link is followed.
fn remove(path: &Path) {
    if fs::remove_dir_all(path).is_ok() {
        return;
    }
    make_writable(path);
    // What cannot be removed now is removed by a later build.
    let _left = fs::remove_dir_all(path);
}

/// Removes everything in a directory of ours, and leaves the directory.
pub(super) fn empty(directory: &Path) {
    make_writable(directory);
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        } else {
            let _left = fs::remove_file(entry.path());
        }
    }
}

fn make_writable(directory: &Path) {
    let _kept = fs::set_permissions(directory, Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> StiError {
    StiError::InvalidArgument {
        what: format!("cannot write in `{}`: {error}", path.display()),
        hint: Some("free some space, or set XDG_CACHE_HOME to a directory that you can write".to_owned()),
    }
}
