//! A pack as it comes in: kept in a spool, and measured before anything is put together. What is whole is named at once by what it holds.

use std::{
    cell::RefCell,
    collections::HashMap,
    io::{self, BufRead, Read},
};

use gix_hash::{Hasher, Kind::Sha1, ObjectId};
use gix_object::Kind;
use gix_pack::data::{Entry, entry::Header};
use sti_plugin::{Blob, Problem, Spool, log};

use super::{Bytes, HASH, Index, Inflater, Pack, Packs, Place, Window, delta, index::Known, resolve, told};
use crate::{
    store::{self, OBJECT_LIMIT, Object},
    trouble,
};

/// The most objects whose identifiers are kept in memory.
const MOST_OBJECTS: usize = 1_500_000;

/// The most that the objects of a pack may hold together, unless the pack itself is large.
const TOTAL: u64 = 4 << 30;

/// How much more than itself a large pack may hold.
const GROWTH: u64 = 32;

/// Larger objects are not kept in memory, and neither are deltas once they fill this much of it.
const KEPT_OBJECT: u64 = 1 << 20;
const KEPT_DELTAS: usize = 16 << 20;

/// How much is written into the spool at once.
const PIECE: usize = 1 << 17;

/// What is known of a pack when all of it is there.
pub(super) struct Arrived {
    /// In the order of the pack; what is a delta has no name yet.
    pub(super) known: Vec<Known>,
    /// In the same order.
    pub(super) deltas: Vec<Delta>,
    /// Deltas by their number, as far as there was room.
    pub(super) contents: HashMap<usize, Vec<u8>>,
}

/// An object that is made from another one.
pub(super) struct Delta {
    /// Which of the objects of the pack it is.
    pub(super) number: usize,
    pub(super) base: Base,
}

/// What a delta builds on.
pub(super) enum Base {
    /// The object that begins there.
    At(u64),
    /// An object of this pack, or of one that was there before.
    Named(ObjectId),
}

/// Reads a pack to its end, and adds it to those that are there. Every object is put together once, to learn its identifier: what is
/// found by one has that content.
pub(crate) fn receive(reader: &mut dyn BufRead, mut packs: Packs) -> Result<Packs, Problem> {
    let mut incoming = Incoming::new(reader, Some(Spool::new()?));
    let arrived = arrive(&mut incoming, &mut packs)?;
    let spool = incoming.finish()?.ok_or_else(|| trouble::damaged("nothing was kept of the pack"))?;
    named(Window::new(Bytes::Blob(spool.finish()?)), arrived, packs)
}

/// As [`receive`], of a pack that lies somewhere. It is believed no more than one that comes from a server.
pub(crate) fn add(pack: Blob, mut packs: Packs) -> Result<Packs, Problem> {
    let mut window = Window::new(Bytes::Blob(pack));
    let mut incoming = Incoming::new(&mut window, None);
    let arrived = arrive(&mut incoming, &mut packs)?;
    incoming.finish()?;
    named(window, arrived, packs)
}

fn arrive(incoming: &mut Incoming, packs: &mut Packs) -> Result<Arrived, Problem> {
    let count = incoming.begin()?;
    let arrived = Arrived { known: Vec::with_capacity(MOST_OBJECTS.min(count)), deltas: Vec::new(), contents: HashMap::new() };
    let mut receiver = Receiver { arrived, number: packs.all.len(), packs, total: 0, room: KEPT_DELTAS };
    for _ in 0..count {
        receiver.take(incoming)?;
    }
    Ok(receiver.arrived)
}

fn named(window: Window, arrived: Arrived, mut packs: Packs) -> Result<Packs, Problem> {
    let number = packs.all.len();
    packs.all.push(Pack { index: Index::Found(Vec::new()), window: RefCell::new(window) });
    let known = resolve::name_all(&mut packs, number, arrived)?;
    packs.all[number].index = Index::Found(known);
    Ok(packs)
}

/// What takes the objects of a pack one by one.
struct Receiver<'p> {
    arrived: Arrived,
    /// Which of the packs it will be.
    number: usize,
    packs: &'p mut Packs,
    /// How much all objects hold.
    total: u64,
    /// For deltas in memory.
    room: usize,
}

impl Receiver<'_> {
    fn take(&mut self, incoming: &mut Incoming) -> Result<(), Problem> {
        if self.arrived.known.len() == MOST_OBJECTS {
            return Err(too_many_objects());
        }
        let at = incoming.at;
        let entry = Entry::from_read(incoming, at, HASH).map_err(|error| told(&error))?;
        let id = match entry.header {
            Header::OfsDelta { base_distance } => {
                let base = Header::verified_base_pack_offset(at, base_distance).ok_or_else(super::nothing_to_build_on)?;
                self.take_delta(&entry, Base::At(base), incoming)?
            }
            Header::RefDelta { base_id } => self.take_delta(&entry, Base::Named(base_id), incoming)?,
            Header::Blob if entry.decompressed_size > KEPT_OBJECT => self.take_large(&entry, incoming)?,
            Header::Blob => self.take_whole(&entry, Kind::Blob, incoming)?,
            Header::Tree => self.take_whole(&entry, Kind::Tree, incoming)?,
            Header::Commit => self.take_whole(&entry, Kind::Commit, incoming)?,
            Header::Tag => self.take_whole(&entry, Kind::Tag, incoming)?,
        };
        self.arrived.known.push(Known { id, at });
        Ok(())
    }

    /// Counts an object before it is put together.
    fn count(&mut self, size: u64, received: u64) -> Result<(), Problem> {
        self.total = self.total.saturating_add(size);
        let most = TOTAL.max(received.saturating_mul(GROWTH));
        if self.total <= most { Ok(()) } else { Err(too_much(most)) }
    }

    fn take_whole(&mut self, entry: &Entry, kind: Kind, incoming: &mut Incoming) -> Result<ObjectId, Problem> {
        self.count(entry.decompressed_size, incoming.at)?;
        let content = self.inflater().whole(incoming, Some(entry.decompressed_size))?;
        let id = store::name(kind, &content)?;
        if entry.decompressed_size <= KEPT_OBJECT {
            self.packs.remember(Place { pack: self.number, at: entry.pack_offset() }, Object { kind, content });
        }
        Ok(id)
    }

    /// Names a file without taking it into memory.
    fn take_large(&mut self, entry: &Entry, incoming: &mut Incoming) -> Result<ObjectId, Problem> {
        let size = entry.decompressed_size;
        self.count(size, incoming.at)?;
        let mut hasher = gix_hash::hasher(Sha1);
        hasher.update(&gix_object::encode::loose_header(Kind::Blob, size));
        self.inflater().pieces(incoming, size, &mut |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        hasher.try_finalize().map_err(|error| trouble::corrupt(&error))
    }

    /// Takes a delta, of which the first bytes say how large it makes what it builds on.
    fn take_delta(&mut self, entry: &Entry, base: Base, incoming: &mut Incoming) -> Result<ObjectId, Problem> {
        let content = self.inflater().whole(incoming, Some(entry.decompressed_size))?;
        let (from, made, _) = delta::sizes(&content)?;
        if from.saturating_add(made).saturating_add(content.len() as u64) > OBJECT_LIMIT as u64 {
            return Err(store::too_large(made));
        }
        self.count(made, incoming.at)?;
        let number = self.arrived.known.len();
        if let Some(room) = self.room.checked_sub(content.len()) {
            self.room = room;
            self.arrived.contents.insert(number, content);
        }
        self.arrived.deltas.push(Delta { number, base });
        Ok(ObjectId::null(Sha1))
    }

    fn inflater(&mut self) -> &mut Inflater {
        self.packs.inflater.get_mut()
    }
}

/// Bytes as they come in, each of which is kept and counted among those whose checksum stands at the end.
struct Incoming<'r> {
    reader: &'r mut dyn BufRead,
    at: u64,
    /// Where it is kept, unless it lies somewhere already.
    spool: Option<Spool>,
    /// What is still to be written there.
    piece: Vec<u8>,
    hasher: Hasher,
    /// Why the spool could not be written, where nobody could be told yet.
    failure: Option<Problem>,
}

impl<'r> Incoming<'r> {
    fn new(reader: &'r mut dyn BufRead, spool: Option<Spool>) -> Self {
        let (piece, hasher) = (Vec::with_capacity(2 * PIECE), gix_hash::hasher(Sha1));
        Self { reader, at: 0, spool, piece, hasher, failure: None }
    }

    /// Reads the first words: what it is, and how many objects there are.
    fn begin(&mut self) -> Result<usize, Problem> {
        let mut start = [0; 12];
        self.read_exact(&mut start).map_err(|error| told(&error))?;
        let [kind, version, count] = [0, 4, 8].map(|at| [start[at], start[at + 1], start[at + 2], start[at + 3]]);
        if kind != *b"PACK" || !matches!(u32::from_be_bytes(version), 2 | 3) {
            return Err(trouble::damaged("what came is no pack"));
        }
        Ok(usize::try_from(u32::from_be_bytes(count))?)
    }

    /// Holds the pack against the checksum at its end.
    fn finish(mut self) -> Result<Option<Spool>, Problem> {
        self.write()?;
        let mut checksum = [0; HASH];
        self.reader.read_exact(&mut checksum).map_err(|error| told(&error))?;
        let found = self.hasher.try_finalize().map_err(|error| trouble::corrupt(&error))?;
        if found.as_slice() != checksum {
            return Err(trouble::damaged("the checksum of the pack is another one"));
        }
        if let Some(spool) = &mut self.spool {
            spool.write(&checksum)?;
        }
        Ok(self.spool)
    }

    fn write(&mut self) -> Result<(), Problem> {
        log::progress("receiving", self.at, None);
        self.hasher.update(&self.piece);
        if let Some(spool) = &mut self.spool {
            spool.write(&self.piece)?;
        }
        self.piece.clear();
        Ok(())
    }
}

impl BufRead for Incoming<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.failure.take() {
            Some(problem) => Err(io::Error::other(problem)),
            None => self.reader.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        // What is there already is not read again: this cannot fail.
        if let Some(taken) = self.reader.fill_buf().ok().and_then(|piece| piece.get(..amount)) {
            self.piece.extend_from_slice(taken);
            self.at += taken.len() as u64;
        }
        self.reader.consume(amount);
        if self.piece.len() >= PIECE {
            self.failure = self.write().err();
        }
    }
}

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

fn too_much(most: u64) -> Problem {
    beyond(format!("the files of the repository take more than {} MiB", most >> 20))
}

fn too_many_objects() -> Problem {
    beyond(format!("the repository sends more than {MOST_OBJECTS} objects, even without its history"))
}

fn beyond(message: String) -> Problem {
    Problem::exhausted("repository-too-large", message)
        .hint("build from a checkout: `git clone --depth 1` it, and give the directory as the source")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of the two documents of the first published collision, up to where they differ no more.
    const COLLISION: &str = "\
        255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f5479\
        70652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020522f4c65\
        6e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d312069732064\
        6561642121212121852fec092339759c39b1a1c63c4c97e1fffe017f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791f\
        e02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a480\
        2d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1";

    #[test]
    fn detects_the_published_collision_of_identifiers() {
        let bytes: Vec<u8> =
            (0..COLLISION.len()).step_by(2).map(|at| u8::from_str_radix(&COLLISION[at..at + 2], 16).unwrap()).collect();
        let mut hasher = gix_hash::hasher(Sha1);
        hasher.update(&bytes);
        assert!(hasher.try_finalize().unwrap_err().to_string().contains("collision"));
    }
}
