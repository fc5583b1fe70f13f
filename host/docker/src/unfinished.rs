//! Finds images that a build left unfinished, and removes them.
//!
//! They bear no label; a comment or command says whose they are (see [`crate::commit`]), and what a script says counts for nothing.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use bollard::{models::ImageSummary, query_parameters::ListImagesOptionsBuilder};
use sti_core::{BuildId, ImageId};
use sti_engine::Error;

use crate::{DockerEngine, commit, failures::Failure, inspect, ledger};

/// Podman's list fails now and then.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// So far the engine's clock may have been put back while a build ran.
const CLOCK_SLACK_SECONDS: i64 = 10 * 60;

/// Images of a build that nobody was given.
struct Unfinished {
    images: Vec<ImageId>,
    /// Those on which the engine's builder was at work.
    half_built: BTreeSet<ImageId>,
}

impl DockerEngine {
    /// Removes the unfinished images of a build that began at `since`, by the engine's clock; answers how many things went, and which
    /// images did not. With them go the containers that the engine's builder left, which bear neither a label nor a name of ours.
    pub(crate) async fn remove_unfinished(&self, build: &BuildId, since: Option<i64>) -> Result<(u64, Vec<ImageId>), Error> {
        let unfinished = self.unfinished_images_of(build, since).await?;
        let containers = self.remove_containers_of(&unfinished.half_built).await?;
        let (images, stay) = self.remove_images(unfinished.images).await?;
        Ok((containers + images, stay))
    }

    /// Removes images, those first that no other is built on; answers how many went, and which did not.
    pub(crate) async fn remove_images(&self, mut images: Vec<ImageId>) -> Result<(u64, Vec<ImageId>), Error> {
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

    /// Only the builder itself runs something on an image that bears the mark as its command. What is a build's goes with that build.
    async fn remove_containers_of(&self, half_built: &BTreeSet<ImageId>) -> Result<u64, Error> {
        if half_built.is_empty() {
            return Ok(0);
        }
        let mut removed = 0;
        for container in self.containers().await? {
            let is_pinning = container.image.as_ref().is_some_and(|image| half_built.contains(image));
            if is_pinning && ledger::owner_of(&container.name, &container.labels).is_none() {
                self.remove_container(&container.name).await.map_err(Failure::plain)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Images without a name that say that this build made them, and those without a name that were built on them.
    async fn unfinished_images_of(&self, build: &BuildId, since: Option<i64>) -> Result<Unfinished, Error> {
        let found = self.images().await?;
        let parents: HashMap<String, String> = found.iter().map(|image| (image.id.clone(), image.parent_id.clone())).collect();
        let (mut marked, mut half_built) = (BTreeSet::new(), BTreeSet::new());
        let candidates: Vec<_> = found.into_iter().filter(|image| is_candidate(image, since)).collect();
        for image in &candidates {
            let Some(inspected) = self.inspect_image(&image.id).await? else { continue };
            let is_half_built = commit::is_half_built_by(&inspected, build);
            if is_half_built {
                half_built.insert(whole(&image.id));
            }
            if is_half_built || commit::is_committed_by(&inspected, build) {
                marked.insert(image.id.clone());
            }
        }
        let is_unfinished = |id: &String| std::iter::successors(Some(id), |id| parents.get(*id)).any(|id| marked.contains(id));
        let ids = candidates.into_iter().map(|image| image.id).filter(is_unfinished);
        Ok(Unfinished { images: ids.map(|id| whole(&id)).collect(), half_built })
    }

    async fn images(&self) -> Result<Vec<ImageSummary>, Error> {
        let ask = || self.requests.quick().list_images(Some(ListImagesOptionsBuilder::new().all(true).build()));
        for pause in PAUSES {
            match self.requests.ask("GET /images/json", ask).await {
                // Podman fails over an image that somebody removes while it makes the list.
                Err(failure) if self.is_podman && !failure.is_connection() => tokio::time::sleep(pause).await,
                found => return found.map_err(Failure::plain),
            }
        }
        self.requests.ask("GET /images/json", ask).await.map_err(Failure::plain)
    }
}

fn whole(id: &str) -> ImageId {
    ImageId(commit::with_algorithm(id))
}

/// Whether it is worth a question whose an image is: an engine may hold thousands without a name.
fn is_candidate(image: &ImageSummary, since: Option<i64>) -> bool {
    let is_too_old = since.is_some_and(|since| image.created < since - CLOCK_SLACK_SECONDS);
    !is_too_old && inspect::is_nameless(Some(&image.repo_tags), Some(&image.repo_digests))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_about_nameless_images_that_are_no_older_than_the_build() {
        let image = |created, tag: &str| ImageSummary { created, repo_tags: vec![tag.to_owned()], ..ImageSummary::default() };
        let cases = [
            (1_000_000, "<none>:<none>", Some(1_000_000), true),
            (1_000_000 - CLOCK_SLACK_SECONDS, "<none>:<none>", Some(1_000_000), true),
            (999_999 - CLOCK_SLACK_SECONDS, "<none>:<none>", Some(1_000_000), false),
            (0, "<none>:<none>", None, true),
            (1_000_000, "app:1", None, false),
        ];
        for (created, tag, since, expected) in cases {
            assert_eq!(is_candidate(&image(created, tag), since), expected, "{created} {tag} {since:?}");
        }
    }
}
