//! A source to be fetched.

use std::path::PathBuf;

use crate::{Blob, Setting, card::default_of, host::requests};

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
