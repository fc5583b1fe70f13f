//! Content of a plan as a tar: the source, nothing, what a strategy wrote, or a part of these.

use std::{collections::BTreeMap, io::Write};

use sti_core::{
    Plan, Secret, Tree,
    plan::{Content, ContentId, PlanFile},
    tree::{Entry, FileAt, Kind},
};

use super::{
    Error, Spot,
    repack::hostile,
    write::{Facts, TarWriter},
};
use crate::Contents;

/// Large enough that a gigabyte costs few calls, and small beside what a program needs anyway.
const BUFFER: usize = 128 * 1024;

/// The mode of a directory that nobody has given one: the top of a source has its own only by accident of where it lies.
const DIRECTORY_MODE: u32 = 0o755;

/// Writes a content of a plan as a tar, everything below `spot.at` and owned by `spot.owner`.
///
/// The first entry is the directory `spot.at` itself, or the file where the content is a part that is a file. After an error the
/// tar has no end, and no reader takes it for whole. `told` is called now and then with the bytes so far. What lives in an engine
/// (a capture, an output, files of an image, a cache) is [`Error::InEngine`].
pub fn pack(
    plan: &Plan,
    content: ContentId,
    contents: &Contents,
    spot: &Spot<'_>,
    out: &mut dyn Write,
    told: &dyn Fn(u64),
) -> Result<(), Error> {
    let not_there = |path: &str| Error::NotThere { content, path: path.to_owned() };
    let (_, resolved, below) = plan.resolve(content).ok_or_else(|| not_there(""))?;
    let mut packer = Packer { tar: TarWriter::new(out, told), spot, buffer: Vec::new() };
    match resolved {
        Content::Source => packer.tree(contents.source.as_ref().ok_or_else(|| not_there("source"))?, &below)?,
        Content::Empty if below.is_empty() => packer.directory(b"", DIRECTORY_MODE, 0)?,
        Content::Files { files } => packer.files(files, &below).and_then(|found| found.ok_or_else(|| not_there(&below)))?,
        Content::Secret { name } => {
            let secret = contents.secrets.get(name).ok_or_else(|| not_there("secret"))?;
            packer.secret(secret, &below).and_then(|found| found.ok_or_else(|| not_there(&below)))?;
        }
        Content::Empty | Content::Part { .. } | Content::Matching { .. } => return Err(not_there(&below)),
        Content::Capture { .. } | Content::Output { .. } | Content::ImageFiles { .. } | Content::Cache { .. } => {
            return Err(Error::InEngine { content });
        }
    }
    packer.tar.finish()
}

struct Packer<'a> {
    tar: TarWriter<'a>,
    spot: &'a Spot<'a>,
    buffer: Vec<u8>,
}

impl Packer<'_> {
    fn tree(&mut self, tree: &Tree, below: &str) -> Result<(), Error> {
        self.buffer = vec![0; BUFFER];
        tree.walk(below, &mut |entry| self.entry(&entry, below))
    }

    fn entry(&mut self, entry: &Entry<'_>, below: &str) -> Result<(), Error> {
        let facts = self.facts(entry.mode, entry.modified.seconds);
        match entry.kind {
            Kind::Directory if entry.path.is_empty() && below.is_empty() => {
                self.directory(b"", DIRECTORY_MODE, entry.modified.seconds)
            }
            Kind::Directory => self.tar.directory(&self.inside(entry.path), facts),
            Kind::Symlink { target } => self.tar.symlink(&self.inside(entry.path), target, facts),
            Kind::Hardlink { to } => self.tar.hardlink(&self.inside(entry.path), &self.inside(to), facts),
            Kind::File(file) => self.file(&self.inside(entry.path), file, entry.size, facts),
        }
    }

    fn file(&mut self, path: &[u8], file: FileAt<'_>, size: u64, facts: Facts) -> Result<(), Error> {
        let mut file = file.open()?;
        self.tar.file(path, size, facts)?;
        loop {
            match file.read(&mut self.buffer)? {
                0 => return self.tar.pad(size),
                count => self.tar.bytes(&self.buffer[..count])?,
            }
        }
    }

    /// `None` where nothing of that name is among the files.
    fn files(&mut self, files: &[PlanFile], below: &str) -> Result<Option<()>, Error> {
        if let Some(file) = files.iter().find(|file| file.path == below) {
            return self.plan_file("", file).map(Some);
        }
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        // By the path with its end at the lowest place, so that the parts of a path are in the order of their names.
        let inside: BTreeMap<Vec<&str>, &PlanFile> =
            files.iter().filter_map(|file| Some((file.path.strip_prefix(&prefix)?.split('/').collect(), file))).collect();
        if inside.is_empty() && !below.is_empty() {
            return Ok(None);
        }
        self.directory(b"", DIRECTORY_MODE, 0)?;
        let mut open: Vec<&str> = Vec::new();
        for (parts, file) in inside {
            let (_, parents) = parts.split_last().unwrap_or((&"", &[]));
            let shared = open.iter().zip(parents).take_while(|(left, right)| left == right).count();
            for end in shared + 1..=parents.len() {
                self.directory(parents[..end].join("/").as_bytes(), DIRECTORY_MODE, 0)?;
            }
            open = parents.to_vec();
            self.plan_file(&parts.join("/"), file)?;
        }
        Ok(Some(()))
    }

    fn secret(&mut self, secret: &Secret, below: &str) -> Result<Option<()>, Error> {
        match secret.files() {
            files if secret.is_directory() => self.files(files, below),
            [value] if below.is_empty() => self.plan_file("", value).map(Some),
            _ => Ok(None),
        }
    }

    fn plan_file(&mut self, path: &str, file: &PlanFile) -> Result<(), Error> {
        if !file.path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0')) {
            return Err(hostile(file.path.as_bytes(), "its name is not relative and normalised"));
        }
        let size = file.bytes.len() as u64;
        self.tar.file(&self.inside(path.as_bytes()), size, self.facts(file.mode & 0o777, 0))?;
        self.tar.bytes(&file.bytes)?;
        self.tar.pad(size)
    }

    fn directory(&mut self, path: &[u8], mode: u32, seconds: i64) -> Result<(), Error> {
        self.tar.directory(&self.inside(path), self.facts(mode, seconds))
    }

    fn facts(&self, mode: u32, seconds: i64) -> Facts {
        Facts { mode, owner: self.spot.owner, seconds: self.spot.times.of(seconds) }
    }

    fn inside(&self, path: &[u8]) -> Vec<u8> {
        join(self.spot.at.as_bytes(), path)
    }
}

/// A path below another one, either of which may be `""`.
pub(super) fn join(at: &[u8], path: &[u8]) -> Vec<u8> {
    if at.is_empty() || path.is_empty() {
        return [at, path].concat();
    }
    [at, b"/", path].concat()
}
