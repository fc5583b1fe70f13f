//! An address that a test has fetched, and what came of it.

use std::{cell::RefCell, collections::BTreeMap};

use super::{LogLine, MemoryTree};
use crate::{
    Address, Fetcher, Problem, TreeWriter,
    native::{
        http::{self, Pages},
        log, requests, trees,
    },
};

/// An address to be fetched in a test, and the web that there is. Without anything said, nothing answers.
///
/// ```
/// use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter};
/// use sti_plugin::testing::AddressBuilder;
///
/// struct Unpack;
///
/// impl Fetcher for Unpack {
///     fn card() -> Card {
///         Card::new("unpack", "0.1.0").serves_suffix(".one")
///     }
///
///     fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
///         let Some(archive) = address.file() else { return Err(Problem::invalid("no-file", "there is no file")) };
///         tree.put_file("one", 0o644, &archive.read_all(1000)?)
///     }
/// }
///
/// let fetched = AddressBuilder::new("a.one").file("bytes").fetch::<Unpack>();
/// assert_eq!(fetched.expect_tree().open().read("one", 100).unwrap(), b"bytes");
/// ```
#[derive(Clone, Debug)]
pub struct AddressBuilder {
    pub(crate) text: String,
    pub(crate) reference: Option<String>,
    pub(crate) subdirectory: Option<String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) file: Option<Vec<u8>>,
    pages: Pages,
}

impl AddressBuilder {
    /// Starts with the address, without prefix and reference.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            reference: None,
            subdirectory: None,
            settings: BTreeMap::new(),
            file: None,
            pages: Pages::new(),
        }
    }

    /// Asks for a branch, tag or commit.
    #[must_use]
    pub fn reference(self, reference: &str) -> Self {
        Self { reference: Some(reference.to_owned()), ..self }
    }

    /// Asks for a part of the source.
    #[must_use]
    pub fn subdirectory(self, path: &str) -> Self {
        Self { subdirectory: Some(path.to_owned()), ..self }
    }

    /// Sets a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Gives the bytes of the user's file.
    #[must_use]
    pub fn file(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { file: Some(bytes.into()), ..self }
    }

    /// Adds a page of the web.
    #[must_use]
    pub fn page(mut self, url: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        self.pages.insert(url.to_owned(), (status, body.into()));
        self
    }

    /// Lets a fetcher fetch. A file that it opened and did not finish is a problem, as with a host.
    pub fn fetch<F: Fetcher>(&self) -> Fetched {
        let address = requests::Address { asked: self.clone(), facts: RefCell::default() };
        let writer = trees::TreeWriter::default();
        log::take();
        let before = http::replace(self.pages.clone());
        let mut result = F::fetch(&Address::new(&address, F::card().into_settings()), &TreeWriter::new(&writer));
        http::replace(before);
        if result.is_ok() && writer.open.get() > 0 {
            result = Err(Problem::internal("not-finished", "a file was opened and not finished"));
        }
        let log = log::take().into_iter().map(|(level, text)| LogLine { level, text }).collect();
        Fetched { result, tree: MemoryTree::of(writer.nodes.take()), facts: address.facts.take(), log }
    }
}

/// What a fetcher answered. See [`AddressBuilder`] for an example.
#[derive(Debug)]
pub struct Fetched {
    /// Whether it could fetch.
    pub result: Result<(), Problem>,
    /// What it wrote, which counts only where it could.
    pub tree: MemoryTree,
    /// What it recorded.
    pub facts: BTreeMap<String, String>,
    /// What it said.
    pub log: Vec<LogLine>,
}

impl Fetched {
    /// Gives the tree.
    ///
    /// # Panics
    ///
    /// Where the fetcher answered with a problem, which it shows.
    pub fn expect_tree(&self) -> &MemoryTree {
        assert_eq!(self.result, Ok(()), "the fetcher must fetch");
        &self.tree
    }
}
