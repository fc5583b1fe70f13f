//! One file of a source: opened where it was seen, and held to what it was then.

use std::{
    ffi::{CStr, OsStr},
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, AtFlags, Stat},
    io::Errno,
};

use super::{
    error::{Error, printable},
    handle,
};

/// A file that a walk has come by and that can be opened.
#[derive(Clone, Copy)]
pub struct FileAt<'walk> {
    pub(super) dir: BorrowedFd<'walk>,
    pub(super) name: &'walk CStr,
    pub(super) stat: &'walk Stat,
    /// What the user called the top.
    pub(super) shown: &'walk Path,
    /// Below the top.
    pub(super) path: &'walk [u8],
}

/// A file that is being read. It gives exactly as many bytes as were announced, or [`Error::Changed`].
pub struct OpenFile {
    file: OwnedFd,
    stat: Stat,
    left: u64,
    shown: PathBuf,
}

impl FileAt<'_> {
    /// Opens the file that was seen, and no other.
    pub fn open(&self) -> Result<OpenFile, Error> {
        let failed = |errno| Error::about_listed(&self.shown(), errno);
        let file = handle::open_file(self.dir, self.name).map_err(failed)?;
        let now = rustix::fs::fstat(&file).map_err(failed)?;
        let open = OpenFile { file, stat: *self.stat, left: handle::size(self.stat), shown: self.shown() };
        open.compare(&now)?;
        Ok(open)
    }

    /// Fails where [`FileAt::open`] would for want of permission.
    pub fn check_readable(&self) -> Result<(), Error> {
        // The system need not be asked about what everybody may read.
        if handle::permissions(self.stat) & 0o444 == 0o444 {
            return Ok(());
        }
        rustix::fs::accessat(self.dir, self.name, Access::READ_OK, AtFlags::EACCESS)
            .map_err(|errno| Error::about_listed(&self.shown(), errno))
    }

    fn shown(&self) -> PathBuf {
        if self.path.is_empty() {
            return self.shown.to_owned();
        }
        self.shown.join(OsStr::from_bytes(self.path))
    }
}

impl OpenFile {
    /// Reads the next bytes; 0 says that the file was read whole and is what it was.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if self.left == 0 {
            let now = rustix::fs::fstat(&self.file).map_err(|errno| Error::about_listed(&self.shown, errno))?;
            return self.compare(&now).map(|()| 0);
        }
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let count = self.read_once(&mut into[..most])?;
        if count == 0 {
            return Err(self.changed("it shrank"));
        }
        self.left -= count as u64;
        Ok(count)
    }

    /// Reads all bytes into memory; for files whose size was looked at before.
    pub fn read_whole(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; usize::try_from(self.left).unwrap_or(usize::MAX)];
        let mut end = 0;
        loop {
            // The last call finds nothing left and compares the file with what it was.
            match self.read(&mut bytes[end..])? {
                0 => return Ok(bytes),
                count => end += count,
            }
        }
    }

    fn read_once(&self, into: &mut [u8]) -> Result<usize, Error> {
        loop {
            match rustix::io::read(&self.file, &mut *into) {
                Err(Errno::INTR) => {}
                result => return result.map_err(|errno| Error::about_listed(&self.shown, errno)),
            }
        }
    }

    fn compare(&self, now: &Stat) -> Result<(), Error> {
        let was = &self.stat;
        if (was.st_dev, was.st_ino) != (now.st_dev, now.st_ino) || handle::Type::of(now) != handle::Type::File {
            return Err(self.changed("another took its place"));
        }
        if now.st_size != was.st_size {
            let how = if now.st_size > was.st_size { "it grew" } else { "it shrank" };
            return Err(self.changed(&format!("{how} from {} to {} bytes", was.st_size, now.st_size)));
        }
        if handle::Modified::of(now) != handle::Modified::of(was) {
            return Err(self.changed("it was written to"));
        }
        Ok(())
    }

    fn changed(&self, why: &str) -> Error {
        Error::Changed { path: printable(&self.shown), why: why.to_owned() }
    }
}
