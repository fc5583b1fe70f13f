//! Images to look at: those that the test made, and no others.

use std::{cell::RefCell, rc::Rc};

use super::types::{Problem, Variable};
use crate::testing::FakeImage;

/// Where an image is looked for.
///
/// ```
/// use sti_plugin::{Pull, find, testing::{FakeImage, FakeImages}};
///
/// let images = FakeImages::new([FakeImage::new("builder").only_in_registry()]);
/// assert!(images.during(|| find("builder", Pull::Never)).unwrap().is_none());
/// assert!(images.during(|| find("builder", Pull::AsAsked)).unwrap().is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// As the user asked: when missing, always or never.
    AsAsked,
    /// Only what the engine holds already.
    Never,
}

/// What lies at a path of an image, links followed inside the image.
///
/// ```
/// use sti_plugin::{Pull, require, testing::{FakeImage, FakeImages}};
///
/// let images = FakeImages::new([FakeImage::new("builder").executable("/usr/bin/run")]);
/// let facts = images.during(|| require("builder", Pull::Never)?.look_at(["/usr/bin/run", "/nothing"])).unwrap();
/// assert_eq!((facts.len(), facts[0].mode), (1, 0o755));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFact {
    /// As it was asked for.
    pub path: String,
    /// What lies there.
    pub kind: PathKind,
    /// Permission, set-id and sticky bits, as in `st_mode`.
    pub mode: u32,
    /// The owner; 0 where the engine does not tell.
    pub uid: u32,
    /// The group; 0 where the engine does not tell.
    pub gid: u32,
    /// Bytes of a file.
    pub size: u64,
}

/// What kind of thing lies at a path of an image.
///
/// ```
/// use sti_plugin::{PathFact, PathKind};
///
/// fn is_script(fact: &PathFact) -> bool {
///     fact.kind == PathKind::File
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link that leads nowhere.
    Symlink,
    /// A device, FIFO or socket.
    Other,
}

/// Who a container of an image runs as, numbers and names resolved inside the image.
///
/// ```
/// use sti_plugin::{Pull, require, testing::{FakeImage, FakeImages}};
///
/// let images = FakeImages::new([FakeImage::new("builder").user("431:433")]);
/// let identity = images.during(|| require("builder", Pull::Never)?.runs_as()).unwrap();
/// assert_eq!((identity.uid, identity.gid), (431, 433));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The numeric user.
    pub uid: u32,
    /// The numeric primary group.
    pub gid: u32,
    /// As written in the image's configuration; `""` where it says nothing, which means root.
    pub written: String,
    /// The home directory, where the image names one.
    pub home: Option<String>,
}

thread_local! {
    static HELD: RefCell<Vec<Rc<FakeImage>>> = const { RefCell::new(Vec::new()) };
}

/// Puts images in the place of those that were there, and answers these.
pub(crate) fn replace(images: Vec<Rc<FakeImage>>) -> Vec<Rc<FakeImage>> {
    HELD.replace(images)
}

pub(crate) fn find(reference: &str, pull: Pull) -> Result<Option<Image>, Problem> {
    HELD.with_borrow(|held| {
        let Some(image) = held.iter().find(|image| image.reference == reference) else { return Ok(None) };
        if let Some(problem) = &image.problem {
            return Err(problem.clone().into());
        }
        Ok((image.is_held || pull == Pull::AsAsked).then(|| Image(Rc::clone(image))))
    })
}

pub struct Image(pub(crate) Rc<FakeImage>);

impl Image {
    pub fn reference(&self) -> String {
        self.0.reference.clone()
    }

    /// Something of the right form that differs from image to image.
    pub fn digest(&self) -> String {
        let name = self.0.reference.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        format!("sha256:{name:0>64x}")
    }

    pub fn platform(&self) -> String {
        "linux/amd64".to_owned()
    }

    pub fn entrypoint(&self) -> Vec<String> {
        self.0.entrypoint.clone()
    }

    pub fn command(&self) -> Vec<String> {
        self.0.command.clone()
    }

    pub fn user(&self) -> String {
        self.0.user.clone()
    }

    pub fn working_directory(&self) -> String {
        self.0.working_directory.clone()
    }

    pub fn environment(&self) -> Vec<Variable> {
        pairs(&self.0.environment)
    }

    pub fn labels(&self) -> Vec<Variable> {
        pairs(&self.0.labels)
    }

    pub fn label(&self, name: &str) -> Option<String> {
        self.0.labels.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone())
    }

    pub fn exposed_ports(&self) -> Vec<String> {
        self.0.exposed_ports.clone()
    }

    pub fn volumes(&self) -> Vec<String> {
        self.0.volumes.clone()
    }

    pub fn triggers(&self) -> Vec<String> {
        self.0.triggers.clone()
    }

    pub fn runs_as(&self) -> Result<Identity, Problem> {
        Ok(self.0.identity()?)
    }

    pub fn look_at(&self, paths: &[String]) -> Result<Vec<PathFact>, Problem> {
        Ok(paths.iter().filter_map(|path| self.0.fact(path)).collect())
    }

    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.bytes(path))
    }
}

fn pairs(variables: &[(String, String)]) -> Vec<Variable> {
    variables.iter().map(|(name, value)| Variable { name: name.clone(), value: value.clone() }).collect()
}
