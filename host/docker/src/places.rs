//! Decides how each content of a run step gets to its place: in the one tar of the container, by a volume that another step has
//! filled, or out of the engine and in again where it must change its owner.

use sti_core::{
    Identity,
    plan::{Content, ContentId, Place, Placement, Run, Step, StepId},
};
use sti_engine::{
    Error,
    archive::{Owner, Times},
};

use crate::{
    container::Mounted,
    contents::{self, Pour, Spring},
    execute::Work,
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

/// What the container of a run step is given.
#[derive(Default)]
pub(crate) struct Provisions {
    pub(crate) mounts: Vec<Mounted>,
    pub(crate) pours: Vec<Pour>,
}

impl Work<'_> {
    /// Decides for all places of a run step.
    pub(crate) async fn provide(&self, id: StepId, step: &Step, run: &Run, identity: &Identity) -> Result<Provisions, Error> {
        let owner = Owner { uid: identity.uid, gid: identity.gid };
        let base = self.base(step)?.map_or_else(String::new, |image| image.to_string());
        let mut provisions = Provisions::default();
        for place in &run.places {
            match place.placement {
                Placement::Mounted => self.provide_mount(id, step, place, owner, &mut provisions).await?,
                Placement::Copied => {
                    let from = self.spring(place.content, &step.title).await?;
                    let times = self.times_of(&base, place.content);
                    provisions.pours.push(Pour { at: place.at.clone(), owner, from, times });
                }
            }
        }
        Ok(provisions)
    }

    async fn provide_mount(
        &self,
        id: StepId,
        step: &Step,
        place: &Place,
        owner: Owner,
        provisions: &mut Provisions,
    ) -> Result<(), Error> {
        let at = place.at.clone();
        if let Some(volume) = self.shared_volume(place.content, owner) {
            provisions.mounts.push(Mounted { at, volume: Some(volume) });
            return Ok(());
        }
        // A volume that a later step mounts must outlive its container, so it needs a name. Podman's need one always: it writes
        // the others into what is committed.
        let is_captured = self.plan().captures_of(id).any(|(_, path)| path == at);
        let volume = (is_captured || self.engine.is_podman).then(|| self.engine.ledger.volume());
        provisions.mounts.push(Mounted { at: at.clone(), volume });
        if !self.is_fresh_volume(place.content, owner) {
            let from = self.spring(place.content, &step.title).await?;
            provisions.pours.push(Pour { at, owner, from, times: Times::Kept });
        }
        Ok(())
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

    /// An empty volume belongs to root already.
    fn is_fresh_volume(&self, content: ContentId, owner: Owner) -> bool {
        let is_empty = matches!(self.plan().content(content), Some(Content::Empty));
        is_empty && owner == Owner { uid: 0, gid: 0 }
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
