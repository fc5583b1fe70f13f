//! Images that exist only in a test.

use std::{collections::BTreeMap, rc::Rc};

use crate::{Identity, PathFact, PathKind, Problem, native::images};

/// An image that exists only in a test. Without anything said it is empty, and its user is root.
///
/// ```
/// use sti_plugin::testing::{FakeImage, FakeImages};
/// use sti_plugin::{Pull, require};
///
/// let builder = FakeImage::new("builder").user("431").executable("/usr/bin/prepare").file("/usr/bin/run", 0o644, 0, 7);
/// FakeImages::new([builder]).during(|| {
///     let builder = require("builder", Pull::Never)?;
///     assert!(builder.has_executable("/usr/bin/prepare")?);
///     assert!(!builder.has_executable("/usr/bin/run")?);
///     Ok::<(), sti_plugin::Problem>(())
/// }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct FakeImage {
    pub(crate) reference: String,
    pub(crate) is_held: bool,
    pub(crate) user: String,
    pub(crate) users: BTreeMap<String, (u32, u32)>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) working_directory: String,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) exposed_ports: Vec<String>,
    pub(crate) volumes: Vec<String>,
    pub(crate) triggers: Vec<String>,
    pub(crate) paths: BTreeMap<String, (PathFact, Vec<u8>)>,
    pub(crate) problem: Option<Problem>,
}

/// Writes methods that add to a list, or set a text.
macro_rules! said {
    ($($(#[$doc:meta])* $name:ident => $field:ident $how:ident),+ $(,)?) => {
        $(said!(@ $how $(#[$doc])* $name $field);)+
    };
    (@ words $(#[$doc:meta])* $name:ident $field:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, words: &[&str]) -> Self {
            self.$field = words.iter().map(|word| (*word).to_owned()).collect();
            self
        }
    };
    (@ text $(#[$doc:meta])* $name:ident $field:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, text: &str) -> Self {
            self.$field = text.to_owned();
            self
        }
    };
    (@ pair $(#[$doc:meta])* $name:ident $field:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, name: &str, value: &str) -> Self {
            self.$field.push((name.to_owned(), value.to_owned()));
            self
        }
    };
}

impl FakeImage {
    /// Makes an image that the engine holds under this name.
    pub fn new(reference: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            is_held: true,
            user: String::new(),
            users: BTreeMap::from([("root".to_owned(), (0, 0))]),
            entrypoint: Vec::new(),
            command: Vec::new(),
            working_directory: String::new(),
            environment: Vec::new(),
            labels: Vec::new(),
            exposed_ports: Vec::new(),
            volumes: Vec::new(),
            triggers: Vec::new(),
            paths: BTreeMap::new(),
            problem: None,
        }
    }

    said! {
        /// Sets the user of its configuration, such as `431`, `431:433` or a name.
        user => user text,
        /// Sets the working directory.
        working_directory => working_directory text,
        /// Sets the entrypoint.
        entrypoint => entrypoint words,
        /// Sets the command.
        command => command words,
        /// Sets the exposed ports.
        exposed_ports => exposed_ports words,
        /// Sets the mount points of volumes.
        volumes => volumes words,
        /// Sets the `ONBUILD` instructions.
        triggers => triggers words,
        /// Adds a variable to its environment.
        environment => environment pair,
        /// Adds a label.
        label => labels pair,
    }

    /// Says which numbers a user's name stands for inside the image.
    #[must_use]
    pub fn named_user(mut self, name: &str, uid: u32, gid: u32) -> Self {
        self.users.insert(name.to_owned(), (uid, gid));
        self
    }

    /// Leaves the image in a registry: it is found only where pulling is allowed.
    #[must_use]
    pub fn only_in_registry(self) -> Self {
        Self { is_held: false, ..self }
    }

    /// Makes every search for this image fail.
    #[must_use]
    pub fn failing(self, problem: Problem) -> Self {
        Self { problem: Some(problem), ..self }
    }

    /// Adds a script of root's that all may execute.
    #[must_use]
    pub fn executable(self, path: &str) -> Self {
        self.file(path, 0o755, 0, 0)
    }

    /// Adds an empty file.
    #[must_use]
    pub fn file(self, path: &str, mode: u32, uid: u32, gid: u32) -> Self {
        self.path(PathFact { path: path.to_owned(), kind: PathKind::File, mode, uid, gid, size: 0 }, Vec::new())
    }

    /// Adds a file with something in it.
    #[must_use]
    pub fn text(self, path: &str, text: &str) -> Self {
        let size = text.len() as u64;
        let fact = PathFact { path: path.to_owned(), kind: PathKind::File, mode: 0o644, uid: 0, gid: 0, size };
        self.path(fact, text.as_bytes().to_vec())
    }

    /// Adds something that is no file.
    #[must_use]
    pub fn other(self, path: &str, kind: PathKind) -> Self {
        self.path(PathFact { path: path.to_owned(), kind, mode: 0o755, uid: 0, gid: 0, size: 0 }, Vec::new())
    }

    pub(crate) fn fact(&self, path: &str) -> Option<PathFact> {
        self.paths.get(path).map(|(fact, _)| fact.clone())
    }

    pub(crate) fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        let (fact, bytes) = self.paths.get(path)?;
        (fact.kind == PathKind::File).then(|| bytes.clone())
    }

    /// Resolves the user as a container engine does: numbers count as they are, names must be known.
    pub(crate) fn identity(&self) -> Result<Identity, Problem> {
        let (user, group) = self.user.split_once(':').unwrap_or((&self.user, ""));
        let named = self.users.get(user).copied();
        let unknown = || Problem::not_found("no-such-user", format!("`{}` has no user `{user}`", self.reference));
        let uid = match named {
            Some((uid, _)) => uid,
            None if user.is_empty() => 0,
            None => user.parse().map_err(|_| unknown())?,
        };
        let gid = group.parse().ok().or(named.map(|(_, gid)| gid)).unwrap_or(0);
        Ok(Identity { uid, gid, written: self.user.clone(), home: None })
    }

    fn path(mut self, fact: PathFact, bytes: Vec<u8>) -> Self {
        self.paths.insert(fact.path.clone(), (fact, bytes));
        self
    }
}

/// The images that there are, as long as something is run with them.
///
/// ```
/// use sti_plugin::testing::{FakeImage, FakeImages};
/// use sti_plugin::{Pull, find};
///
/// let images = FakeImages::new([FakeImage::new("builder")]);
/// assert!(images.during(|| find("builder", Pull::AsAsked)).unwrap().is_some());
/// assert!(find("builder", Pull::AsAsked).unwrap().is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct FakeImages(Vec<Rc<FakeImage>>);

impl FakeImages {
    /// Says which images there are.
    pub fn new(images: impl IntoIterator<Item = FakeImage>) -> Self {
        Self(images.into_iter().map(Rc::new).collect())
    }

    /// Runs something to which these are all the images in the world.
    pub fn during<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = images::replace(self.0.clone());
        let answer = act();
        images::replace(before);
        answer
    }
}
