//! Removes what this build made, and what dead builds left.
//!
//! Containers and volumes are found by label, and containers that were committed by their name. Images bear no label: the unfinished
//! (see [`crate::unfinished`]) are looked for only where a container or volume of their build is still there. These go last, so an
//! image that was a product once is never taken for one that nobody was given.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bollard::{
    models::Volume,
    query_parameters::{ListContainersOptionsBuilder, ListVolumesOptionsBuilder},
};
use sti_core::{BuildId, ImageId, build_id::LABEL, plan::is_at_or_below};
use sti_engine::{Error, Leftover, OWNER_LABEL};

use crate::{DockerEngine, Question, commit, failures::Failure, ledger};

/// A request that was broken off may still be carried out for a moment; as long as something comes, more may.
const LATE_PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(3),
];
/// After so many looks nothing more is expected, if the last one found nothing and no commit was broken off.
const LEAST_LOOKS: usize = 2;
/// The same where the engine's builder was broken off, which ends the layer that it is at.
const LEAST_LOOKS_AT_A_BUILDER: usize = 4;

/// So long may an engine's builder take to end after whoever wanted the image is gone.
const PAUSES_OF_A_BUILDER: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(600), Duration::from_secs(2)];

/// So many questions are asked of an image ahead of time, at a request each.
const MOST_QUESTIONS: usize = 4;

/// What one build left.
#[derive(Default)]
struct Left {
    containers: BTreeSet<String>,
    volumes: BTreeSet<String>,
    owner: Option<String>,
    /// When the first of these was made, by the engine's clock in seconds.
    since: Option<i64>,
}

/// A container of whomever.
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) image: Option<ImageId>,
    created: Option<i64>,
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
        // What tells it goes below.
        let since = if interrupted || remains.has_unfinished { self.began_at().await } else { None };
        for made in &remains.containers_of_images {
            note(&mut first_failure, self.remove_made(&made.name).await);
        }
        for image in &remains.images {
            match self.remove_unneeded_image(image).await {
                Ok(_) => self.ledger.forget(image.as_str()),
                Err(error) => note(&mut first_failure, Err(error)),
            }
        }
        if remains.has_unfinished {
            match self.remove_unfinished(&self.build, since).await {
                Ok(_) => self.ledger.no_unfinished(),
                Err(error) => note(&mut first_failure, Err(error)),
            }
        }
        for made in &remains.containers {
            note(&mut first_failure, self.remove_made(&made.name).await);
        }
        for volume in &remains.volumes {
            match self.remove_volume(volume).await {
                Ok(()) => self.ledger.forget(volume),
                // The container that was kept for the user still has it, or one that has come into being just now.
                Err(failure) if failure.is_conflict() && (remains.has_kept || interrupted) => {}
                Err(failure) => note(&mut first_failure, Err(failure.plain())),
            }
        }
        self.probes.lock().await.clear();
        if interrupted {
            note(&mut first_failure, self.remove_what_came_late(since).await);
        }
        first_failure.map_or(Ok(()), Err)
    }

    async fn remove_made(&self, container: &str) -> Result<(), Error> {
        self.remove_container(container).await.map_err(Failure::plain)?;
        self.ledger.forget(container);
        Ok(())
    }

    /// When this build began, where the engine still has something that tells.
    async fn began_at(&self) -> Option<i64> {
        self.left_by_all().await.ok()?.get(&self.build)?.since
    }

    /// The engine may have begun what was asked of it before the request was broken off.
    async fn remove_what_came_late(&self, since: Option<i64>) -> Result<(), Error> {
        let mut awaited = self.ledger.awaited_images();
        let least_looks = if self.ledger.is_building() { LEAST_LOOKS_AT_A_BUILDER } else { LEAST_LOOKS };
        for (look, pause) in (1..).zip(LATE_PAUSES) {
            tokio::time::sleep(pause).await;
            let left = self.left_by_all().await?.remove(&self.build).unwrap_or_default();
            let is_nothing = left.containers.is_empty() && left.volumes.is_empty();
            let (gone, images) =
                if self.ledger.makes_images() { self.remove_unfinished(&self.build, since).await? } else { (0, Vec::new()) };
            self.remove_left(left, images).await?;
            // A commit of much content goes on for seconds after its container is gone.
            awaited = awaited.saturating_sub(gone);
            if is_nothing && awaited == 0 && look >= least_looks {
                break;
            }
        }
        self.ledger.settled();
        Ok(())
    }

    /// Asks of the images that were made what the next build may ask of them, so that it need not make a container to look into them:
    /// what was asked of others, and which programs were looked for in the image below without being run. A question that fails is
    /// asked again by whoever wants to know.
    async fn learn_about_products(&self) {
        let (asked, committed) = {
            let mut curiosity = self.curiosity();
            (curiosity.asked.clone(), std::mem::take(&mut curiosity.committed))
        };
        for made in committed {
            let is_for_later = |image: &ImageId, question: &Question| {
                *image != made.base || matches!(question, Question::Path(path) if !made.programs.contains(path))
            };
            let questions = asked.iter().flat_map(|(image, questions)| questions.iter().map(move |question| (image, question)));
            let worth: BTreeSet<_> =
                questions.filter(|(image, question)| is_for_later(image, question)).map(|(_, question)| question).collect();
            for question in worth.into_iter().take(MOST_QUESTIONS) {
                let _ = self.learn(&made, question).await;
            }
        }
    }

    async fn learn(&self, made: &commit::Committed, question: &Question) -> Result<(), Error> {
        let path = question.path();
        if made.mounted.iter().any(|at| is_at_or_below(path, at)) {
            return Ok(());
        }
        match question {
            Question::Path(path) => {
                let fact = self.look_in(&made.container, path).await?;
                self.memory.learn_path(&made.image, path, fact.as_ref());
            }
            Question::Text(path, limit) => {
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
        // Images before containers, since those are the proof. One that a container was made from waits until that is gone.
        let (removed, images) = self.remove_unfinished(build, left.since).await?;
        Ok(removed + self.remove_left(left, images).await?)
    }

    /// Removes containers and volumes, and between them the images that waited for the containers.
    async fn remove_left(&self, left: Left, images: Vec<ImageId>) -> Result<u64, Error> {
        let (mut removed, kept) = (0, self.ledger.kept());
        for container in left.containers.difference(&kept) {
            self.remove_container(container).await.map_err(Failure::plain)?;
            removed += 1;
        }
        removed += self.remove_images_patiently(images).await?;
        // One that a kept container has stays with it.
        let pauses: &[Duration] = if left.containers.is_disjoint(&kept) { &PAUSES_OF_A_BUILDER } else { &[] };
        Ok(removed + self.remove_volumes_patiently(left.volumes, pauses).await?)
    }

    /// The engine takes a moment to let go of a volume into which somebody was still writing when they were killed.
    async fn remove_volumes_patiently(&self, volumes: BTreeSet<String>, pauses: &[Duration]) -> Result<u64, Error> {
        let mut removed = 0;
        let mut used = volumes;
        for pause in [&[Duration::ZERO], pauses].concat() {
            tokio::time::sleep(pause).await;
            for volume in std::mem::take(&mut used) {
                match self.remove_volume(&volume).await {
                    Ok(()) => removed += 1,
                    Err(failure) if failure.is_conflict() || failure.message().contains("active mounts") => {
                        used.insert(volume);
                    }
                    Err(failure) => return Err(failure.plain()),
                }
            }
            if used.is_empty() {
                break;
            }
        }
        Ok(removed)
    }

    /// The engine's builder takes a moment to see that nobody listens any more, and its container uses an image until then.
    async fn remove_images_patiently(&self, images: Vec<ImageId>) -> Result<u64, Error> {
        let (mut removed, mut images) = self.remove_images(images).await?;
        for pause in PAUSES_OF_A_BUILDER {
            if images.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            let (more, stay) = self.remove_images(images).await?;
            removed += more;
            images = stay;
        }
        Ok(removed)
    }

    async fn left_by_all(&self) -> Result<BTreeMap<BuildId, Left>, Error> {
        let mut all: BTreeMap<BuildId, Left> = BTreeMap::new();
        for container in self.containers().await? {
            let Some(build) = ledger::owner_of(&container.name, &container.labels) else { continue };
            let left = all.entry(build).or_default();
            left.note(&container.labels, container.created);
            left.containers.insert(container.name);
        }
        for volume in self.volumes().await? {
            let Some(build) = ledger::owner_of(&volume.name, &volume.labels) else { continue };
            let left = all.entry(build).or_default();
            left.note(&volume.labels, volume.created_at.as_deref().and_then(seconds));
            left.volumes.insert(volume.name);
        }
        Ok(all)
    }

    /// Every container that the engine has.
    pub(crate) async fn containers(&self) -> Result<Vec<Container>, Error> {
        let ask = || self.requests.quick().list_containers(Some(ListContainersOptionsBuilder::new().all(true).build()));
        let found = self.requests.ask("GET /containers/json", ask).await.map_err(Failure::plain)?;
        let named = found.into_iter().filter_map(|container| {
            let name = container.names?.into_iter().next()?;
            Some(Container {
                name: name.trim_start_matches('/').to_owned(),
                labels: container.labels.unwrap_or_default(),
                image: container.image_id.map(|id| ImageId(commit::with_algorithm(&id))),
                created: container.created,
            })
        });
        Ok(named.collect())
    }

    async fn volumes(&self) -> Result<Vec<Volume>, Error> {
        let filters = HashMap::from([("label", vec![LABEL])]);
        let ask = || self.requests.quick().list_volumes(Some(ListVolumesOptionsBuilder::new().filters(&filters).build()));
        let found = self.requests.ask("GET /volumes", ask).await.map_err(Failure::plain)?;
        Ok(found.volumes.unwrap_or_default())
    }
}

impl Left {
    fn note(&mut self, labels: &HashMap<String, String>, created: Option<i64>) {
        self.owner = self.owner.take().or_else(|| labels.get(OWNER_LABEL).cloned());
        self.since = self.since.into_iter().chain(created).min();
    }
}

/// A time as the API writes it, in seconds since 1970.
fn seconds(written: &str) -> Option<i64> {
    written.parse().ok().map(jiff::Timestamp::as_second)
}

fn note(first: &mut Option<Error>, ended: Result<(), Error>) {
    if let Err(error) = ended {
        first.get_or_insert(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_began_with_the_first_thing_that_it_made() {
        let mut left = Left::default();
        for created in [None, seconds("2026-11-21T14:00:00+01:00"), Some(1_795_266_001), seconds("nonsense")] {
            left.note(&HashMap::new(), created);
        }
        assert_eq!(left.since, Some(1_795_266_000));
    }
}
