//! A pack while it comes in: kept as it is read, and measured before anything is put together.

use std::{
    cell::RefCell,
    io::{self, BufRead, Read},
    rc::Rc,
};

use gix_pack::data::{entry::Header, input::Entry};
use gix_zlib::Inflate;
use sti_plugin::{Problem, log};

use super::OBJECT_LIMIT;
use crate::trouble::{self, Trouble};

/// The most that a pack may hold, since it is kept in memory.
const PACK_LIMIT: usize = 128 << 20;

/// How much room is made for a pack at first, and what follows. Few steps, because each copies what is there.
const ROOM: &[usize] = &[1 << 20, 8 << 20, 32 << 20, PACK_LIMIT];

/// The most that the objects of a pack may hold together, when they are put together.
const TOTAL_LIMIT: u64 = 4 << 30;

/// The longest start of a delta: two sizes of at most ten bytes each.
const DELTA_START: usize = 20;

/// Reads and keeps what was read.
pub(super) struct Tee<'a> {
    reader: &'a mut dyn BufRead,
    received: Rc<RefCell<Vec<u8>>>,
    trouble: Trouble,
}

impl<'a> Tee<'a> {
    pub(super) fn new(reader: &'a mut dyn BufRead, received: &Rc<RefCell<Vec<u8>>>, trouble: &Trouble) -> Self {
        Self { reader, received: Rc::clone(received), trouble: trouble.clone() }
    }
}

impl BufRead for Tee<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.received.borrow().len() >= PACK_LIMIT {
            return Err(self.trouble.keep(too_large()));
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is there already is not read again: this cannot fail.
        if let Some(piece) = self.reader.fill_buf().ok().and_then(|piece| piece.get(..amount)) {
            keep(&mut self.received.borrow_mut(), piece);
        }
        self.reader.consume(amount);
    }
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

fn keep(received: &mut Vec<u8>, piece: &[u8]) {
    let length = received.len() + piece.len();
    if length > received.capacity() {
        let room = ROOM.iter().copied().find(|room| *room >= length).unwrap_or(length);
        received.reserve_exact(room - received.len());
        log::progress("receiving", received.len() as u64, None);
    }
    received.extend_from_slice(piece);
}

/// Adds up how large objects say they will be.
#[derive(Default)]
pub(super) struct Sizes {
    total: u64,
    inflate: Inflate,
}

impl Sizes {
    /// Adds an object, of which a delta says in its first bytes how large it makes what it builds on.
    pub(super) fn add(&mut self, entry: &Entry, received: &[u8]) -> Result<(), Problem> {
        // What is made by a delta is in memory together with what it is made from.
        let (size, needed) = match entry.header {
            Header::OfsDelta { .. } | Header::RefDelta { .. } => {
                let size = self.made_by_delta(entry, received)?;
                (size, size.saturating_mul(2).saturating_add(entry.decompressed_size))
            }
            _ => (entry.decompressed_size, entry.decompressed_size),
        };
        if needed > OBJECT_LIMIT as u64 {
            return Err(object_too_large(size));
        }
        self.total = self.total.saturating_add(size);
        if self.total > TOTAL_LIMIT {
            return Err(Problem::exhausted(
                "repository-too-large",
                format!("the files of the repository take more than {} MiB", TOTAL_LIMIT >> 20),
            )
            .hint("build from a checkout: `git clone --depth 1` it, and give the directory as the source"));
        }
        Ok(())
    }

    fn made_by_delta(&mut self, entry: &Entry, received: &[u8]) -> Result<u64, Problem> {
        let at = usize::try_from(entry.pack_offset).unwrap_or(usize::MAX).saturating_add(entry.header_size.into());
        let compressed = received.get(at..).ok_or_else(|| trouble::damaged("an entry lies behind the end"))?;
        let mut start = [0; DELTA_START];
        self.inflate.reset();
        let (_, _, length) = self.inflate.prefix(compressed, &mut start).map_err(trouble::damaged)?;
        let (_, rest) = number(&start[..length])?;
        Ok(number(rest)?.0)
    }
}

/// Reads a number of seven bits a byte, the lowest first.
pub(crate) fn number(bytes: &[u8]) -> Result<(u64, &[u8]), Problem> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[at + 1..]));
        }
    }
    Err(trouble::damaged("a delta does not say its size"))
}

fn object_too_large(size: u64) -> Problem {
    Problem::exhausted(
        "object-too-large",
        format!("the repository holds a file of {} MiB, which does not fit into memory", size >> 20),
    )
    .hint("keep such files in Git LFS, or build from a checkout: `git clone --depth 1` it, and give the directory as the source")
}

fn too_large() -> Problem {
    Problem::exhausted(
        "repository-too-large",
        format!("the repository sends more than {} MiB, even without its history", PACK_LIMIT >> 20),
    )
    .hint("build from a checkout: `git clone --depth 1` it, and give the directory as the source")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_deltas_write_them() {
        assert_eq!(number(&[0x80, 1, 7]).unwrap(), (128, &[7][..]));
        assert!(number(&[0x80]).is_err());
        assert!(number(&[0xff; 20]).is_err());
    }
}
