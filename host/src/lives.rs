//! Which builds are alive. Each holds a lock on a file that bears its identifier; the kernel lets go of it when the process ends,
//! however it ends. So a lock, and not a time, decides what is dead and may be swept.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use rustix::fs::{FlockOperation, flock};
use sti_core::BuildId;

const OWNER: &str = "owner";
const DELIVERING: &str = "delivering";

/// The directory that holds the locks of this user's builds on this machine.
#[derive(Debug)]
pub struct Lives {
    dir: Dir,
}

/// The lock of a living build. Dropping it without [`BuildLock::end`] leaves the file, unlocked: the mark of a build whose remains
/// are still to be swept.
#[derive(Debug)]
pub struct BuildLock {
    dir: Dir,
    name: String,
    file: File,
}

/// A build whose process is gone.
#[derive(Debug)]
pub struct Dead {
    /// Which.
    pub build: BuildId,
    /// Holds off others that sweep the same build.
    lock: BuildLock,
}

impl Lives {
    /// Locks in this directory, which only the user may write.
    pub fn new(dir: Dir) -> Self {
        Self { dir }
    }

    /// Says whose builds these are: a number drawn once for this directory. Other users, other machines, and containers that share
    /// neither have other directories, and none of them can tell which of our builds live.
    pub fn owner(&self) -> io::Result<String> {
        if let Ok(owner) = self.dir.read_to_string(OWNER) {
            return Ok(owner);
        }
        // Written aside and linked, so that nobody reads half of it and the first to come decides.
        let (drawn, aside) = (BuildId::draw(), format!("{OWNER}.{}", BuildId::draw()));
        let mut file = self.dir.open_with(&aside, OpenOptions::new().create_new(true).write(true).mode(0o600))?;
        file.write_all(drawn.as_str().as_bytes())?;
        let linked = self.dir.hard_link(&aside, &self.dir, OWNER);
        self.dir.remove_file(&aside)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.dir.read_to_string(OWNER),
        }
    }

    /// Waits until no other build of this user gives names to its products, and keeps others waiting until the answer is dropped:
    /// products of one build are never mixed with those of another.
    pub(crate) async fn turn_to_deliver(&self) -> io::Result<File> {
        let options = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).clone();
        let file = self.dir.open_with(DELIVERING, &options())?;
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(file)
    }

    /// Marks a build as living. `endpoint` says which engine it works on.
    pub fn begin(&self, build: &BuildId, endpoint: &str) -> io::Result<BuildLock> {
        let name = file_name(build);
        let mut file = self.dir.open_with(&name, OpenOptions::new().create_new(true).read(true).write(true).mode(0o600))?;
        // Whoever looks for dead builds may hold it for a moment, and lets go of it because it is empty.
        flock(&file, FlockOperation::LockExclusive)?;
        file.write_all(endpoint.as_bytes())?;
        Ok(BuildLock { dir: self.dir.try_clone()?, name, file })
    }

    /// Whether the process of a build is there.
    pub fn is_living(&self, build: &BuildId) -> io::Result<bool> {
        match self.dir.open_with(file_name(build), OpenOptions::new().read(true).write(true)) {
            Ok(file) => Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The builds on this engine whose processes are gone, each held so that nobody else sweeps it meanwhile.
    pub fn dead(&self, endpoint: &str) -> io::Result<Vec<Dead>> {
        let mut dead = Vec::new();
        for entry in self.dir.entries()? {
            let name = entry?.file_name();
            if let Some(found) = name.to_str().and_then(|name| self.dead_of(name, endpoint)) {
                dead.push(found);
            }
        }
        Ok(dead)
    }

    fn dead_of(&self, name: &str, endpoint: &str) -> Option<Dead> {
        let build = BuildId::parse(name.strip_suffix(".lock")?)?;
        let mut file = self.dir.open_with(name, OpenOptions::new().read(true).write(true)).ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        let mut of = String::new();
        file.read_to_string(&mut of).ok()?;
        // A file that is still empty belongs to a build between its making and its locking.
        (of == endpoint).then_some(())?;
        let dir = self.dir.try_clone().ok()?;
        Some(Dead { build, lock: BuildLock { dir, name: name.to_owned(), file } })
    }
}

impl BuildLock {
    /// Ends the build: nothing of it is left in the engine.
    pub fn end(self) -> io::Result<()> {
        self.dir.remove_file(&self.name)?;
        drop(self.file);
        Ok(())
    }
}

impl Dead {
    /// Everything of it is swept.
    pub fn bury(self) -> io::Result<()> {
        self.lock.end()
    }
}

fn file_name(build: &BuildId) -> String {
    format!("{build}.lock")
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    fn lives() -> (tempfile::TempDir, Lives) {
        let directory = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(directory.path(), ambient_authority()).unwrap();
        (directory, Lives::new(dir))
    }

    #[test]
    fn a_build_lives_as_long_as_its_lock_is_held() {
        let (_directory, lives) = lives();
        let build = BuildId::draw();
        let lock = lives.begin(&build, "unix:///one").unwrap();
        assert!(lives.is_living(&build).unwrap());
        assert!(lives.dead("unix:///one").unwrap().is_empty());
        lock.end().unwrap();
        assert!(!lives.is_living(&build).unwrap());
        assert!(lives.dead("unix:///one").unwrap().is_empty(), "a build that ended left nothing to sweep");
    }

    #[test]
    fn an_owner_is_drawn_once_for_each_directory() {
        let (_directory, lives) = self::lives();
        let owner = lives.owner().unwrap();
        assert!(BuildId::parse(&owner).is_some());
        assert_eq!(lives.owner().unwrap(), owner);
        let (_other_directory, other) = self::lives();
        assert_ne!(other.owner().unwrap(), owner);
    }

    #[test]
    fn a_lock_that_was_let_go_marks_a_dead_build_of_its_engine_alone() {
        let (_directory, lives) = lives();
        let build = BuildId::draw();
        drop(lives.begin(&build, "unix:///one").unwrap());
        assert!(lives.dead("unix:///two").unwrap().is_empty());
        let mut dead = lives.dead("unix:///one").unwrap();
        assert_eq!(dead.len(), 1);
        assert!(lives.dead("unix:///one").unwrap().is_empty(), "it is held by who found it");
        let found = dead.remove(0);
        assert_eq!(found.build, build);
        found.bury().unwrap();
        assert!(lives.dead("unix:///one").unwrap().is_empty());
    }
}
