//! Where a pack lies: in a file of the user's, or with the host.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use sti_plugin::{Blob, Problem};

/// Bytes that are read at any place.
pub(crate) enum Bytes {
    /// A file in the directory that is shown to us.
    File(File),
    /// What was spooled, or kept.
    Blob(Blob),
}

impl Bytes {
    /// Reads up to so many bytes from a place; none at the end.
    pub(super) fn read(&mut self, at: u64, most: usize) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Blob(blob) => blob.read(at, u32::try_from(most)?),
            Self::File(file) => {
                let mut bytes = vec![0; most];
                file.seek(SeekFrom::Start(at))?;
                let length = file.read(&mut bytes)?;
                bytes.truncate(length);
                Ok(bytes)
            }
        }
    }
}
