//! What the engine in memory answers: the trait, question by question.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sti_core::{BuildId, Identity, ImageFacts, ImageId, Needles, PathFact, PathKind, Progress, Pull, Reference};

use super::{FakeEngine, Files, Node, NodeKind, StoredImage, execute, run_image, secrets, users};
use crate::{About, Engine, Error, Execution, ImageRun, Leftover, Outcome, RunEnd, Trace};

const ENDPOINT: &str = "memory:";

pub(super) const PLATFORM: &str = "linux/amd64";

#[async_trait]
impl Engine for FakeEngine {
    async fn about(&self) -> Result<About, Error> {
        drop(self.asked());
        Ok(About {
            product: "memory".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: "1".to_owned(),
            platform: PLATFORM.to_owned(),
            endpoint: ENDPOINT.to_owned(),
        })
    }

    async fn inspect(&self, image: &Reference, pull: Pull, _progress: &dyn Progress) -> Result<Option<ImageFacts>, Error> {
        let mut store = self.asked();
        let name = image.canonical();
        let is_there = store.tags.contains_key(&name);
        let is_wanted = pull == Pull::Always || (pull == Pull::Missing && !is_there);
        if let Some(pulled) = store.registry.get(&name).cloned().filter(|_| is_wanted) {
            let id = store.keep(pulled, None);
            store.tags.insert(name.clone(), id);
        }
        Ok(store.tags.get(&name).and_then(|id| store.facts(id, image)))
    }

    async fn look_at(&self, image: &ImageFacts, paths: &[String]) -> Result<Vec<PathFact>, Error> {
        let files = self.files_of(&image.id)?;
        Ok(paths.iter().filter_map(|path| fact(&files, path)).collect())
    }

    async fn read(&self, image: &ImageFacts, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(bytes) = self.files_of(&image.id)?.read(path) else { return Ok(None) };
        if bytes.len() as u64 > limit {
            let why = format!("it has {} bytes, and at most {limit} may be read", bytes.len());
            return Err(Error::Refused { request: format!("read {path}"), why });
        }
        Ok(Some(bytes.to_vec()))
    }

    async fn identity(&self, image: &ImageFacts) -> Result<Identity, Error> {
        let files = self.files_of(&image.id)?;
        users::resolve(&files, &image.user).ok_or_else(|| unknown_user(&image.user))
    }

    async fn execute(&self, execution: Execution<'_>) -> Result<Outcome, Error> {
        drop(self.asked());
        execute::execute(self, &execution)
    }

    async fn find_secret(&self, image: &ImageId, beyond: &[ImageId], needles: &Needles) -> Result<Option<Trace>, Error> {
        let store = self.asked();
        let image_of = |id: &ImageId| store.images.get(id).map(|stored| &stored.image);
        let made = image_of(image).ok_or_else(|| no_such_image(image))?;
        let bases: Vec<_> = beyond.iter().filter_map(image_of).collect();
        Ok(secrets::trace(made, &bases, needles))
    }

    async fn run_image(&self, run: ImageRun<'_>) -> Result<RunEnd, Error> {
        drop(self.asked());
        run_image::run_image(self, &run)
    }

    async fn tag(&self, image: &ImageId, tag: &Reference) -> Result<(), Error> {
        let mut store = self.asked();
        if !store.images.contains_key(image) {
            return Err(no_such_image(image));
        }
        store.tags.insert(tag.canonical(), image.clone());
        Ok(())
    }

    async fn untag(&self, tag: &Reference, _: &ImageId) -> Result<(), Error> {
        self.asked().tags.remove(&tag.canonical());
        Ok(())
    }

    async fn remove_image(&self, image: &ImageId) -> Result<bool, Error> {
        let mut store = self.asked();
        if store.has_name(image) {
            return Ok(false);
        }
        Ok(store.images.remove(image).is_some())
    }

    async fn clean_up(&self) -> Result<(), Error> {
        let build = self.build.clone();
        self.asked().remove_left_by(&build);
        Ok(())
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Error> {
        let store = self.asked();
        let mut things: BTreeMap<BuildId, u64> = BTreeMap::new();
        for (id, StoredImage { build, .. }) in &store.images {
            if let Some(build) = build.as_ref().filter(|build| **build != self.build && !store.has_name(id)) {
                *things.entry(build.clone()).or_default() += 1;
            }
        }
        Ok(things.into_iter().map(|(build, things)| Leftover { build, owner: None, things }).collect())
    }

    async fn sweep(&self, build: &BuildId) -> Result<u64, Error> {
        let mut store = self.asked();
        let images = store.remove_left_by(build);
        let containers = store.kept.len();
        store.kept.retain(|kept| kept != build);
        Ok(images + (containers - store.kept.len()) as u64)
    }

    fn build(&self) -> &BuildId {
        &self.build
    }

    fn endpoint(&self) -> String {
        ENDPOINT.to_owned()
    }

    fn requests(&self) -> u64 {
        self.store().requests
    }
}

impl FakeEngine {
    fn files_of(&self, image: &ImageId) -> Result<Files, Error> {
        let store = self.asked();
        let stored = store.images.get(image).ok_or_else(|| no_such_image(image))?;
        Ok(stored.image.files.clone())
    }
}

pub(super) fn no_such_image(image: &ImageId) -> Error {
    Error::Refused { request: format!("image {image}"), why: "there is no such image".to_owned() }
}

pub(super) fn unknown_user(user: &str) -> Error {
    Error::Refused { request: format!("user {user}"), why: "the image knows no user or group of this name".to_owned() }
}

fn fact(files: &Files, path: &str) -> Option<PathFact> {
    let top = Node::directory(0o755);
    let resolved = files.resolve(path);
    // A link that leads nowhere is there all the same.
    let own = resolved.unwrap_or_else(|| path.trim_start_matches('/').as_bytes().to_vec());
    let node = if own.is_empty() { &top } else { files.get(&own)? };
    let (kind, size) = match &node.kind {
        NodeKind::File { bytes, .. } => (PathKind::File, bytes.len() as u64),
        NodeKind::Directory => (PathKind::Directory, 0),
        NodeKind::Symlink(_) => (PathKind::Symlink, 0),
    };
    Some(PathFact { path: path.to_owned(), kind, mode: node.mode, uid: node.uid, gid: node.gid, size })
}
