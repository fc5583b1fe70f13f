//! Finds images by name, names them, and removes them where nobody needs them.

use bollard::{
    models::{ImageConfig, ImageInspect},
    query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder},
};
use sti_core::{ImageFacts, ImageId, Progress, Pull, Reference};
use sti_engine::Error;

use crate::{DockerEngine, image_config};

/// What becomes of the nameless images that an image was made from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parents {
    Stay,
    GoToo,
}

impl DockerEngine {
    /// Finds an image, pulling it where that is asked for.
    pub(crate) async fn find_image(
        &self,
        image: &Reference,
        pull: Pull,
        progress: &dyn Progress,
    ) -> Result<Option<ImageFacts>, Error> {
        if pull != Pull::Always
            && let Some(facts) = self.find_held(image).await?
        {
            return Ok(Some(facts));
        }
        // An id names an image that the engine holds or nothing: no registry knows it.
        if pull == Pull::Never || image.written().starts_with("sha256:") || !self.pull(image, progress).await? {
            return Ok(None);
        }
        let why = "the pull ended, and the image is not there".to_owned();
        let missing = || Error::PullFailed { image: image.clone(), why, hint: None };
        self.find_held(image).await?.map(Some).ok_or_else(missing)
    }

    async fn find_held(&self, image: &Reference) -> Result<Option<ImageFacts>, Error> {
        let Some(found) = self.inspect_image(&name_in_requests(image)).await? else { return Ok(None) };
        let id = ImageId(found.id.clone().unwrap_or_default());
        self.remember_config(&id, found.config.clone().unwrap_or_default());
        Ok(Some(image_config::facts(image, &id, &found)))
    }

    /// Asks for an image by name or id.
    pub(crate) async fn inspect_image(&self, name: &str) -> Result<Option<ImageInspect>, Error> {
        let request = format!("GET /images/{name}/json");
        match self.requests.ask(request, || self.requests.quick().inspect_image(name)).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure.plain()),
        }
    }

    /// What an image says of itself: without a request where it was asked for or made before.
    pub(crate) async fn config_of(&self, id: &ImageId) -> Result<ImageConfig, Error> {
        let known = self.configs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(id).cloned();
        if let Some(config) = known {
            return Ok(config);
        }
        let Some(found) = self.inspect_image(id.as_str()).await? else {
            let request = format!("GET /images/{id}/json");
            return Err(Error::Refused { request, why: "the image is gone".to_owned() });
        };
        let config = found.config.unwrap_or_default();
        self.remember_config(id, config.clone());
        Ok(config)
    }

    /// Remembers what an image says of itself.
    pub(crate) fn remember_config(&self, id: &ImageId, config: ImageConfig) {
        self.configs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.clone(), config);
    }

    /// Gives an image a name.
    pub(crate) async fn tag_image(&self, image: &ImageId, tag: &Reference) -> Result<(), Error> {
        let Some(version) = tag.tag() else {
            let why = "a digest cannot be given as a name; write `NAME:TAG`".to_owned();
            return Err(Error::Refused { request: format!("POST /images/{image}/tag"), why });
        };
        let options = TagImageOptionsBuilder::new().repo(&tag.name()).tag(version).build();
        let call = self.requests.quick().tag_image(image.as_str(), Some(options));
        self.requests.send(format!("POST /images/{image}/tag"), call).await.map_err(crate::failures::Failure::plain)?;
        self.ledger.tagged(image);
        Ok(())
    }

    /// Takes a name away. The engine removes the image with its last name, unless something else needs it.
    pub(crate) async fn untag_image(&self, tag: &Reference, image: &ImageId) -> Result<(), Error> {
        self.ledger.untagged(image);
        // Containers of this build may still use it, and go later.
        let options = RemoveImageOptionsBuilder::new().force(true).noprune(true).build();
        let name = name_in_requests(tag);
        let call = self.requests.quick().remove_image(&name, Some(options), None);
        match self.requests.send(format!("DELETE /images/{name}"), call).await {
            Err(failure) if !failure.is_not_found() => Err(failure.plain()),
            _ => Ok(()),
        }
    }

    /// Removes an image unless a name, a digest of a registry, a container or another image needs it.
    pub(crate) async fn remove_unneeded_image(&self, image: &ImageId) -> Result<bool, Error> {
        // Removing by id takes a single name along: so it is looked at first.
        let Some(found) = self.inspect_image(image.as_str()).await? else { return Ok(true) };
        if !is_nameless(found.repo_tags.as_deref(), found.repo_digests.as_deref()) {
            return Ok(false);
        }
        self.remove_image_by_id(image, Parents::Stay).await
    }

    /// Removes an image that the user wants removed, with the nameless images below it, unless a name, a container or another image
    /// needs it. That a registry knows it too keeps nobody from it.
    pub(crate) async fn remove_previous_image(&self, image: &ImageId) -> Result<bool, Error> {
        let Some(found) = self.inspect_image(image.as_str()).await? else { return Ok(true) };
        if !is_nameless(found.repo_tags.as_deref(), None) {
            return Ok(false);
        }
        self.remove_image_by_id(image, Parents::GoToo).await
    }

    async fn remove_image_by_id(&self, image: &ImageId, parents: Parents) -> Result<bool, Error> {
        let options = RemoveImageOptionsBuilder::new().force(false).noprune(parents == Parents::Stay).build();
        let call = self.requests.quick().remove_image(image.as_str(), Some(options), None);
        match self.requests.send(format!("DELETE /images/{image}"), call).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.is_not_found() => Ok(true),
            Err(failure) if failure.is_conflict() => Ok(false),
            Err(failure) => Err(failure.plain()),
        }
    }
}

/// Whether no registry and nobody here knows an image by name; older engines write that down, too.
pub(crate) fn is_nameless(tags: Option<&[String]>, digests: Option<&[String]>) -> bool {
    let is_none = |name: &String| name == "<none>:<none>" || name == "<none>@<none>";
    tags.unwrap_or_default().iter().chain(digests.unwrap_or_default()).all(is_none)
}

/// The whole name, so that a short one is never taken for the beginning of an id; an id as it stands.
fn name_in_requests(image: &Reference) -> String {
    if image.written().starts_with("sha256:") { image.written().to_owned() } else { image.canonical() }
}

#[cfg(test)]
mod tests {
    use super::is_nameless;

    #[test]
    fn a_tag_or_a_digest_is_a_name() {
        let list = |name: &str| vec![name.to_owned()];
        assert!(is_nameless(None, None));
        assert!(is_nameless(Some(&list("<none>:<none>")), Some(&list("<none>@<none>"))));
        assert!(!is_nameless(Some(&list("app:1")), None));
        assert!(!is_nameless(None, Some(&list("app@sha256:00"))));
    }
}
