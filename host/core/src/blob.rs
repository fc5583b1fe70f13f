//! Bytes that the host holds for a plugin: a file of the user's, or something that was downloaded.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use sha2::{Digest, Sha256};

/// How much is read at once where all is read.
const PIECE: usize = 1 << 20;

/// A file that is read at any offset. Cheap to clone; nobody's reading position moves.
#[derive(Clone, Debug)]
pub struct Blob {
    file: Arc<File>,
    size: u64,
}

impl Blob {
    /// Takes a regular file as long as it is now.
    ///
    /// # Errors
    /// Where it cannot be asked for its size, or is no regular file.
    pub fn of(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(Self { file: Arc::new(file), size: metadata.len() })
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads up to `length` bytes from `offset`; fewer only at the end, and none at or behind it.
    ///
    /// # Errors
    /// Where the disk fails, or the file has become shorter since it was opened.
    pub fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(left)];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    /// The SHA-256 of all bytes, in hexadecimal digits. Waits for the disk.
    ///
    /// # Errors
    /// As [`Blob::read`].
    pub fn sha256(&self) -> io::Result<String> {
        let mut hasher = Sha256::new();
        let mut offset = 0;
        while offset < self.size {
            let piece = self.read(offset, PIECE)?;
            hasher.update(&piece);
            offset += piece.len() as u64;
        }
        Ok(crate::digest::hexadecimal(&hasher.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn reads_anywhere_and_nothing_behind_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let blob = Blob::of(file).unwrap();
        assert_eq!(blob.size(), 10);
        assert_eq!(blob.read(8, 100).unwrap(), b"89");
        assert_eq!(blob.read(3, 2).unwrap(), b"34");
        assert!(blob.read(10, 1).unwrap().is_empty());
        assert!(blob.read(u64::MAX, 1).unwrap().is_empty());
        assert_eq!(blob.sha256().unwrap(), "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882");
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let blob = Blob::of(file.try_clone().unwrap()).unwrap();
        file.set_len(3).unwrap();
        assert!(blob.read(0, 10).is_err());
    }
}
