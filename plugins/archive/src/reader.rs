//! Reads a blob of the host's as a stream, with a buffer that survives small steps forwards and backwards.

use std::{
    io::{self, BufRead, Read},
    rc::Rc,
};

use sti_plugin::Blob;

/// How much is asked for at once: the size at which calls of the host cost least.
pub(crate) const PIECE: u32 = 1 << 16;
/// How much is asked for first after a leap: often just a header, behind which the next leap comes.
const AFTER_LEAP: u32 = 1 << 11;

/// Bytes in order, of which many can be passed over.
pub(crate) trait Stream: BufRead {
    /// Passes over so many bytes, all of which must be there.
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let there = self.fill_buf()?.len();
            if there == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let taken = usize::try_from(left).map_or(there, |left| left.min(there));
            self.consume(taken);
            left -= taken as u64;
        }
        Ok(())
    }
}

/// A place in a blob.
pub(crate) struct Reader {
    blob: Rc<Blob>,
    size: u64,
    buffer: Vec<u8>,
    /// Where the buffer begins in the blob.
    begins: u64,
    /// What of the buffer was consumed.
    consumed: usize,
    /// How much is asked for next.
    ahead: u32,
}

impl Reader {
    /// Begins at the beginning.
    pub(crate) fn new(blob: &Rc<Blob>) -> Self {
        Self { blob: Rc::clone(blob), size: blob.size(), buffer: Vec::new(), begins: 0, consumed: 0, ahead: PIECE }
    }

    /// How many bytes the blob has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Where the next byte lies.
    pub(crate) fn at(&self) -> u64 {
        self.begins + self.consumed as u64
    }

    /// Goes elsewhere, within the buffer where that can be.
    pub(crate) fn seek(&mut self, offset: u64) {
        match offset.checked_sub(self.begins).and_then(|within| usize::try_from(within).ok()) {
            Some(within) if within <= self.buffer.len() => self.consumed = within,
            _ => {
                self.buffer.clear();
                (self.begins, self.consumed, self.ahead) = (offset, 0, AFTER_LEAP);
            }
        }
    }

    /// Shows the next bytes without consuming them: so many, or fewer at the end.
    pub(crate) fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.consumed < length {
            self.refill()?;
        }
        let there = &self.buffer[self.consumed..];
        Ok(&there[..length.min(there.len())])
    }

    fn refill(&mut self) -> io::Result<()> {
        let at = self.at();
        self.buffer = self.blob.read(at, self.ahead).map_err(io::Error::other)?;
        (self.begins, self.consumed, self.ahead) = (at, 0, PIECE.min(self.ahead * 4));
        Ok(())
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed == self.buffer.len() {
            self.refill()?;
        }
        Ok(&self.buffer[self.consumed..])
    }

    fn consume(&mut self, amount: usize) {
        self.consumed = (self.consumed + amount).min(self.buffer.len());
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl Stream for Reader {
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let to = self.at().checked_add(length).filter(|to| *to <= self.size).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.seek(to);
        Ok(())
    }
}
