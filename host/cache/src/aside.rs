//! Directories of what is being made. Each is held by a lock as long as its maker lives; whoever can lock one knows that nobody is at it.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use cap_std::fs::Dir;
use rustix::fs::{FlockOperation, Mode, flock};
use sti_core::BuildId;

use crate::{place, remove::remove};

/// Between its making and its locking a directory looks like one that nobody holds. A store sees to it that nobody looks then.
const YOUNG: Duration = Duration::from_secs(10);

/// The mode of a tree, as its maker may find it anywhere. The directory around it is private.
pub(crate) const TREE: Mode = Mode::from_raw_mode(0o755);

/// A directory that goes when it is dropped, unless it was kept.
#[derive(Debug)]
pub(crate) struct Aside {
    parent: OwnedFd,
    name: CString,
    directory: OwnedFd,
    is_kept: AtomicBool,
}

impl Aside {
    pub(crate) fn new(parent: BorrowedFd<'_>, name: &str) -> io::Result<Self> {
        let name = place::name(name)?;
        rustix::fs::mkdirat(parent, &name, Mode::RWXU)?;
        let directory = place::open_directory(parent, &name)?;
        // A file system without locks cannot be swept safely, and is not.
        let _held = flock(&directory, FlockOperation::NonBlockingLockExclusive);
        Ok(Self { parent: parent.try_clone_to_owned()?, name, directory, is_kept: AtomicBool::new(false) })
    }

    pub(crate) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    pub(crate) fn parent(&self) -> BorrowedFd<'_> {
        self.parent.as_fd()
    }

    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    /// It bears another name now.
    pub(crate) fn was_kept(&self) {
        self.is_kept.store(true, Ordering::Release);
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.is_kept.load(Ordering::Acquire) {
            // What cannot be removed now is removed by a later build.
            let _left = remove(self.parent.as_fd(), &self.name);
        }
    }
}

/// A directory of one build that a tree is written to: removed when it is dropped, unless a [`Store`](crate::Store) kept it.
#[derive(Debug)]
pub struct Scratch {
    pub(crate) aside: Aside,
    path: PathBuf,
    tree: Arc<Dir>,
}

impl Scratch {
    /// Makes one of this name in a directory that only the user can write; `path` is what that directory is called.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn new(place: &Dir, path: &Path, name: &str) -> io::Result<Self> {
        let aside = Aside::new(place::open_directory(place, c".")?.as_fd(), name)?;
        rustix::fs::mkdirat(aside.directory(), c"tree", Mode::RWXU)?;
        let tree = place::open_directory(aside.directory(), c"tree")?;
        rustix::fs::fchmod(&tree, TREE)?;
        let tree = Arc::new(Dir::from_std_file(File::from(tree)));
        Ok(Self { aside, path: path.join(name).join("tree"), tree })
    }

    /// Where the tree is written to.
    pub fn tree(&self) -> &Arc<Dir> {
        &self.tree
    }

    /// What that directory is called, until it is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes what makers left in a directory that are gone: directories that bear this word and the identifier of a build.
pub fn sweep(place: &Dir, word: &str) {
    let Ok(place) = place::open_directory(place, c".") else { return };
    let old = made_by_builds(place.as_fd(), word).into_iter().filter(|name| is_old_and_ours(place.as_fd(), name));
    for (_held, name) in free(place.as_fd(), old) {
        let _left = remove(place.as_fd(), &name);
    }
}

/// The names of directories that look as if a build had made them.
pub(crate) fn made_by_builds(place: BorrowedFd<'_>, word: &str) -> Vec<CString> {
    let mut names = place::names(place).unwrap_or_default();
    names.retain(|name| {
        let digits = name.to_str().ok().and_then(|name| name.strip_prefix(word));
        digits.and_then(BuildId::parse).is_some()
    });
    names
}

/// Those that nobody holds, held from now on.
pub(crate) fn free(place: BorrowedFd<'_>, names: impl IntoIterator<Item = CString>) -> Vec<(OwnedFd, CString)> {
    let open = |name: CString| Some((place::open_directory(place, &name).ok()?, name));
    let is_free = |(directory, _): &(OwnedFd, CString)| flock(directory, FlockOperation::NonBlockingLockExclusive).is_ok();
    names.into_iter().filter_map(open).filter(is_free).collect()
}

fn is_old_and_ours(place: BorrowedFd<'_>, name: &CStr) -> bool {
    let Ok(stat) = place::stat(place, name) else { return false };
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(stat.st_ctime).unwrap_or_default());
    stat.st_uid == rustix::process::geteuid().as_raw() && SystemTime::now().duration_since(changed).is_ok_and(|age| age >= YOUNG)
}
