//! A pack as it is read: a piece at a time, each of which often holds what is asked for next.

use std::io::{self, BufRead, Read};

use sti_plugin::Blob;

use super::bytes::Bytes;

/// How much is read at once. Objects of a tree mostly lie close to each other.
const PIECE: usize = 1 << 16;

/// A piece of a pack, and the place in it.
pub(super) struct Window {
    bytes: Bytes,
    piece: Vec<u8>,
    /// Where in the pack the piece begins.
    start: u64,
    /// How much of it was read.
    read: usize,
}

impl Window {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, piece: Vec::new(), start: 0, read: 0 }
    }

    /// The bytes themselves, where the host has them.
    pub(super) fn blob(&self) -> Option<&Blob> {
        match &self.bytes {
            Bytes::Blob(blob) => Some(blob),
            Bytes::File(_) => None,
        }
    }

    /// Reads on from there.
    pub(super) fn go_to(&mut self, at: u64) {
        match at.checked_sub(self.start).and_then(|within| usize::try_from(within).ok()) {
            Some(within) if within <= self.piece.len() => self.read = within,
            _ => {
                self.piece.clear();
                (self.start, self.read) = (at, 0);
            }
        }
    }
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read == self.piece.len() {
            self.start += self.piece.len() as u64;
            self.read = 0;
            self.piece = self.bytes.read(self.start, PIECE).map_err(io::Error::other)?;
        }
        Ok(&self.piece[self.read..])
    }

    fn consume(&mut self, amount: usize) {
        self.read = self.piece.len().min(self.read + amount);
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}
