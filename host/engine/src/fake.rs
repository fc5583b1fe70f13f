//! An engine in memory: images are maps from path to node, programs are closures. It keeps every promise of [`crate::Engine`], so that what
//! is built on engines can be tested without one.

#![allow(clippy::result_large_err, reason = "an error of an engine is made once, and then the build is over")]

mod answers;
mod config;
mod container;
mod execute;
mod files;
mod fixture;
mod run_image;
mod secrets;
#[cfg(test)]
mod tests;
mod users;

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sti_core::{BuildId, ImageFacts, ImageId, Reference, Variable};

pub use config::{FakeImage, VariablePair};
pub use container::Container;
pub use files::{Files, Node, NodeKind};

/// What a program does to the container that it runs in; the answer is its exit code.
pub type Program = Arc<dyn Fn(&mut Container) -> i32 + Send + Sync>;

/// An engine in memory, as one build sees it. Clones share what is in it, and so do engines of [`FakeEngine::for_build`].
#[derive(Clone)]
pub struct FakeEngine {
    build: BuildId,
    store: Arc<Mutex<Store>>,
}

/// Everything that the engine holds.
#[derive(Default)]
struct Store {
    images: BTreeMap<ImageId, StoredImage>,
    /// By canonical name.
    tags: BTreeMap<String, ImageId>,
    /// What a registry would answer, by canonical name.
    registry: BTreeMap<String, FakeImage>,
    /// By absolute path.
    programs: BTreeMap<String, Program>,
    /// Containers of failed steps that were to be kept.
    kept: Vec<BuildId>,
    requests: u64,
    made: u64,
}

#[derive(Clone)]
struct StoredImage {
    image: FakeImage,
    /// The build that made it; none for what was there before.
    build: Option<BuildId>,
}

impl FakeEngine {
    /// An engine without any image, for a build of its own.
    pub fn new() -> Self {
        Self { build: BuildId::draw(), store: Arc::default() }
    }

    /// The same engine as another build sees it.
    #[must_use]
    pub fn for_build(&self, build: BuildId) -> Self {
        Self { build, store: self.store.clone() }
    }

    /// The same engine, holding an image of this name.
    #[must_use]
    pub fn with_image(self, name: &Reference, image: FakeImage) -> Self {
        let mut store = self.store();
        let id = store.keep(image, None);
        store.tags.insert(name.canonical(), id);
        drop(store);
        self
    }

    /// The same engine, with an image of this name in reach of a pull.
    #[must_use]
    pub fn with_registry_image(self, name: &Reference, image: FakeImage) -> Self {
        self.store().registry.insert(name.canonical(), image);
        self
    }

    /// The same engine, with what the program at an absolute path does. Only images that hold an executable file there can run it.
    #[must_use]
    pub fn with_program(self, path: &str, program: impl Fn(&mut Container) -> i32 + Send + Sync + 'static) -> Self {
        self.store().programs.insert(path.to_owned(), Arc::new(program));
        self
    }

    /// The names in the engine.
    pub fn tags(&self) -> Vec<String> {
        self.store().tags.keys().cloned().collect()
    }

    /// The files of the image of this name; `None` where there is none.
    pub fn files(&self, name: &Reference) -> Option<Files> {
        let store = self.store();
        let id = store.tags.get(&name.canonical())?;
        store.images.get(id).map(|stored| stored.image.files.clone())
    }

    /// How many images it holds, with a name or without.
    pub fn image_count(&self) -> usize {
        self.store().images.len()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A program that panicked has changed nothing here: what is held is whole.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, one request later.
    fn asked(&self) -> MutexGuard<'_, Store> {
        let mut store = self.store();
        store.requests += 1;
        store
    }
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Store {
    /// Takes an image in. Equal content is an equal id, except what a build made by running something.
    fn keep(&mut self, image: FakeImage, build: Option<&BuildId>) -> ImageId {
        let mut hasher = DefaultHasher::new();
        image.hash(&mut hasher);
        let id = ImageId(format!("sha256:{:064x}", hasher.finish()));
        self.images.entry(id.clone()).or_insert_with(|| StoredImage { image, build: build.cloned() });
        id
    }

    fn has_name(&self, id: &ImageId) -> bool {
        self.tags.values().any(|tagged| tagged == id)
    }

    fn facts(&self, id: &ImageId, reference: &Reference) -> Option<ImageFacts> {
        Some(self.images.get(id)?.image.facts(id, reference))
    }

    fn nameless_of(&self, build: &BuildId) -> Vec<ImageId> {
        let is_left = |id: &ImageId, stored: &StoredImage| stored.build.as_ref() == Some(build) && !self.has_name(id);
        self.images.iter().filter(|(id, stored)| is_left(id, stored)).map(|(id, _)| id.clone()).collect()
    }

    fn remove_left_by(&mut self, build: &BuildId) -> u64 {
        let left = self.nameless_of(build);
        for id in &left {
            self.images.remove(id);
        }
        left.len() as u64
    }
}

/// A later variable of the same name takes the place of an earlier one.
fn merge(variables: &mut Vec<Variable>, added: &[Variable]) {
    for variable in added {
        match variables.iter_mut().find(|own| own.name == variable.name) {
            Some(own) => own.value.clone_from(&variable.value),
            None => variables.push(variable.clone()),
        }
    }
}
