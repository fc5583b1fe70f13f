//! A foreign tar, judged entry by entry and written again below a new place: what a script prints is never passed on unread.
//!
//! An engine would write an entry below a link of the same archive *through* that link, so the kinds of all paths are
//! remembered, as eight bytes each.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io::{Read, Write},
};

use tar::EntryType;

use sti_core::plan::Names;

use super::{
    Error, Owner, Times,
    pack::join,
    read::{Member, Reader},
    write::{Facts, TarWriter},
};

const BUFFER: usize = 64 * 1024;

/// More entries than any source has, so that remembering them stays cheap.
const MOST_ENTRIES: usize = 2_000_000;

/// How a foreign tar is written again.
#[derive(Clone, Debug)]
pub struct Repack {
    /// The path in the new tar below which all goes, without a leading slash; `""` is its top.
    pub at: String,
    /// Who owns every entry; the numbers of the archive where absent.
    pub owner: Option<Owner>,
    /// When its entries were changed.
    pub times: Times,
    /// Takes the first part of every name away: an engine answers for `/tmp/build` with `build/…`. One file then arrives as
    /// the file `at` itself. Podman answers for a volume with `/…`, whose first part is nothing.
    pub strip_first: bool,
    /// Of a directory, only these entries, with all below them. The directory itself is then not written: what lies there stays as it is.
    pub only: Option<Choice>,
}

/// Some entries of a directory.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What they are called.
    pub names: Names,
    /// The directory and the glob, for whoever reads that there is none.
    pub path: String,
}

/// Reads a foreign tar to its end and writes it again.
///
/// Names must be relative (but see [`Repack::strip_first`]) and without `..`; hard links lead to earlier files; nothing lies below a link or a file of the same
/// archive, and no directory in the place of a link; devices, FIFOs and sparse files are refused, each as [`Error::Hostile`] with the entry's name. Directories that the archive
/// implies are written out, and the first entry is the directory `at`, also for an archive without any entry. Extended attributes
/// are left behind. Where [`Repack::only`] holds of no entry, that is [`Error::NothingMatches`].
pub fn repack(from: &mut dyn Read, out: &mut dyn Write, to: &Repack, told: &dyn Fn(u64)) -> Result<(), Error> {
    let mut reader = Reader::new(from);
    let mut judge = Judge {
        to,
        tar: TarWriter::new(out, told),
        seen: HashMap::new(),
        hasher: RandomState::new(),
        buffer: Vec::new(),
        has_picked: false,
    };
    while let Some(member) = reader.next()? {
        judge.entry(&member, &mut reader)?;
    }
    if let Some(choice) = to.only.as_ref().filter(|_| !judge.has_picked) {
        return Err(Error::NothingMatches { path: choice.path.clone() });
    }
    if judge.seen.is_empty() {
        judge.directory(b"", &judge.implied())?;
    }
    judge.tar.finish()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Directory,
    File,
    Symlink,
}

struct Judge<'a> {
    to: &'a Repack,
    tar: TarWriter<'a>,
    seen: HashMap<u64, Seen>,
    hasher: RandomState,
    buffer: Vec<u8>,
    has_picked: bool,
}

impl Judge<'_> {
    fn entry(&mut self, member: &Member, reader: &mut Reader<'_>) -> Result<(), Error> {
        let path = self.place(&member.path).map_err(|why| hostile(&member.path, why))?;
        if !self.picks(&path) {
            return Ok(());
        }
        let facts = Facts { mode: member.mode, owner: self.owner(member)?, seconds: self.to.times.of(member.seconds) };
        self.judge(&path, member).map_err(|why| hostile(&member.path, why))?;
        self.parents(&path).map_err(|refusal| refusal.of(&member.path))?;
        let full = join(self.to.at.as_bytes(), &path);
        match member.kind {
            EntryType::Directory => self.directory(&path, &facts),
            EntryType::Symlink => {
                self.remember(&path, Seen::Symlink);
                self.tar.symlink(&full, &member.target, facts)
            }
            EntryType::Link => {
                let target = self.place(&member.target).map_err(|why| hostile(&member.path, why))?;
                let Some(kind @ (Seen::File | Seen::Symlink)) = self.kind_of(&target) else {
                    let why = match self.to.only {
                        Some(_) => "it is a hard link to what was not picked; pick the whole directory",
                        None => "it is a hard link to what is no earlier file of the archive",
                    };
                    return Err(hostile(&member.path, why));
                };
                self.remember(&path, kind);
                self.tar.hardlink(&full, &join(self.to.at.as_bytes(), &target), facts)
            }
            _ => {
                self.remember(&path, Seen::File);
                self.tar.file(&full, member.size, facts)?;
                self.content(reader, member.size)
            }
        }
    }

    /// Whether an entry is wanted. Bytes of others are passed over by whoever reads the next one.
    fn picks(&mut self, path: &[u8]) -> bool {
        let Some(choice) = &self.to.only else { return true };
        let name = path.split(|byte| *byte == b'/').next().unwrap_or_default();
        let picks = !name.is_empty() && choice.names.hold(name);
        self.has_picked |= picks;
        picks
    }

    fn judge(&self, path: &[u8], member: &Member) -> Result<(), &'static str> {
        let is_file = matches!(member.kind, EntryType::Regular | EntryType::Continuous);
        match member.kind {
            // Some engines replace the link, and others go through it.
            EntryType::Directory if self.kind_of(path) == Some(Seen::Symlink) => {
                return Err("it is a directory in the place of a symbolic link of the same archive");
            }
            EntryType::Directory => {}
            _ if path.is_empty() && !(is_file && self.to.strip_first && self.seen.is_empty()) => {
                return Err("the top of the archive must be a directory");
            }
            EntryType::Symlink if member.target.is_empty() || member.target.contains(&0) => {
                return Err("it is a link to nowhere");
            }
            EntryType::Regular | EntryType::Continuous | EntryType::Symlink | EntryType::Link => {}
            EntryType::Fifo => return Err("it is a FIFO"),
            EntryType::Block | EntryType::Char => return Err("it is a device"),
            _ => return Err("it is of a kind that is not known"),
        }
        if self.seen.len() >= MOST_ENTRIES {
            return Err("the archive has more than 2,000,000 entries");
        }
        Ok(())
    }

    /// Where a name of the archive leads below `at`: without `.`, without its first part where that is to go.
    fn place(&self, name: &[u8]) -> Result<Vec<u8>, &'static str> {
        let is_absolute = name.first() == Some(&b'/');
        if is_absolute && !self.to.strip_first {
            return Err("its name is absolute");
        }
        if name.is_empty() || name.contains(&0) {
            return Err("it has no proper name");
        }
        let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
        if parts.contains(&b"..".as_slice()) {
            return Err("its name leads upwards");
        }
        let skip = usize::from(self.to.strip_first && !is_absolute).min(parts.len());
        Ok(parts[skip..].join(&b'/'))
    }

    /// Holds every parent against what was seen of it, and writes down those that the archive only implies.
    fn parents(&mut self, path: &[u8]) -> Result<(), Refusal> {
        if path.is_empty() {
            return Ok(());
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for end in std::iter::once(0).chain(ends) {
            match self.kind_of(&path[..end]) {
                None if end == 0 && self.to.only.is_some() => {}
                Some(Seen::Directory) => {}
                Some(Seen::Symlink) => return Err(Refusal::Because("it lies below a symbolic link of the same archive")),
                Some(Seen::File) => return Err(Refusal::Because("it lies below a file of the same archive")),
                None => self.directory(&path[..end], &self.implied()).map_err(Refusal::Failed)?,
            }
        }
        Ok(())
    }

    fn directory(&mut self, path: &[u8], facts: &Facts) -> Result<(), Error> {
        self.remember(path, Seen::Directory);
        self.tar.directory(&join(self.to.at.as_bytes(), path), *facts)
    }

    fn content(&mut self, reader: &mut Reader<'_>, size: u64) -> Result<(), Error> {
        self.buffer.resize(BUFFER, 0);
        loop {
            match reader.bytes(&mut self.buffer)? {
                0 => return self.tar.pad(size),
                count => self.tar.bytes(&self.buffer[..count])?,
            }
        }
    }

    /// What is said of a directory that has no entry of its own.
    fn implied(&self) -> Facts {
        Facts { mode: 0o755, owner: self.to.owner.unwrap_or(Owner { uid: 0, gid: 0 }), seconds: self.to.times.of(0) }
    }

    fn owner(&self, member: &Member) -> Result<Owner, Error> {
        if let Some(owner) = self.to.owner {
            return Ok(owner);
        }
        let number = |id: u64| u32::try_from(id).map_err(|_| hostile(&member.path, "its owner is no user of any system"));
        Ok(Owner { uid: number(member.uid)?, gid: number(member.gid)? })
    }

    fn kind_of(&self, path: &[u8]) -> Option<Seen> {
        self.seen.get(&self.hasher.hash_one(path)).copied()
    }

    fn remember(&mut self, path: &[u8], kind: Seen) {
        self.seen.insert(self.hasher.hash_one(path), kind);
    }
}

enum Refusal {
    Because(&'static str),
    Failed(Error),
}

impl Refusal {
    fn of(self, name: &[u8]) -> Error {
        match self {
            Self::Because(why) => hostile(name, why),
            Self::Failed(error) => error,
        }
    }
}

pub(super) fn hostile(name: &[u8], why: &str) -> Error {
    Error::Hostile { entry: String::from_utf8_lossy(name).escape_debug().to_string(), why: why.to_owned() }
}
