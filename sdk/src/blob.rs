//! Bytes that the host holds outside of the plugin's memory.

use std::io;

use crate::{Problem, host::blobs};

/// Bytes that the host holds and a plugin reads where it likes, such as an archive.
///
/// ```
/// use sti_plugin::{Address, Blob, Problem};
///
/// fn is_zip(archive: &Blob) -> Result<bool, Problem> {
///     Ok(archive.read(0, 4)? == b"PK\x03\x04")
/// }
/// ```
pub struct Blob(pub(crate) blobs::Blob);

/// How much is read at once where everything is read.
const PIECE: u32 = 1 << 20;

impl Blob {
    /// Tells how many bytes there are.
    pub fn size(&self) -> u64 {
        self.0.size()
    }

    /// Reads up to `length` bytes (at most 1 MiB) from `offset`; fewer only at the end.
    pub fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, Problem> {
        Ok(self.0.read(offset, length)?)
    }

    /// Names the bytes: equal identities mean equal bytes. None where nothing can be said without reading them all. What to do with it:
    /// [`TreeWriter::reuse`](crate::TreeWriter::reuse).
    pub fn identity(&self) -> Option<String> {
        self.0.identity()
    }

    /// Reads everything, where that is no more than `limit` bytes; else it is a problem of kind `Exhausted`.
    pub fn read_all(&self, limit: u64) -> Result<Vec<u8>, Problem> {
        if self.size() > limit {
            let message = format!("{} bytes are more than the {limit} that are read at once", self.size());
            return Err(Problem::exhausted("too-large", message));
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < self.size() {
            let piece = self.read(bytes.len() as u64, PIECE)?;
            if piece.is_empty() {
                return Err(Problem::internal("cut-short", format!("the bytes end at {} of {}", bytes.len(), self.size())));
            }
            bytes.extend(piece);
        }
        Ok(bytes)
    }
}

/// A file that grows and is then read, for what does not fit into memory. It has no name, and is gone with its last handle.
///
/// ```
/// use sti_plugin::{Problem, Spool};
///
/// fn keep(pieces: &[&[u8]]) -> Result<Vec<u8>, Problem> {
///     let mut spool = Spool::new()?;
///     for piece in pieces {
///         spool.write(piece)?;
///     }
///     spool.finish()?.read(1, 2)
/// }
///
/// assert_eq!(keep(&[b"ab", b"cd"]).unwrap(), b"bc");
/// ```
pub struct Spool(blobs::Spool);

impl Spool {
    /// Makes an empty one.
    pub fn new() -> Result<Self, Problem> {
        Ok(Self(blobs::new_spool()?))
    }

    /// Appends; pieces of 64 KiB are fastest. All spools of a call together hold as many bytes as the tree may.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.0.write(bytes)?)
    }

    /// Gives what was written, to be read.
    pub fn finish(self) -> Result<Blob, Problem> {
        Ok(Blob(self.0.finish()?))
    }
}

impl io::Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|problem| io::Error::other(Problem::from(problem)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
