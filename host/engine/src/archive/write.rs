//! Entries of a tar, block by block.

use std::io::Write;

use tar::{EntryType, Header};

use super::{Error, Owner};

const BLOCK: usize = 512;
const ZEROS: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// How many bytes may pass between two tellings.
const TELL_EVERY: u64 = 256 * 1024;

/// What is told of an entry beside its name.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) mode: u32,
    pub(super) owner: Owner,
    pub(super) seconds: i64,
}

/// Writes a tar. Only [`TarWriter::finish`] makes it one that readers take for whole.
pub(super) struct TarWriter<'a> {
    out: &'a mut dyn Write,
    told: &'a dyn Fn(u64),
    written: u64,
    told_at: u64,
}

impl<'a> TarWriter<'a> {
    pub(super) fn new(out: &'a mut dyn Write, told: &'a dyn Fn(u64)) -> Self {
        Self { out, told, written: 0, told_at: 0 }
    }

    /// The path ends without a slash; the top has no entry of its own.
    pub(super) fn directory(&mut self, path: &[u8], facts: Facts) -> Result<(), Error> {
        if path.is_empty() {
            return Ok(());
        }
        self.entry(EntryType::Directory, &[path, b"/"].concat(), b"", facts, 0)
    }

    pub(super) fn symlink(&mut self, path: &[u8], target: &[u8], facts: Facts) -> Result<(), Error> {
        self.entry(EntryType::Symlink, path, target, facts, 0)
    }

    pub(super) fn hardlink(&mut self, path: &[u8], to: &[u8], facts: Facts) -> Result<(), Error> {
        self.entry(EntryType::Link, path, to, facts, 0)
    }

    /// Announces a file; its bytes follow by [`TarWriter::bytes`], and then [`TarWriter::pad`].
    pub(super) fn file(&mut self, path: &[u8], size: u64, facts: Facts) -> Result<(), Error> {
        self.entry(EntryType::Regular, path, b"", facts, size)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::Write)?;
        self.written += bytes.len() as u64;
        if self.written - self.told_at >= TELL_EVERY {
            self.tell();
        }
        Ok(())
    }

    /// Fills the last block of a file of `size` bytes.
    pub(super) fn pad(&mut self, size: u64) -> Result<(), Error> {
        self.bytes(&ZEROS[..padding(size)])
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.bytes(&ZEROS)?;
        self.out.flush().map_err(Error::Write)?;
        self.tell();
        Ok(())
    }

    fn tell(&mut self) {
        self.told_at = self.written;
        (self.told)(self.written);
    }

    fn entry(&mut self, kind: EntryType, path: &[u8], target: &[u8], facts: Facts, size: u64) -> Result<(), Error> {
        let mut header = Header::new_gnu();
        if !fits(&mut header.as_old_mut().name, path) {
            self.long(EntryType::GNULongName, path)?;
        }
        if !fits(&mut header.as_old_mut().linkname, target) {
            self.long(EntryType::GNULongLink, target)?;
        }
        header.set_entry_type(kind);
        header.set_mode(facts.mode);
        header.set_uid(u64::from(facts.owner.uid));
        header.set_gid(u64::from(facts.owner.gid));
        header.set_mtime(u64::try_from(facts.seconds).unwrap_or_default());
        header.set_size(size);
        header.set_cksum();
        self.bytes(header.as_bytes())
    }

    /// A name that its field cannot hold goes before its entry, as the content of a pseudo-entry.
    fn long(&mut self, kind: EntryType, name: &[u8]) -> Result<(), Error> {
        let mut header = Header::new_gnu();
        fits(&mut header.as_old_mut().name, b"././@LongLink");
        let size = name.len() as u64 + 1;
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        self.bytes(header.as_bytes())?;
        self.bytes(name)?;
        self.bytes(b"\0")?;
        self.pad(size)
    }
}

/// How many bytes are missing to a whole block.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// Copies a name into its field, as much as there is room for; whether all of it went in.
fn fits(field: &mut [u8; 100], name: &[u8]) -> bool {
    let length = name.len().min(field.len());
    field[..length].copy_from_slice(&name[..length]);
    name.len() <= field.len()
}
