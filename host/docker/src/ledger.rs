//! What this build made so far. A name is written down before the request is sent, so that nothing in flight is forgotten.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sti_core::{BuildId, ImageId};

/// A container of this build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// `sti-<build>-<number>`.
    pub(crate) name: String,
    /// The image that it was made from.
    pub(crate) image: String,
}

/// Names and remembers.
pub(crate) struct Ledger {
    build: BuildId,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    last_number: u32,
    containers: Vec<Made>,
    volumes: Vec<String>,
    images: Vec<ImageId>,
    /// Layers below an image, which stay as long as it does.
    below: Vec<(ImageId, ImageId)>,
    tagged: BTreeSet<ImageId>,
    kept: BTreeSet<String>,
    interrupted: bool,
}

/// What is to be removed, in the order in which that works.
pub(crate) struct Remains {
    /// Containers that use images of this build.
    pub(crate) containers_of_images: Vec<Made>,
    /// Images that bear no tag of this build.
    pub(crate) images: Vec<ImageId>,
    /// All other containers.
    pub(crate) containers: Vec<Made>,
    /// Named volumes.
    pub(crate) volumes: Vec<String>,
    /// Whether work was broken off, so that something may still come into being.
    pub(crate) interrupted: bool,
    /// Whether a container stays for the user to look into.
    pub(crate) has_kept: bool,
}

impl Ledger {
    /// An empty one.
    pub(crate) fn new(build: BuildId) -> Self {
        Self { build, entries: Mutex::default() }
    }

    /// Names a container that will be made from `image`.
    pub(crate) fn container(&self, image: &str) -> String {
        let mut entries = self.entries();
        entries.last_number += 1;
        let name = format!("{}{}", prefix(&self.build), entries.last_number);
        entries.containers.push(Made { name: name.clone(), image: image.to_owned() });
        name
    }

    /// Names a volume.
    pub(crate) fn volume(&self) -> String {
        let mut entries = self.entries();
        entries.last_number += 1;
        let name = format!("{}v{}", prefix(&self.build), entries.last_number);
        entries.volumes.push(name.clone());
        name
    }

    /// Remembers an image that was made.
    pub(crate) fn image(&self, id: &ImageId) {
        self.entries().images.push(id.clone());
    }

    /// Remembers an image and those that were made on the way to it.
    pub(crate) fn image_on(&self, id: &ImageId, on_the_way: &[ImageId]) {
        self.entries().below.extend(on_the_way.iter().map(|below| (below.clone(), id.clone())));
        self.image(id);
    }

    /// Remembers that an image now is somebody's.
    pub(crate) fn tagged(&self, id: &ImageId) {
        self.entries().tagged.insert(id.clone());
    }

    /// Remembers that an image lost its name again.
    pub(crate) fn untagged(&self, id: &ImageId) {
        self.entries().tagged.remove(id);
    }

    /// Leaves a container where it is.
    pub(crate) fn keep(&self, container: &str) {
        self.entries().kept.insert(container.to_owned());
    }

    /// The containers that stay.
    pub(crate) fn kept(&self) -> BTreeSet<String> {
        self.entries().kept.clone()
    }

    /// Says that work was broken off and something may still be in flight; or that all answers have arrived.
    pub(crate) fn set_interrupted(&self, interrupted: bool) {
        self.entries().interrupted = interrupted;
    }

    /// Forgets what is gone.
    pub(crate) fn forget(&self, name: &str) {
        let mut entries = self.entries();
        entries.containers.retain(|made| made.name != name);
        entries.volumes.retain(|volume| volume != name);
        entries.images.retain(|image| image.as_str() != name);
    }

    /// What is to be removed now.
    pub(crate) fn remains(&self) -> Remains {
        let entries = self.entries();
        let is_ours = |image: &str| entries.images.iter().any(|id| id.as_str() == image);
        let containers = entries.containers.iter().rev().filter(|made| !entries.kept.contains(&made.name)).cloned();
        let (containers_of_images, containers) = containers.partition(|made| is_ours(&made.image));
        let is_tagged = |id: &ImageId| {
            let stays = |(below, id_above): &(ImageId, ImageId)| below == id && entries.tagged.contains(id_above);
            entries.tagged.contains(id) || entries.below.iter().any(stays)
        };
        let images = entries.images.iter().rev().filter(|id| !is_tagged(id)).cloned().collect();
        let (volumes, interrupted, has_kept) = (entries.volumes.clone(), entries.interrupted, !entries.kept.is_empty());
        Remains { containers_of_images, images, containers, volumes, interrupted, has_kept }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the names of everything begin with that a build makes.
pub(crate) fn prefix(build: &BuildId) -> String {
    format!("sti-{build}-")
}

/// The build that a name belongs to; engines put a slash before names of containers.
pub(crate) fn build_of(name: &str) -> Option<BuildId> {
    let rest = name.strip_prefix('/').unwrap_or(name).strip_prefix("sti-")?;
    let (build, _) = rest.split_once('-')?;
    BuildId::parse(build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_users_of_an_image_before_the_image_and_keeps_what_is_tagged_or_kept() {
        let ledger = Ledger::new(BuildId::draw());
        let first = ledger.container("sha256:base");
        let image = ImageId("sha256:made".to_owned());
        ledger.image(&image);
        let second = ledger.container(image.as_str());
        let remains = ledger.remains();
        assert_eq!(remains.containers_of_images.iter().map(|made| made.name.clone()).collect::<Vec<_>>(), [second]);
        assert_eq!(remains.containers.iter().map(|made| made.name.clone()).collect::<Vec<_>>(), std::slice::from_ref(&first));
        assert_eq!(remains.images, std::slice::from_ref(&image));
        ledger.tagged(&image);
        ledger.keep(&first);
        let remains = ledger.remains();
        assert!(remains.images.is_empty() && remains.containers.is_empty());
    }

    #[test]
    fn knows_its_own_names_again() {
        let build = BuildId::draw();
        let ledger = Ledger::new(build.clone());
        assert_eq!(build_of(&format!("/{}", ledger.container("x"))), Some(build.clone()));
        assert_eq!(build_of(&ledger.volume()), Some(build));
        assert_eq!(build_of("sti-web-1"), None);
    }
}
