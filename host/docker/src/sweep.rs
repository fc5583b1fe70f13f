//! Removes what this build made, and what dead builds left.
//!
//! Containers and volumes are found by label, and containers that were committed by their name. An image that was committed but
//! not tagged is found by its comment, and only where a container of its build is still there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder};
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
            let removed = self.remove_volume(volume).await.map_err(Failure::plain);
            if removed.is_ok() {
                self.ledger.forget(volume);
            }
            note(&mut first_failure, removed);
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
            self.remove_leftovers(&self.build).await?;
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
        let Some(left) = self.left_by_all().await?.remove(build) else { return Ok(0) };
        let mut removed = 0;
        // Images first: only containers that are still there prove that they are nobody's. One that a container was made from
        // waits until that is gone.
        let (mut images, mut waiting) = (self.untagged_images_of(build).await?, Vec::new());
        for image in images.drain(..) {
            if self.remove_unneeded_image(&image).await? { removed += 1 } else { waiting.push(image) }
        }
        for container in &left.containers {
            self.remove_container(container).await.map_err(Failure::plain)?;
            removed += 1;
        }
        for image in waiting {
            removed += u64::from(self.remove_unneeded_image(&image).await?);
        }
        for volume in &left.volumes {
            self.remove_volume(volume).await.map_err(Failure::plain)?;
            removed += 1;
        }
        Ok(removed)
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

    /// Images without a name whose comment says that this build made them.
    async fn untagged_images_of(&self, build: &BuildId) -> Result<Vec<ImageId>, Error> {
        let filters = HashMap::from([("dangling", vec!["true"])]);
        let ask = || self.requests.quick().list_images(Some(ListImagesOptionsBuilder::new().filters(&filters).build()));
        let found = self.requests.ask("GET /images/json", ask).await.map_err(Failure::plain)?;
        let mut images = Vec::new();
        for image in found {
            let Some(inspected) = self.inspect_image(&image.id).await? else { continue };
            if commit::is_of(&inspected, build) {
                images.push(ImageId(commit::with_algorithm(&image.id)));
            }
        }
        Ok(images)
    }
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
