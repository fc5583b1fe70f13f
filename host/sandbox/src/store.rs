//! The store of compiled code: a private directory, a file of code and one with the card for each component. It is a memory, not a
//! source: whatever is missing or unreadable in it is made again.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, MetadataExt, OpenOptions, OpenOptionsExt};
use wasmtime::Engine;

use crate::{Card, Error};

/// Raised when what is written changes its meaning.
const SCHEMA: u32 = 1;
/// A card is small; what is larger was not written by us.
const MOST_BYTES_OF_A_CARD: u64 = 1 << 20;
const MOST_BYTES_OF_CODE: u64 = 1 << 30;

/// Where compiled code is kept between builds.
pub(crate) struct Store {
    dir: Dir,
    suffix: String,
    written: AtomicU64,
}

/// Bytes that this user wrote, in a place where nobody else can write. Made here alone.
pub(crate) struct Trusted(Vec<u8>);

impl Trusted {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Store {
    /// Takes a directory, if it is ours and private.
    pub(crate) fn open(dir: Dir, engine: &Engine) -> Result<Self, Error> {
        let metadata = dir.dir_metadata().map_err(|error| refused(format!("it cannot be read: {error}")))?;
        let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
        if owner != user {
            return Err(refused(format!("it belongs to user {owner}, and this is user {user}")));
        }
        if metadata.mode() & 0o077 != 0 {
            let mode = metadata.mode() & 0o7777;
            return Err(refused(format!("others can reach into it (mode {mode:04o}, and 0700 is needed)")));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let suffix = format!("{:016x}-s{SCHEMA}", hasher.finish());
        Ok(Self { dir, suffix, written: AtomicU64::new(0) })
    }

    /// The card of a component; `None` where there is none that can be read.
    pub(crate) fn card(&self, digest: &str) -> Option<Card> {
        let trusted = self.read(&self.name(digest, "json"), MOST_BYTES_OF_A_CARD).ok()?;
        serde_json::from_slice(trusted.bytes()).ok()
    }

    /// The compiled code of a component.
    pub(crate) fn code(&self, digest: &str) -> Option<Trusted> {
        self.read(&self.name(digest, "cwasm"), MOST_BYTES_OF_CODE).ok()
    }

    /// Keeps the card of a component.
    pub(crate) fn keep_card(&self, digest: &str, card: &Card) -> io::Result<()> {
        self.write(&self.name(digest, "json"), &serde_json::to_vec(card)?)
    }

    /// Keeps what `Component::serialize` gave.
    pub(crate) fn keep_code(&self, digest: &str, code: &[u8]) -> io::Result<()> {
        self.write(&self.name(digest, "cwasm"), code)
    }

    fn name(&self, digest: &str, ending: &str) -> String {
        format!("{}-{}.{ending}", digest.trim_start_matches("sha256:"), self.suffix)
    }

    fn read(&self, name: &str, most: u64) -> io::Result<Trusted> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let mut file = self.dir.open_with(name, &options)?;
        let size = check_ours(&file)?;
        if size > most {
            return Err(io::Error::other("it is too large"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        Read::take(&mut file, most).read_to_end(&mut bytes)?;
        Ok(Trusted(bytes))
    }

    /// Writes aside, syncs and renames: nobody ever sees a part, and a file that somebody has open stays as it was.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let aside = format!(".{name}.{}.{number}", std::process::id());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = self.dir.open_with(&aside, &options).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            self.dir.rename(&aside, &self.dir, name)
        });
        written.inspect_err(|_| drop(self.dir.remove_file(&aside)))
    }
}

fn check_ours(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0;
    if metadata.is_file() && is_ours { Ok(metadata.len()) } else { Err(io::Error::other("it is not a private file of ours")) }
}

fn refused(why: String) -> Error {
    Error::Store { why, hint: "remove it, or make it yours and private: chown, chmod 0700".to_owned() }
}
