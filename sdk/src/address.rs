//! A source to be fetched, and bytes that the host holds.

use std::path::PathBuf;

use crate::{
    Problem, Setting,
    card::default_of,
    host::{blobs, requests},
};

/// A source to be fetched. Given to [`Fetcher::fetch`](crate::Fetcher::fetch), which has an example.
pub struct Address<'a> {
    address: &'a requests::Address,
    settings: Vec<Setting>,
}

impl<'a> Address<'a> {
    /// Joins the handle with the settings of the plugin's card, whose defaults a host does not fill in.
    pub(crate) fn new(address: &'a requests::Address, settings: Vec<Setting>) -> Self {
        Self { address, settings }
    }

    /// Tells the address as the user wrote it, without the fetcher's prefix and the `#reference`; credentials are taken out.
    pub fn text(&self) -> String {
        self.address.text()
    }

    /// Tells the branch, tag or commit that is wanted.
    pub fn reference(&self) -> Option<String> {
        self.address.reference()
    }

    /// Tells the part of the source that is wanted; the whole may be fetched all the same.
    pub fn subdirectory(&self) -> Option<String> {
        self.address.subdirectory()
    }

    /// Tells a setting that the card declares: what the user set, or its default.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.address.setting(name).or_else(|| default_of(&self.settings, name))
    }

    /// Gives the bytes, where the address is a file of the user's.
    pub fn file(&self) -> Option<Blob> {
        self.address.file().map(Blob)
    }

    /// Tells where a directory of the user's is to be found, where the address is one. It can only be read.
    ///
    /// ```
    /// use sti_plugin::testing::AddressBuilder;
    ///
    /// let address = AddressBuilder::new("./app").directory("/home/somebody/app");
    /// assert_eq!(address.ask(|address| address.directory()), Some("/home/somebody/app".into()));
    /// ```
    pub fn directory(&self) -> Option<PathBuf> {
        directory(self.address)
    }

    /// Records what was found out, such as `revision` with the full commit.
    pub fn record_fact(&self, name: &str, value: &str) {
        self.address.record_fact(name, value);
    }

    /// Gives what an earlier call of this component for this address has kept under a name, if it is still there. It may go at any time,
    /// so nothing but speed may depend on it.
    ///
    /// ```
    /// use sti_plugin::testing::AddressBuilder;
    ///
    /// let address = AddressBuilder::new("anything").kept("objects", "bytes");
    /// assert_eq!(address.ask(|address| address.kept("objects").map(|blob| blob.size())), Some(5));
    /// assert!(address.ask(|address| address.kept("others").is_none()));
    /// ```
    pub fn kept(&self, name: &str) -> Option<Blob> {
        self.address.kept(name).map(Blob)
    }

    /// Keeps bytes under a name in kebab-case, for later calls of this component for this address. They replace what was kept under it
    /// when this call ends well.
    pub fn keep(&self, name: &str, bytes: &Blob) {
        self.address.keep(name, &bytes.0);
    }
}

/// The host shows a directory of the user's at this place, and nothing else of the machine anywhere.
#[cfg(target_family = "wasm")]
fn directory(_address: &requests::Address) -> Option<PathBuf> {
    let input = PathBuf::from("/input");
    input.is_dir().then_some(input)
}

#[cfg(not(target_family = "wasm"))]
fn directory(address: &requests::Address) -> Option<PathBuf> {
    address.asked.directory.clone()
}

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
