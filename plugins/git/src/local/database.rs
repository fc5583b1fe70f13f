//! Objects of a repository on disk: one file each, or many in a pack. What is not asked for is not read.

use std::{
    cell::RefCell,
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::PathBuf,
};

use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_object::Kind;
use gix_pack::{
    cache::{DecodeEntry, lru::MemoryCappedHashmap},
    data::{self, entry::Header},
    index,
};
use gix_zlib::{Decompress, FlushDecompress, Status};
use sti_plugin::Problem;

use super::{delta, directory::Directory};
use crate::{
    objects::{CACHE, OBJECT_LIMIT},
    store::{self, Store},
    trouble,
};

/// How much of a pack is read at once.
const PIECE: usize = 1 << 16;

/// The length of an identifier.
const HASH: usize = 20;

/// All objects of a repository.
pub(super) struct Database {
    directory: Directory,
    packs: Vec<Pack>,
    cache: RefCell<MemoryCappedHashmap>,
}

struct Pack {
    index: index::File<Vec<u8>>,
    file: RefCell<BufReader<File>>,
}

impl Database {
    /// Opens the packs there are.
    pub(super) fn open(directory: Directory, address: &str) -> Result<Self, Problem> {
        if directory.read("objects/info/alternates")?.is_some_and(|others| !others.trim_ascii().is_empty()) {
            return Err(Problem::invalid(
                "local-alternates",
                format!("`{address}` keeps objects in another repository, which cannot be read here"),
            )
            .hint("run `git repack -a -d` in it and remove `objects/info/alternates`, or give the other repository"));
        }
        let mut packs = Vec::new();
        for (name, _) in directory.list("objects/pack")? {
            let Some(stem) = name.strip_suffix(".idx") else { continue };
            let (index, file) =
                (directory.read(&format!("objects/pack/{name}"))?, directory.open(&format!("objects/pack/{stem}.pack"))?);
            let (Some(index), Some(file)) = (index, file) else { continue };
            let index = index::File::from_data(index, PathBuf::new(), Sha1).map_err(|error| trouble::corrupt(&error))?;
            packs.push(Pack { index, file: RefCell::new(BufReader::with_capacity(PIECE, file)) });
        }
        Ok(Self { directory, packs, cache: RefCell::new(MemoryCappedHashmap::new(CACHE)) })
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Reads an object of a pack: what it builds on first, then each step from there.
    fn find_packed(&self, number: u32, pack: &Pack, at: u64, buffer: &mut Vec<u8>) -> Result<Kind, Problem> {
        let mut cache = self.cache.borrow_mut();
        let (mut at, mut steps, mut held) = (at, Vec::new(), 0_usize);
        let kind = loop {
            if let Some((kind, _)) = cache.get(number, at, buffer) {
                break kind;
            }
            let (header, content) = pack.read(at)?;
            held = held.saturating_add(content.len());
            if held > OBJECT_LIMIT || steps.len() > pack.index.num_objects() as usize {
                return Err(trouble::damaged("an object is put together from too many others"));
            }
            if let Some(kind) = header.as_kind() {
                cache.put(number, at, &content, kind, content.len());
                *buffer = content;
                break kind;
            }
            steps.push((at, content));
            at = pack.base(at, header)?;
        };
        while let Some((at, step)) = steps.pop() {
            *buffer = delta::apply(buffer, &step, OBJECT_LIMIT)?;
            cache.put(number, at, buffer, kind, buffer.len());
        }
        Ok(kind)
    }

    /// Reads an object that has a file of its own, and holds it against its name.
    fn find_loose(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Problem> {
        let name = id.to_string();
        let Some(file) = self.directory.open(&format!("objects/{}/{}", &name[..2], &name[2..]))? else { return Ok(None) };
        let content = inflate(&mut BufReader::with_capacity(PIECE, file), None)?;
        let wrong = || trouble::damaged(format_args!("the object `{id}` is not what its name says"));
        let end = content.iter().position(|byte| *byte == 0).ok_or_else(wrong)?;
        let kind =
            content[..end].split(|byte| *byte == b' ').next().and_then(|kind| Kind::from_bytes(kind).ok()).ok_or_else(wrong)?;
        buffer.clear();
        buffer.extend_from_slice(&content[end + 1..]);
        let found = gix_object::compute_hash(Sha1, kind, buffer).map_err(|error| trouble::corrupt(&error))?;
        if found == id { Ok(Some(kind)) } else { Err(wrong()) }
    }
}

impl Store for Database {
    fn find(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Problem> {
        for (number, pack) in (0..).zip(&self.packs) {
            if let Some(at) = pack.index.lookup(id) {
                return self.find_packed(number, pack, pack.index.pack_offset_at_index(at), buffer).map(Some);
            }
        }
        self.find_loose(id, buffer)
    }

    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        let mut found: Vec<_> = self.packs.iter().flat_map(|pack| store::starting(&pack.index, prefix)).collect();
        if let (Some(start), Some(rest)) = (prefix.get(..2), prefix.get(2..)) {
            let names = self.directory.list(&format!("objects/{start}"))?;
            let names = names.iter().filter(|(name, _)| name.starts_with(rest));
            found.extend(names.filter_map(|(name, _)| ObjectId::from_hex(format!("{start}{name}").as_bytes()).ok()));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

impl Pack {
    fn read(&self, at: u64) -> Result<(Header, Vec<u8>), Problem> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(at))?;
        let entry = data::Entry::from_read(&mut *file, at, HASH)?;
        Ok((entry.header, inflate(&mut *file, Some(entry.decompressed_size))?))
    }

    /// Tells where an object lies that another one builds on.
    fn base(&self, at: u64, header: Header) -> Result<u64, Problem> {
        let base = match header {
            Header::OfsDelta { base_distance } => Header::verified_base_pack_offset(at, base_distance),
            Header::RefDelta { base_id } => self.index.lookup(base_id).map(|base| self.index.pack_offset_at_index(base)),
            _ => None,
        };
        base.ok_or_else(|| trouble::damaged("an object builds on one that is not there"))
    }
}

/// Reads a compressed stream that holds exactly so much, where that is known.
fn inflate(reader: &mut impl BufRead, size: Option<u64>) -> Result<Vec<u8>, Problem> {
    let limit = size.map_or(OBJECT_LIMIT, |size| usize::try_from(size).unwrap_or(usize::MAX));
    if limit > OBJECT_LIMIT {
        return Err(too_large());
    }
    let (mut stream, mut content) = (Decompress::new(), Vec::new());
    loop {
        let filled = content.len();
        // One byte more than there may be, to see that there is no more.
        content.resize(limit.saturating_add(1).min(filled + PIECE), 0);
        let input = reader.fill_buf()?;
        let (is_end, read_before, written_before) = (input.is_empty(), stream.total_in(), stream.total_out());
        let status =
            stream.decompress(input, &mut content[filled..], FlushDecompress::None).map_err(|error| trouble::corrupt(&error))?;
        let read = usize::try_from(stream.total_in() - read_before)?;
        let written = usize::try_from(stream.total_out() - written_before)?;
        reader.consume(read);
        content.truncate(filled + written);
        match status {
            Status::StreamEnd if size.is_none() || content.len() == limit => return Ok(content),
            Status::StreamEnd => return Err(trouble::damaged("an object is smaller than it says")),
            _ if content.len() > limit => return Err(too_large()),
            _ if is_end || (read == 0 && written == 0) => return Err(trouble::damaged("an object ends too early")),
            _ => {}
        }
    }
}

fn too_large() -> Problem {
    Problem::exhausted(
        "object-too-large",
        format!("a file of the repository is larger than {} MiB, or than it says", OBJECT_LIMIT >> 20),
    )
    .hint("give the directory without `git:`: what is on disk is built")
}
