//! One thing that is kept: how it is put there, opened, and believed or not.

use std::{
    ffi::CStr,
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
};

use cap_std::fs::Dir;
use rustix::{
    fs::{AtFlags, CWD, FlockOperation, Mode, RenameFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, flock},
    io::Errno,
};
use sti_core::{Blob, tree::Summary};

use crate::{
    about::About,
    aside::Aside,
    place,
    seal::Seal,
    store::{Store, Turn},
};

/// The mark of what is known to be on the disk.
pub(crate) const DURABLE: &CStr = c"durable";

/// What is kept, held by a shared lock.
pub(crate) struct Entry {
    directory: OwnedFd,
    about: About,
    seal: Seal,
}

impl Entry {
    /// Opens what bears a name; nothing where there is something else than we put there.
    ///
    /// # Errors
    /// Where there is nothing, or somebody is taking it away.
    pub(crate) fn open(top: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<Self>> {
        let directory = place::open_directory(top, name)?;
        flock(&directory, FlockOperation::NonBlockingLockShared)?;
        Ok(Self::of(directory).ok())
    }

    /// Reads what a directory says of itself.
    pub(crate) fn of(directory: OwnedFd) -> io::Result<Self> {
        let stat = rustix::fs::fstat(&directory)?;
        if stat.st_uid != rustix::process::geteuid().as_raw() || stat.st_mode & 0o022 != 0 {
            return Err(io::Error::other("it is not a private directory of ours"));
        }
        let (about, file) = About::read(&directory)?;
        Ok(Self { seal: Seal::of(&file)?, directory, about })
    }

    /// Whether all of it is there for certain: it was made since the machine was started, or is known to be on the disk.
    pub(crate) fn counts(&self, boot: Option<&str>) -> bool {
        self.about.is_of(boot) || self.is_durable()
    }

    pub(crate) fn is_durable(&self) -> bool {
        rustix::fs::accessat(&self.directory, DURABLE, rustix::fs::Access::EXISTS, AtFlags::empty()).is_ok()
    }

    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    pub(crate) fn summary(&self) -> Summary {
        self.about.summary
    }

    /// Notes the time: what was not used for longest goes first.
    pub(crate) fn was_used(&self) {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let _forgotten = rustix::fs::futimens(&self.directory, &Timestamps { last_access: unchanged, last_modification: now });
    }

    /// The tree, unless something in it was changed.
    pub(crate) fn tree(&self) -> Option<Dir> {
        let tree = place::open_directory(&self.directory, c"tree").ok()?;
        self.seal.covers_all(tree.as_fd()).ok()?.then(|| Dir::from_std_file(File::from(tree)))
    }

    /// The bytes, unless they were changed.
    pub(crate) fn bytes(&self) -> Option<Blob> {
        let file = place::open_file(&self.directory, c"bytes").ok()?;
        let is_whole = file.metadata().is_ok_and(|found| found.len() == self.about.summary.bytes);
        let is_unchanged = rustix::fs::fstat(&file).is_ok_and(|stat| self.seal.covers(&stat));
        (is_whole && is_unchanged).then(|| Blob::of(file).ok())?
    }

    pub(crate) fn into_note(self) -> Option<String> {
        self.about.note
    }

    pub(crate) fn into_held(self) -> OwnedFd {
        self.directory
    }
}

/// Keeps bytes under a name.
pub(crate) fn of_bytes(store: &Store, name: &str, bytes: &Blob, about: &About) -> io::Result<()> {
    let aside = store.aside()?;
    if link(bytes.file(), aside.directory().as_fd()).is_err() {
        let mut file = place::new_file(aside.directory(), c"bytes", Mode::RUSR | Mode::WUSR)?;
        bytes.pour(|piece| file.write_all(piece))?;
    }
    about.write(aside.directory())?;
    put(store, &aside, name).map(drop)
}

/// Keeps words under a name.
pub(crate) fn of_note(store: &Store, name: &str, about: &About) -> io::Result<()> {
    let aside = store.aside()?;
    about.write(aside.directory())?;
    put(store, &aside, name).map(drop)
}

/// Gives a file without a name one here: nothing is copied. Every other file is somebody's.
fn link(file: &File, directory: BorrowedFd<'_>) -> io::Result<()> {
    if file.metadata()?.nlink() != 0 {
        return Err(io::Error::other("it has a name already"));
    }
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, path, directory, c"bytes", AtFlags::SYMLINK_FOLLOW)?)
}

/// Gives what was made aside its name. A tree that is there already stays, because somebody may use it and it is the same: then the answer
/// is false. Of all else, which nobody holds by its directory, the newer one takes the place of the older.
pub(crate) fn put(store: &Store, aside: &Aside, name: &str) -> io::Result<bool> {
    let new = place::name(name)?;
    let _turn = store.turn(Turn::Together)?;
    flock(aside.directory(), FlockOperation::NonBlockingLockShared)?;
    let top = store.top();
    match rustix::fs::renameat_with(aside.parent(), aside.name(), top, &new, RenameFlags::NOREPLACE) {
        Ok(()) => {
            aside.was_kept();
            Ok(true)
        }
        Err(Errno::EXIST) if name.starts_with("tree-") => Ok(false),
        // The older one has our name now, and goes with it.
        Err(Errno::EXIST) => {
            rustix::fs::renameat_with(aside.parent(), aside.name(), top, &new, RenameFlags::EXCHANGE)?;
            Ok(true)
        }
        Err(errno) => Err(errno.into()),
    }
}
