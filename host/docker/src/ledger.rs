//! What this build made so far. A name is written down before the request is sent, so that nothing in flight is forgotten.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sti_core::{BuildId, ImageId, build_id::LABEL};

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
    tagged: BTreeSet<ImageId>,
    kept: BTreeSet<String>,
    interrupted: bool,
    /// Requests that make something and whose answer nobody has seen.
    in_flight: u32,
    /// Whether an image was ever asked for.
    makes_images: bool,
    /// Commits whose answer nobody has seen.
    commits: u64,
    /// Calls of the engine's builder that nobody has seen the end of.
    building: u64,
    /// How often the engine's builder was called, and what came out of it.
    builds: usize,
    built: Vec<ImageId>,
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
    /// Whether the engine's builder made images on the way to one that nobody was given.
    pub(crate) has_unfinished: bool,
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

    /// Says that a container is about to be committed.
    pub(crate) fn commits(&self) {
        let mut entries = self.entries();
        entries.makes_images = true;
        entries.commits += 1;
    }

    /// Says that the engine has answered to a commit, whatever it said.
    pub(crate) fn committed(&self) {
        let mut entries = self.entries();
        entries.commits = entries.commits.saturating_sub(1);
    }

    /// How many images may still come out of commits that nobody waits for any more.
    pub(crate) fn awaited_images(&self) -> u64 {
        self.entries().commits
    }

    /// Whether an image was ever asked for.
    pub(crate) fn makes_images(&self) -> bool {
        self.entries().makes_images
    }

    /// Says that the engine's builder is about to be called.
    pub(crate) fn builds(&self) {
        let mut entries = self.entries();
        entries.makes_images = true;
        entries.builds += 1;
        entries.building += 1;
    }

    /// Says that a call of the engine's builder has ended, whatever came out of it.
    pub(crate) fn builder_ended(&self) {
        let mut entries = self.entries();
        entries.building = entries.building.saturating_sub(1);
    }

    /// Whether the engine's builder may still be at work for nobody.
    pub(crate) fn is_building(&self) -> bool {
        self.entries().building > 0
    }

    /// Remembers what the engine's builder made.
    pub(crate) fn built(&self, id: &ImageId) {
        self.entries().built.push(id.clone());
        self.image(id);
    }

    /// Says that nothing is left of what the engine's builder made on the way.
    pub(crate) fn no_unfinished(&self) {
        let mut entries = self.entries();
        entries.builds = 0;
        entries.built.clear();
    }

    /// Says that a request is sent that makes something, until [`Ledger::answered`].
    pub(crate) fn sent(&self) {
        self.entries().in_flight += 1;
    }

    /// Says that the answer to such a request has arrived.
    pub(crate) fn answered(&self) {
        let mut entries = self.entries();
        entries.in_flight = entries.in_flight.saturating_sub(1);
    }

    /// Says that nothing comes into being any more.
    pub(crate) fn settled(&self) {
        let mut entries = self.entries();
        (entries.interrupted, entries.in_flight) = (false, 0);
        (entries.commits, entries.building) = (0, 0);
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
        Remains {
            containers_of_images,
            images: entries.images.iter().rev().filter(|id| !entries.tagged.contains(id)).cloned().collect(),
            containers,
            volumes: entries.volumes.clone(),
            interrupted: entries.interrupted || entries.in_flight > 0,
            has_unfinished: entries.builds > entries.built.iter().filter(|id| entries.tagged.contains(id)).count(),
            has_kept: !entries.kept.is_empty(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the names of everything begin with that a build makes.
pub(crate) fn prefix(build: &BuildId) -> String {
    format!("sti-{build}-")
}

/// The build that a container or volume belongs to: by label, or by name where a container was to be committed.
pub(crate) fn owner_of(name: &str, labels: &HashMap<String, String>) -> Option<BuildId> {
    labels.get(LABEL).and_then(|build| BuildId::parse(build)).or_else(|| build_of(name))
}

/// The build that a name belongs to; engines put a slash before names of containers.
fn build_of(name: &str) -> Option<BuildId> {
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
    fn counts_as_interrupted_while_an_answer_is_missing() {
        let ledger = Ledger::new(BuildId::draw());
        ledger.sent();
        ledger.sent();
        ledger.answered();
        ledger.set_interrupted(false);
        assert!(ledger.remains().interrupted);
        ledger.settled();
        assert!(!ledger.remains().interrupted);
    }

    #[test]
    fn looks_for_unfinished_images_unless_all_that_was_built_was_given_to_somebody() {
        let ledger = Ledger::new(BuildId::draw());
        assert!(!ledger.remains().has_unfinished);
        ledger.builds();
        assert!(ledger.remains().has_unfinished && ledger.makes_images());
        let image = ImageId("sha256:made".to_owned());
        ledger.built(&image);
        ledger.tagged(&image);
        assert!(!ledger.remains().has_unfinished);
        ledger.builds();
        assert!(ledger.remains().has_unfinished);
        ledger.no_unfinished();
        assert!(!ledger.remains().has_unfinished);
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
