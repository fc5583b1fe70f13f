//! The store: what is asked of it, and the lock by which many processes share it.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use cap_std::fs::Dir;
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
};
use sti_core::{Blob, BuildId, tree::Summary};

use crate::{
    about::{About, cost},
    aside::{Aside, Scratch, free, made_by_builds},
    entry::{self, Entry},
    place,
    remove::remove,
};

/// How often a lock is asked for that somebody else holds, and how long is waited between.
const PATIENCE: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// What a store needs.
pub struct Settings {
    /// The directory: the user's, on a file system with locks, and nobody else can write in it.
    pub dir: Dir,
    /// What it is called.
    pub path: PathBuf,
    /// How much may be kept, in bytes.
    pub limit: u64,
    /// What names the time since the machine was started; without it nothing is taken that is not known to be on the disk.
    pub boot: Option<String>,
}

/// Keeps trees, bytes and notes by key.
#[derive(Debug)]
pub struct Store {
    top: OwnedFd,
    path: PathBuf,
    pub(crate) limit: u64,
    pub(crate) boot: Option<String>,
}

/// A tree that is kept, and stays as long as this lives.
#[derive(Debug)]
pub struct Kept {
    tree: Dir,
    path: PathBuf,
    summary: Summary,
    /// Shared with all who use it; who removes it wants it alone.
    _held: OwnedFd,
}

impl Kept {
    /// The tree, to be read only.
    pub fn tree(&self) -> &Dir {
        &self.tree
    }

    /// What its directory is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much there is in it.
    pub fn summary(&self) -> Summary {
        self.summary
    }
}

/// How many may have a lock at one time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// All who put or take.
    Together,
    /// One who takes away.
    Alone,
}

impl Store {
    /// Opens a store.
    ///
    /// # Errors
    /// Where the directory cannot be written, or its file system has no locks: nothing can be kept there safely.
    pub fn open(settings: Settings) -> io::Result<Self> {
        let Settings { dir, path, limit, boot } = settings;
        let store = Self { top: place::open_directory(&dir, c".")?, path, limit, boot };
        drop(store.turn(Turn::Together)?);
        // Directories are locked as well, which some file systems of the network cannot do.
        match flock(place::open_directory(&store.top, c".")?, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) | Err(Errno::WOULDBLOCK) => Ok(store),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes a directory for a build's tree, and removes those of builds that are gone.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn scratch(&self, name: &str) -> io::Result<Scratch> {
        self.sweep();
        let top = Dir::from_std_file(File::from(place::open_directory(&self.top, c".")?));
        let _turn = self.turn(Turn::Together)?;
        Scratch::new(&top, &self.path, name)
    }

    /// Takes the tree that was kept under a key (64 hexadecimal digits).
    pub fn tree(&self, key: &str) -> Option<Kept> {
        let name = format!("tree-{key}");
        let entry = self.entry(&name)?;
        let kept = self.tree_of(&name, entry);
        if kept.is_none() {
            self.discard(&name);
        }
        kept
    }

    /// Keeps the tree of a scratch directory under a key, where there is room for it. Where another process was faster, the answer is
    /// that one's tree; both are equal.
    ///
    /// # Errors
    /// Where something cannot be written; the scratch directory stays as it is.
    pub fn keep_tree(&self, scratch: &Scratch, key: &str, summary: Summary) -> io::Result<Option<Kept>> {
        if cost(&summary) > self.limit {
            return Ok(None);
        }
        About::new(summary, self.boot.as_deref()).write(scratch.aside.directory())?;
        let name = format!("tree-{key}");
        if !entry::put(self, &scratch.aside, &name)? {
            return Ok(self.tree(key));
        }
        let (tree, held) = (scratch.tree().try_clone()?, scratch.aside.directory().try_clone()?);
        Ok(Some(Kept { tree, path: self.path.join(name).join("tree"), summary, _held: held }))
    }

    /// The bytes that were kept under a key.
    pub fn bytes(&self, key: &str) -> Option<Blob> {
        let name = format!("bytes-{key}");
        let blob = self.entry(&name)?.bytes();
        if blob.is_none() {
            self.discard(&name);
        }
        blob
    }

    /// Keeps bytes under a key in the place of what was kept under it, where there is room.
    ///
    /// # Errors
    /// Where something cannot be written.
    pub fn keep_bytes(&self, key: &str, bytes: &Blob) -> io::Result<()> {
        let summary = Summary { entries: 1, bytes: bytes.size() };
        if cost(&summary) > self.limit {
            return Ok(());
        }
        entry::of_bytes(self, &format!("bytes-{key}"), bytes, &About::new(summary, self.boot.as_deref()))
    }

    /// The words that were noted under a key.
    pub fn note(&self, key: &str) -> Option<String> {
        self.entry(&format!("note-{key}"))?.into_note()
    }

    /// Notes words under a key, in the place of those that were there.
    ///
    /// # Errors
    /// Where something cannot be written.
    pub fn keep_note(&self, key: &str, words: &str) -> io::Result<()> {
        let about = About::new(Summary::default(), self.boot.as_deref()).noting(words);
        entry::of_note(self, &format!("note-{key}"), &about)
    }

    /// Holds off those who take away, or everybody.
    pub(crate) fn turn(&self, turn: Turn) -> io::Result<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = rustix::fs::openat(&self.top, c"lock", flags, Mode::RUSR | Mode::WUSR)?;
        let operation = match turn {
            Turn::Together => FlockOperation::NonBlockingLockShared,
            Turn::Alone => FlockOperation::NonBlockingLockExclusive,
        };
        for _ in 0..PATIENCE {
            match flock(&lock, operation) {
                Err(Errno::WOULDBLOCK) => sleep(PAUSE),
                done => return done.map(|()| lock).map_err(io::Error::from),
            }
        }
        Err(io::Error::from(Errno::WOULDBLOCK))
    }

    /// Removes what makers left that are gone.
    pub(crate) fn sweep(&self) {
        let names = made_by_builds(self.top(), "");
        if names.is_empty() {
            return;
        }
        // Nobody makes or keeps a directory in the same moment.
        let Ok(turn) = self.turn(Turn::Alone) else { return };
        let free = free(self.top(), names);
        drop(turn);
        for (_held, name) in free {
            let _left = remove(self.top(), &name);
        }
    }

    /// A directory to make something in, which nobody takes for one that was left.
    pub(crate) fn aside(&self) -> io::Result<Aside> {
        let _turn = self.turn(Turn::Together)?;
        Aside::new(self.top(), BuildId::draw().as_str())
    }

    pub(crate) fn top(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }

    /// What bears a name and can be believed, held so that nobody takes it away.
    fn entry(&self, name: &str) -> Option<Entry> {
        let turn = self.turn(Turn::Together).ok()?;
        let found = Entry::open(self.top(), &place::name(name).ok()?);
        drop(turn);
        let entry = match found {
            Ok(entry) => entry.filter(|entry| entry.counts(self.boot.as_deref())),
            Err(_) => return None,
        };
        if entry.is_none() {
            self.discard(name);
        }
        entry.inspect(Entry::was_used)
    }

    fn tree_of(&self, name: &str, entry: Entry) -> Option<Kept> {
        let tree = entry.tree()?;
        Some(Kept { tree, path: self.path.join(name).join("tree"), summary: entry.summary(), _held: entry.into_held() })
    }

    /// Removes what cannot be used; what cannot be removed now is removed by a later build.
    fn discard(&self, name: &str) {
        let _left = place::name(name).and_then(|name| self.take_away(&name));
    }
}
