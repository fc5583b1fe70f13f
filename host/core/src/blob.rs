//! Bytes that the host holds for a plugin: a file of the user's, or something that was downloaded.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    sync::Arc,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

/// How much is read at once where all is read.
const PIECE: usize = 1 << 20;

/// A file that is read at any offset. Cheap to clone; nobody's reading position moves.
#[derive(Clone, Debug)]
pub struct Blob {
    file: Arc<File>,
    size: u64,
    identity: Identity,
}

/// What names the bytes of a blob.
#[derive(Clone, Debug)]
enum Identity {
    /// Nothing does.
    None,
    /// Whoever made the blob.
    Said(Arc<str>),
    /// The file system, as long as it says the same.
    OfFile(Arc<str>),
}

/// What was changed a moment ago may be changed again without its times telling.
const MOMENT: Duration = Duration::from_secs(2);

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
        Ok(Self { file: Arc::new(file), size: metadata.len(), identity: Identity::None })
    }

    /// Takes a regular file of the user's, which the file system can tell from others and from what it was before.
    ///
    /// # Errors
    /// As [`Blob::of`].
    pub fn of_user(file: File) -> io::Result<Self> {
        let identity = Identity::OfFile(description(&file.metadata()?).into());
        Ok(Self { identity, ..Self::of(file)? })
    }

    /// The same bytes under a name that no other bytes have.
    #[must_use]
    pub fn identified(self, identity: &str) -> Self {
        Self { identity: Identity::Said(identity.into()), ..self }
    }

    /// Names the bytes: equal identities mean equal bytes. `None` where nothing can be said without reading them all, and of a file that
    /// was changed since it was opened or within the last two seconds.
    pub fn identity(&self) -> Option<String> {
        match &self.identity {
            Identity::None => None,
            Identity::Said(identity) => Some(identity.to_string()),
            Identity::OfFile(then) => {
                let now = self.file.metadata().ok()?;
                (description(&now) == **then && is_settled(&now)).then(|| then.to_string())
            }
        }
    }

    /// The file, for whoever keeps a copy.
    pub fn file(&self) -> &File {
        &self.file
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
        self.pour(|piece| {
            hasher.update(piece);
            Ok(())
        })?;
        Ok(crate::digest::hexadecimal(&hasher.finalize()))
    }

    /// Hands on all bytes, piece by piece; nobody's reading position moves. Waits for the disk.
    ///
    /// # Errors
    /// As [`Blob::read`], and what is said to a piece.
    pub fn pour(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut offset = 0;
        while offset < self.size {
            let piece = self.read(offset, PIECE)?;
            take(&piece)?;
            offset += piece.len() as u64;
        }
        Ok(())
    }
}

/// All that the file system tells which differs between two files, and between two states of one.
fn description(metadata: &Metadata) -> String {
    let (written, changed) = (metadata.mtime(), metadata.ctime());
    let (written_at, changed_at) = (metadata.mtime_nsec(), metadata.ctime_nsec());
    format!("file:{}:{}:{}:{written}.{written_at:09}:{changed}.{changed_at:09}", metadata.dev(), metadata.ino(), metadata.len())
}

fn is_settled(metadata: &Metadata) -> bool {
    let latest = metadata.mtime().max(metadata.ctime());
    let latest = u64::try_from(latest).map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds + 1));
    // A time that is still to come is no answer.
    latest.is_ok_and(|latest| SystemTime::now().duration_since(latest).is_ok_and(|age| age >= MOMENT))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes and looks at files by itself")]

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

    #[test]
    fn a_file_of_the_user_is_named_by_what_the_file_system_tells_as_long_as_that_stays() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        let open = || Blob::of_user(File::open(file.path()).unwrap()).unwrap();
        assert_eq!(open().identity(), None, "it was changed a moment ago");
        let old = SystemTime::now() - Duration::from_mins(1);
        file.as_file().set_modified(old).unwrap();
        assert_eq!(open().identity(), None, "its times were changed a moment ago");
        std::thread::sleep(MOMENT + Duration::from_millis(1_100));
        let (one, other) = (open(), open());
        assert!(one.identity().is_some_and(|identity| other.identity() == Some(identity)));
        file.as_file().write_all_at(b"9", 0).unwrap();
        file.as_file().set_modified(old).unwrap();
        assert_eq!(one.identity(), None, "it was changed since it was opened");
        assert_eq!(Blob::of(file.reopen().unwrap()).unwrap().identity(), None);
        assert_eq!(one.identified("sha256:1").identity().as_deref(), Some("sha256:1"));
    }
}
