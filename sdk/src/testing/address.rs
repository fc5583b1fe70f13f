//! An address that a test has fetched, and what came of it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{Line, LogLine, MemoryTree, WebAnswer, WebRequest, line::Lines, web::Answering};
use crate::{
    Address, Fetcher, Problem, Setting, TreeWriter,
    log::Level,
    native::{
        http::{self, Web},
        log, repositories, requests,
        trees::{self, Room},
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
    pub(crate) directory: Option<PathBuf>,
    pub(crate) kept: BTreeMap<String, Vec<u8>>,
    kept_trees: BTreeSet<String>,
    room: Room,
    web: Web,
    lines: Option<Lines>,
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
            directory: None,
            kept: BTreeMap::new(),
            kept_trees: BTreeSet::new(),
            room: Room::default(),
            web: Web::default(),
            lines: None,
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

    /// Gives a directory of the user's, as the host gives one: [`Address::directory`] has an example.
    #[must_use]
    pub fn directory(self, path: impl Into<PathBuf>) -> Self {
        Self { directory: Some(path.into()), ..self }
    }

    /// Gives bytes that an earlier call kept; [`Address::kept`] has an example.
    #[must_use]
    pub fn kept(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.kept.insert(name.to_owned(), bytes.into());
        self
    }

    /// Says that a tree was kept under a key; [`TreeWriter::reuse`] has an example.
    #[must_use]
    pub fn kept_tree(mut self, key: &str) -> Self {
        self.kept_trees.insert(key.to_owned());
        self
    }

    /// Limits the entries and the bytes that may be written, as `--limit` does.
    ///
    /// ```
    /// # use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, testing::AddressBuilder};
    /// struct Ten;
    ///
    /// impl Fetcher for Ten {
    ///     fn card() -> Card {
    ///         Card::new("ten", "0.1.0")
    ///     }
    ///
    ///     fn fetch(_address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
    ///         tree.put_file("ten", 0o644, &[0; 10])
    ///     }
    /// }
    ///
    /// AddressBuilder::new("anything").limits(1, 10).fetch::<Ten>().expect_tree();
    /// assert_eq!(AddressBuilder::new("anything").limits(1, 9).fetch::<Ten>().expect_problem().code(), "too-many-bytes");
    /// assert_eq!(AddressBuilder::new("anything").limits(0, 10).fetch::<Ten>().expect_problem().code(), "too-many-entries");
    /// ```
    #[must_use]
    pub fn limits(self, entries: u64, bytes: u64) -> Self {
        Self { room: Room { entries, bytes }, ..self }
    }

    /// Adds a page of the web.
    #[must_use]
    pub fn page(mut self, url: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        self.web.pages.insert(url.to_owned(), (status, body.into()));
        self
    }

    /// Lets a function answer the requests for which there is no page.
    ///
    /// ```
    /// use sti_plugin::{http, testing::{AddressBuilder, WebAnswer}};
    ///
    /// let echo = AddressBuilder::new("https://example.com/echo").web(|request| Ok(WebAnswer::new(200, request.body.clone())));
    /// let answer = echo.ask(|address| http::send("POST", &address.text(), [("accept", "text/plain")], b"hello")?.read_all(100));
    /// assert_eq!(answer.unwrap(), b"hello");
    /// ```
    #[must_use]
    pub fn web(mut self, answer: impl Fn(&WebRequest) -> Result<WebAnswer, Problem> + Send + Sync + 'static) -> Self {
        self.web.answering = Some(Answering::new(answer));
        self
    }

    /// Lets a function open the lines that a fetcher asks for by [`repositories::connect`](crate::repositories::connect).
    ///
    /// ```
    /// use std::io::{self, Read};
    /// use sti_plugin::{repositories, testing::{AddressBuilder, Line}};
    ///
    /// let address = AddressBuilder::new("git://example.com/a.git").repositories(|_| Ok(Line::new(&b"0000"[..], io::sink())));
    /// let mut said = String::new();
    /// address.ask(|address| repositories::connect(&address.text()).unwrap().read_to_string(&mut said).unwrap());
    /// assert_eq!(said, "0000");
    /// ```
    #[must_use]
    pub fn repositories(self, open: impl Fn(&str) -> Result<Line, Problem> + Send + Sync + 'static) -> Self {
        Self { lines: Some(Lines::new(open)), ..self }
    }

    /// Asks something of the address, as a fetcher would.
    pub fn ask<T>(&self, question: impl FnOnce(&Address) -> T) -> T {
        self.ask_with(Vec::new(), question).answer
    }

    /// Lets a fetcher fetch. A file that it opened and did not finish is a problem, as with a host.
    pub fn fetch<F: Fetcher>(&self) -> Fetched {
        let writer = trees::TreeWriter::new(self.room, self.kept_trees.clone());
        log::take();
        let fetch = |address: &Address| F::fetch(address, &TreeWriter::new(&writer));
        let Asked { answer: mut result, facts, keeps } = self.ask_with(F::card().into_settings(), fetch);
        if result.is_ok() && writer.open.get() > 0 {
            result = Err(Problem::internal("not-finished", "a file was opened and not finished"));
        }
        let log = log::take().into_iter().map(|(level, text)| LogLine { level, text }).collect();
        let (key, is_reused) = (writer.key.take(), writer.is_reused.get());
        Fetched { result, tree: MemoryTree::of(writer.finish()), facts, keeps, key, is_reused, log }
    }

    fn ask_with<T>(&self, settings: Vec<Setting>, question: impl FnOnce(&Address) -> T) -> Asked<T> {
        let address = requests::Address { asked: self.clone(), facts: RefCell::default(), keeps: RefCell::default() };
        let web = http::replace(self.web.clone());
        let lines = repositories::replace(self.lines.clone());
        let answer = question(&Address::new(&address, settings));
        http::replace(web);
        repositories::replace(lines);
        Asked { answer, facts: address.facts.take(), keeps: address.keeps.take() }
    }
}

/// What came of asking an address.
struct Asked<T> {
    answer: T,
    facts: BTreeMap<String, String>,
    keeps: BTreeMap<String, Vec<u8>>,
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
    /// What it kept for later calls, by name.
    pub keeps: BTreeMap<String, Vec<u8>>,
    /// What it said that the tree would be.
    pub key: Option<String>,
    /// Whether it was told that there is such a tree.
    pub is_reused: bool,
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

    /// Gives the key of the tree that was reused.
    ///
    /// # Panics
    ///
    /// Where the fetcher answered with a problem, or was not told that there is such a tree.
    pub fn expect_reused(&self) -> &str {
        assert_eq!((&self.result, self.is_reused), (&Ok(()), true), "the fetcher must reuse a tree");
        self.key.as_deref().unwrap_or_default()
    }

    /// Gives the problem.
    ///
    /// # Panics
    ///
    /// Where the fetcher fetched.
    pub fn expect_problem(&self) -> &Problem {
        self.result.as_ref().expect_err("the fetcher must answer with a problem")
    }

    /// Tells whether a line of this level was said that holds this text.
    pub fn says(&self, level: Level, text: &str) -> bool {
        self.log.iter().any(|line| line.level == level && line.text.contains(text))
    }
}
