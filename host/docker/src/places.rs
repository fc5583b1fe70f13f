//! Decides how each content of a run step gets to its place: in the one tar of the container, by a volume that another step has
//! filled, or out of the engine and in again where it must change its owner.

use sti_core::plan::{Content, ContentId, Place, Placement, Run, Step, StepId, is_at_or_below};
use sti_engine::{
    Error,
    archive::{Owner, Times},
};

use crate::{
    container::Mounted,
    contents::{self, Pour, Spring},
    execute::Work,
    identity,
};

/// What a step left of a content: where it lies, until the end of the build.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The container through which it can be read.
    pub(crate) container: String,
    /// Where it lies in that container.
    pub(crate) path: String,
    /// The volume that holds it and nothing else, where there is one.
    pub(crate) volume: Option<String>,
    /// Who owns what is in the volume.
    pub(crate) owner: Owner,
}

impl Work<'_> {
    /// Whether the mounts of a run step depend on whose they are to be, or hide where that is looked up: so it must be known before
    /// the container is made.
    pub(crate) fn must_know_owner_first(&self, run: &Run) -> bool {
        let is_handed_over = |place: &Place| self.root_of(place.content).is_some_and(|root| self.held(root).is_some());
        let hides = |place: &Place| is_at_or_below(&place.at, identity::LISTS);
        run.places.iter().filter(|place| place.placement == Placement::Mounted).any(|place| is_handed_over(place) || hides(place))
    }

    /// The mounts of a run step; without an owner, nothing is shared.
    pub(crate) fn mounts(&self, id: StepId, run: &Run, owner: Option<Owner>) -> Vec<Mounted> {
        let mounted = run.places.iter().filter(|place| place.placement == Placement::Mounted);
        mounted.map(|place| self.mount(id, place, owner)).collect()
    }

    fn mount(&self, id: StepId, place: &Place, owner: Option<Owner>) -> Mounted {
        let at = place.at.clone();
        if let Some(volume) = owner.and_then(|owner| self.shared_volume(place.content, owner)) {
            return Mounted { at, volume: Some(volume) };
        }
        // A volume that a later step mounts must outlive its container, so it needs a name. Podman's need one always: it writes
        // the others into what is committed.
        let is_captured = self.plan().captures_of(id).any(|(_, path)| path == at);
        let volume = (is_captured || self.engine.is_podman).then(|| self.engine.ledger.volume());
        Mounted { at, volume }
    }

    /// What is poured into the container of a run step, in order.
    pub(crate) async fn pours(&self, step: &Step, run: &Run, owner: Owner) -> Result<Vec<Pour>, Error> {
        let base = self.base(step)?.map_or_else(String::new, |image| image.to_string());
        let mut pours = Vec::new();
        for place in &run.places {
            let times = match place.placement {
                Placement::Mounted if self.is_there(place.content, owner) => continue,
                Placement::Mounted => Times::Kept,
                Placement::Copied => self.times_of(&base, place.content),
            };
            let from = self.spring(place.content, &step.title).await?;
            pours.push(Pour { at: place.at.clone(), owner, from, times });
        }
        Ok(pours)
    }

    /// Whether what is to be mounted is in the volume already: left there by an earlier step, or empty and root's.
    fn is_there(&self, content: ContentId, owner: Owner) -> bool {
        let is_empty = matches!(self.plan().content(content), Some(Content::Empty));
        (is_empty && owner == Owner { uid: 0, gid: 0 }) || self.shared_volume(content, owner).is_some()
    }

    /// The volume of an earlier step, where nobody else needs it, all of it is wanted, and its owner is the same.
    fn shared_volume(&self, content: ContentId, owner: Owner) -> Option<String> {
        let (root, _, below) = self.plan().resolve(content)?;
        let held = self.held(root)?;
        let users = self.plan().steps.iter().flat_map(Step::contents).filter(|used| self.root_of(*used) == Some(root)).count();
        if below.is_empty() && users == 1 && held.owner == owner { held.volume } else { None }
    }

    fn root_of(&self, content: ContentId) -> Option<ContentId> {
        self.plan().resolve(content).map(|(root, _, _)| root)
    }

    /// The times of content that becomes a part of an image: its own, or drawn where it has none.
    pub(crate) fn times_of(&self, base: &str, content: ContentId) -> Times {
        match self.plan().resolve(content) {
            Some((_, Content::Files { .. } | Content::Empty, _)) => Times::All(contents::time_of(base, content)),
            _ => Times::Kept,
        }
    }

    /// Where the bytes of a content come from.
    pub(crate) async fn spring(&self, content: ContentId, title: &str) -> Result<Spring, Error> {
        let unsupported = |what: &str| Error::Unsupported { title: title.to_owned(), what: what.to_owned() };
        let Some((root, resolved, below)) = self.plan().resolve(content) else {
            return Err(unsupported("a content that leads nowhere"));
        };
        let (container, path) = match resolved {
            Content::Source | Content::Empty | Content::Files { .. } => return Ok(Spring::Host(content)),
            Content::Cache { name } => return Err(unsupported(&format!("the cache `{name}`"))),
            Content::Secret { name } => return Err(unsupported(&format!("the secret `{name}`"))),
            Content::Part { .. } => return Err(unsupported("a part of itself")),
            Content::Capture { .. } | Content::Output { .. } => {
                let held = self.held(root).ok_or_else(|| unsupported("what no earlier step has left"))?;
                (held.container, held.path)
            }
            Content::ImageFiles { step, path } => {
                let image = self.image_of(*step, title)?;
                (self.engine.probe(&image).await?, path.clone())
            }
        };
        let whole = if below.is_empty() { path } else { format!("{path}/{below}") };
        let Some(real) = self.engine.real_path(&container, &whole).await? else {
            return Err(Error::Refused {
                request: format!("taking `{whole}` for `{title}`"),
                why: "nothing is there".to_owned(),
            });
        };
        Ok(Spring::Archive(self.engine.archive_of(&container, &real)))
    }
}
