//! Removes what this build made, and what dead builds left.
//!
//! Containers and volumes are found by label, and containers that were committed by their name. Images bear no label: those that are
//! unfinished are told by their comment or command (see [`crate::commit`]), and only where a container or volume of their build is
//! still there. These go last, so an image that was a product once is never taken for one that nobody was given.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bollard::{
    models::ImageSummary,
    query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder},
};
use sti_core::{BuildId, ImageId, build_id::LABEL};
use sti_engine::{Error, Leftover, OWNER_LABEL};

use crate::{DockerEngine, commit, failures::Failure, ledger};

/// A request that was broken off may still be carried out for a moment.
const LATE_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// What one build left.
#[derive(Default)]
struct Left {
    containers: BTreeSet<String>,
    volumes: BTreeSet<String>,
    owner: Option<String>,
}

impl DockerEngine {
    /// Removes everything that this build made and nobody was given.
    pub(crate) async fn remove_remains(&self) -> Result<(), Error> {
        let remains = self.ledger.remains();
        let interrupted = remains.interrupted;
        if !interrupted {
            self.learn_about_products().await;
        }
        let mut first_failure = None;
        for made in &remains.containers_of_images {
            note(&mut first_failure, self.remove_made(&made.name).await);
        }
        for image in &remains.images {
            match self.remove_unneeded_image(image).await {
                Ok(_) => self.ledger.forget(image.as_str()),
                Err(error) => note(&mut first_failure, Err(error)),
            }
        }
        for made in &remains.containers {
            note(&mut first_failure, self.remove_made(&made.name).await);
        }
        for volume in &remains.volumes {
            match self.remove_volume(volume).await {
                Ok(()) => self.ledger.forget(volume),
                // The container that was kept for the user still has it.
                Err(failure) if failure.is_conflict() && remains.has_kept => {}
                Err(failure) => note(&mut first_failure, Err(failure.plain())),
            }
        }
        self.probes.lock().await.clear();
        if interrupted {
            note(&mut first_failure, self.remove_what_came_late().await);
        }
        first_failure.map_or(Ok(()), Err)
    }

    async fn remove_made(&self, container: &str) -> Result<(), Error> {
        self.remove_container(container).await.map_err(Failure::plain)?;
        self.ledger.forget(container);
        Ok(())
    }

    /// The engine may have begun what was asked of it before the request was broken off.
    async fn remove_what_came_late(&self) -> Result<(), Error> {
        for pause in LATE_PAUSES {
            tokio::time::sleep(pause).await;
            let left = self.left_by_all().await?.remove(&self.build).unwrap_or_default();
            self.remove_left(&self.build, left).await?;
        }
        self.ledger.set_interrupted(false);
        Ok(())
    }

    /// Asks of the images that were made what was asked of others: so the next build need not make a container to look into them.
    /// A question that fails is asked again by whoever wants to know.
    async fn learn_about_products(&self) {
        let (asked, committed) = {
            let mut curiosity = self.curiosity();
            (curiosity.asked.clone(), std::mem::take(&mut curiosity.committed))
        };
        for made in committed {
            let others = asked.iter().filter(|(image, _)| **image != made.base).flat_map(|(_, questions)| questions);
            for question in others {
                let _ = self.learn(&made, question).await;
            }
        }
    }

    async fn learn(&self, made: &commit::Committed, question: &crate::Question) -> Result<(), Error> {
        let path = question.path();
        let is_mounted = |at: &String| path == at || path.strip_prefix(at.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if made.mounted.iter().any(is_mounted) {
            return Ok(());
        }
        match question {
            crate::Question::Path(path) => {
                let fact = self.look_in(&made.container, path).await?;
                self.memory.learn_path(&made.image, path, fact.as_ref());
            }
            crate::Question::Text(path, limit) => {
                let bytes = self.read_in(&made.container, path, *limit).await?;
                self.memory.learn_text(&made.image, path, bytes.as_deref());
            }
        }
        Ok(())
    }

    /// The builds other than this one that left something.
    pub(crate) async fn find_leftovers(&self) -> Result<Vec<Leftover>, Error> {
        let mut left = self.left_by_all().await?;
        left.remove(&self.build);
        let leftovers = left.into_iter().map(|(build, left)| {
            let things = (left.containers.len() + left.volumes.len()) as u64;
            Leftover { build, owner: left.owner, things }
        });
        Ok(leftovers.collect())
    }

    /// Removes what a build left; answers how many things went.
    pub(crate) async fn remove_leftovers(&self, build: &BuildId) -> Result<u64, Error> {
        match self.left_by_all().await?.remove(build) {
            Some(left) => self.remove_left(build, left).await,
            None => Ok(0),
        }
    }

    async fn remove_left(&self, build: &BuildId, left: Left) -> Result<u64, Error> {
        // Images before containers, since those are the proof. One that a container was made from waits until that is gone.
        let images = self.unfinished_images_of(build).await?;
        let (mut removed, images) = self.remove_images(images).await?;
        for container in left.containers.difference(&self.ledger.kept()) {
            self.remove_container(container).await.map_err(Failure::plain)?;
            removed += 1;
        }
        removed += self.remove_images(images).await?.0;
        for volume in &left.volumes {
            match self.remove_volume(volume).await {
                Ok(()) => removed += 1,
                Err(failure) if failure.is_conflict() => {}
                Err(failure) => return Err(failure.plain()),
            }
        }
        Ok(removed)
    }

    /// Removes images, those first that no other is built on; answers how many went, and which did not.
    async fn remove_images(&self, mut images: Vec<ImageId>) -> Result<(u64, Vec<ImageId>), Error> {
        let mut removed = 0;
        loop {
            let before = removed;
            let mut stay = Vec::new();
            for image in images {
                if self.remove_unneeded_image(&image).await? { removed += 1 } else { stay.push(image) }
            }
            if removed == before || stay.is_empty() {
                return Ok((removed, stay));
            }
            images = stay;
        }
    }

    async fn left_by_all(&self) -> Result<BTreeMap<BuildId, Left>, Error> {
        let mut all: BTreeMap<BuildId, Left> = BTreeMap::new();
        for (name, labels) in self.containers().await? {
            let Some(build) = build_of(&name, &labels) else { continue };
            let left = all.entry(build).or_default();
            left.owner = left.owner.take().or_else(|| labels.get(OWNER_LABEL).cloned());
            left.containers.insert(name);
        }
        for (name, labels) in self.volumes().await? {
            let Some(build) = build_of(&name, &labels) else { continue };
            let left = all.entry(build).or_default();
            left.owner = left.owner.take().or_else(|| labels.get(OWNER_LABEL).cloned());
            left.volumes.insert(name);
        }
        Ok(all)
    }

    async fn containers(&self) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
        let ask = || self.requests.quick().list_containers(Some(ListContainersOptionsBuilder::new().all(true).build()));
        let found = self.requests.ask("GET /containers/json", ask).await.map_err(Failure::plain)?;
        let named = found.into_iter().filter_map(|container| {
            let name = container.names?.into_iter().next()?;
            Some((name.trim_start_matches('/').to_owned(), container.labels.unwrap_or_default()))
        });
        Ok(named.collect())
    }

    async fn volumes(&self) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
        let filters = HashMap::from([("label", vec![LABEL])]);
        let ask = || self.requests.quick().list_volumes(Some(ListVolumesOptionsBuilder::new().filters(&filters).build()));
        let found = self.requests.ask("GET /volumes", ask).await.map_err(Failure::plain)?;
        Ok(found.volumes.unwrap_or_default().into_iter().map(|volume| (volume.name, volume.labels)).collect())
    }

    async fn images(&self) -> Result<Vec<ImageSummary>, Error> {
        let ask = || self.requests.quick().list_images(Some(ListImagesOptionsBuilder::new().all(true).build()));
        for pause in LATE_PAUSES {
            match self.requests.ask("GET /images/json", ask).await {
                // Podman fails over an image that somebody removes while it makes the list.
                Err(failure) if self.is_podman && !failure.is_connection() => tokio::time::sleep(pause).await,
                found => return found.map_err(Failure::plain),
            }
        }
        self.requests.ask("GET /images/json", ask).await.map_err(Failure::plain)
    }

    /// Images without a name that say that this build made them, and those without a name that were built on them.
    async fn unfinished_images_of(&self, build: &BuildId) -> Result<Vec<ImageId>, Error> {
        let found = self.images().await?;
        let parents: HashMap<String, String> = found.iter().map(|image| (image.id.clone(), image.parent_id.clone())).collect();
        let mut marked = BTreeSet::new();
        let nameless: Vec<_> = found.into_iter().filter(|image| is_nameless(&image.repo_tags)).collect();
        for image in &nameless {
            let inspected = self.inspect_image(&image.id).await?;
            if inspected.is_some_and(|inspected| commit::is_of(&inspected, build)) {
                marked.insert(image.id.clone());
            }
        }
        let is_unfinished = |id: &String| std::iter::successors(Some(id), |id| parents.get(*id)).any(|id| marked.contains(id));
        let ids = nameless.into_iter().map(|image| image.id).filter(is_unfinished);
        Ok(ids.map(|id| ImageId(commit::with_algorithm(&id))).collect())
    }
}

fn is_nameless(tags: &[String]) -> bool {
    tags.iter().all(|tag| tag == "<none>:<none>")
}

/// By label, or by name where the container was to be committed.
fn build_of(name: &str, labels: &HashMap<String, String>) -> Option<BuildId> {
    labels.get(LABEL).and_then(|build| BuildId::parse(build)).or_else(|| ledger::build_of(name))
}

fn note(first: &mut Option<Error>, ended: Result<(), Error>) {
    if let Err(error) = ended {
        first.get_or_insert(error);
    }
}
