//! What a Dockerfile copies: the source and what the plan itself holds, as files of a directory.

use std::{
    ffi::OsStr,
    io::Write,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use cap_std::fs::{Dir, File, OpenOptions, Permissions, PermissionsExt};
use rustix::fs::{AtFlags, Timespec, Timestamps};
use sti_core::{
    Plan, Tree,
    plan::{Content, ContentId, PlanFile},
    tree::{self, Entry, Kind, Modified},
};

use crate::{error::Error, origin::Placed};

/// The mode of a directory that nobody has given one.
const DIRECTORY_MODE: u32 = 0o755;
/// 1980, before which some archives know no time: when what has no time of its own was changed.
const NO_TIME: Modified = Modified { seconds: 315_532_800, nanoseconds: 0 };
/// As many bytes are read at a time.
const BUFFER: usize = 128 * 1024;

/// What a Dockerfile copies, by the name that each content has in the context. Cheap beside what it stands for: nothing is read yet.
#[derive(Debug)]
pub struct Context {
    plan: Plan,
    placed: Placed,
}

impl Context {
    pub(crate) fn of(plan: &Plan, placed: Placed) -> Self {
        Self { plan: plan.clone(), placed }
    }

    /// Writes everything into an empty directory, which becomes the same by the same input: bytes, modes, links and times. `is_wanted` is
    /// asked now and then.
    pub fn write(&self, into: &Dir, source: &Tree, is_wanted: &dyn Fn() -> bool) -> Result<(), Error> {
        let mut writer = Writer { into, directories: Vec::new(), buffer: vec![0; BUFFER], is_wanted };
        for (name, content) in &self.placed {
            writer.content(&self.plan, *content, name, source)?;
        }
        writer.finish()
    }
}

struct Writer<'a> {
    into: &'a Dir,
    /// Closed when all is in them: one that may not be written cannot be written into.
    directories: Vec<(PathBuf, u32, Modified)>,
    buffer: Vec<u8>,
    is_wanted: &'a dyn Fn() -> bool,
}

impl Writer<'_> {
    fn content(&mut self, plan: &Plan, id: ContentId, name: &str, source: &Tree) -> Result<(), Error> {
        match plan.resolve(id) {
            Some((_, Content::Source, below)) => source.walk(&below, &mut |entry| self.entry(name, &below, &entry)),
            Some((_, Content::Files { files }, below)) => self.files(name, &below, files),
            Some((_, Content::Empty, below)) if below.is_empty() => self.directory(Path::new(name), DIRECTORY_MODE, NO_TIME),
            // Only these are placed.
            _ => Err(not_there(name)),
        }
    }

    fn entry(&mut self, name: &str, below: &str, entry: &Entry<'_>) -> Result<(), Error> {
        let path = inside(name, entry.path);
        match entry.kind {
            // The top of a source has its mode only by accident of where it lies.
            Kind::Directory if entry.path.is_empty() && below.is_empty() => self.directory(&path, DIRECTORY_MODE, entry.modified),
            Kind::Directory => self.directory(&path, entry.mode, entry.modified),
            Kind::Symlink { target } => self.link(&path, target, entry.modified),
            Kind::Hardlink { to } => self.into.hard_link(inside(name, to), self.into, &path).map_err(|why| cannot(&path, why)),
            Kind::File(file) => {
                let mut open = file.open()?;
                let mut written = self.file(&path)?;
                loop {
                    if !(self.is_wanted)() {
                        return Err(Error::Stopped);
                    }
                    match open.read(&mut self.buffer)? {
                        0 => return close(&written, &path, entry.mode, entry.modified),
                        count => written.write_all(&self.buffer[..count]).map_err(|why| cannot(&path, why))?,
                    }
                }
            }
        }
    }

    /// The files at or below a path among those of the plan.
    fn files(&mut self, name: &str, below: &str, files: &[PlanFile]) -> Result<(), Error> {
        if let Some(file) = files.iter().find(|file| file.path == below) {
            return self.plan_file(Path::new(name), file);
        }
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        let inside: Vec<_> = files.iter().filter_map(|file| Some((file.path.strip_prefix(&prefix)?, file))).collect();
        if inside.is_empty() && !below.is_empty() {
            return Err(not_there(name));
        }
        let top = Path::new(name);
        self.directory(top, DIRECTORY_MODE, NO_TIME)?;
        for (path, file) in inside {
            let above =
                Path::new(path).ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()).map(|above| top.join(above));
            for directory in above.collect::<Vec<_>>().into_iter().rev() {
                if !self.directories.iter().any(|(known, ..)| *known == directory) {
                    self.directory(&directory, DIRECTORY_MODE, NO_TIME)?;
                }
            }
            self.plan_file(&top.join(path), file)?;
        }
        Ok(())
    }

    fn plan_file(&mut self, path: &Path, file: &PlanFile) -> Result<(), Error> {
        let mut written = self.file(path)?;
        written.write_all(&file.bytes).map_err(|why| cannot(path, why))?;
        close(&written, path, file.mode & 0o777, NO_TIME)
    }

    fn file(&self, path: &Path) -> Result<File, Error> {
        self.into.open_with(path, OpenOptions::new().write(true).create_new(true)).map_err(|why| cannot(path, why))
    }

    fn link(&self, path: &Path, target: &[u8], modified: Modified) -> Result<(), Error> {
        self.into.symlink_contents(OsStr::from_bytes(target), path).map_err(|why| cannot(path, why))?;
        set_time(self.into, path, modified)
    }

    fn directory(&mut self, path: &Path, mode: u32, modified: Modified) -> Result<(), Error> {
        self.into.create_dir(path).map_err(|why| cannot(path, why))?;
        self.directories.push((path.to_owned(), mode, modified));
        Ok(())
    }

    fn finish(self) -> Result<(), Error> {
        for (path, mode, modified) in self.directories.iter().rev() {
            set_time(self.into, path, *modified)?;
            self.into.set_permissions(path, Permissions::from_mode(*mode)).map_err(|why| cannot(path, why))?;
        }
        Ok(())
    }
}

fn inside(name: &str, path: &[u8]) -> PathBuf {
    if path.is_empty() { PathBuf::from(name) } else { Path::new(name).join(OsStr::from_bytes(path)) }
}

/// The mode is set at the end, past whatever the process takes away from new files.
fn close(file: &File, path: &Path, mode: u32, modified: Modified) -> Result<(), Error> {
    rustix::fs::futimens(file, &timestamps(modified)).map_err(|errno| cannot(path, errno.into()))?;
    file.set_permissions(Permissions::from_mode(mode)).map_err(|why| cannot(path, why))
}

fn set_time(dir: &Dir, path: &Path, modified: Modified) -> Result<(), Error> {
    rustix::fs::utimensat(dir, path, &timestamps(modified), AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| cannot(path, errno.into()))
}

fn timestamps(modified: Modified) -> Timestamps {
    let time = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}

fn cannot(path: &Path, why: std::io::Error) -> Error {
    Error::Write { path: path.to_string_lossy().escape_debug().to_string(), why }
}

fn not_there(name: &str) -> Error {
    Error::Source(tree::Error::NotFound { path: name.to_owned() })
}
