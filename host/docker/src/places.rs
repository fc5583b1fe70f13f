//! Decides how each content of a run step gets to its place: in the one tar of the container, by a volume that another step has
//! filled, or out of the engine and in again where it must change its owner.

use sti_core::{
    ImageId,
    plan::{Content, ContentId, Names, Place, Placement, Run, Step, StepId, is_at_or_below},
};
use sti_engine::{
    Error,
    archive::{Choice, Owner, Times},
    secrets,
};

use crate::{
    container::{Begins, Mounted},
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
    /// The volume that holds it, where there is one.
    pub(crate) volume: Option<Volume>,
    /// Who owns what is in the volume.
    pub(crate) owner: Owner,
}

/// A volume with something that a step left.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    /// Its name.
    pub(crate) name: String,
    /// Where it is mounted: where the content lies, or at a directory above that is transient in the step that wants it.
    pub(crate) at: String,
}

impl Held {
    /// The volume, where it is mounted at this path.
    fn volume_at(&self, path: &str) -> Option<&str> {
        self.volume.as_ref().filter(|volume| volume.at == path).map(|volume| volume.name.as_str())
    }
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
        let transient = run.transient.iter().map(|at| {
            let handed_over = owner.and_then(|owner| self.handed_over_in(run, at, owner));
            let begins = if handed_over.is_some() { Begins::Empty } else { Begins::AsTheImage };
            Mounted { at: at.clone(), volume: handed_over.or_else(|| self.name_for(id, at)), begins }
        });
        let is_mount = |place: &&Place| run.is_mount(place) && !secrets::is_secret(self.plan(), place.content);
        let mounted = run.places.iter().filter(is_mount).map(|place| {
            let shared = owner.and_then(|owner| self.shared_volume(place.content, owner));
            Mounted { at: place.at.clone(), volume: shared.or_else(|| self.name_for(id, &place.at)), begins: Begins::Empty }
        });
        transient.chain(mounted).collect()
    }

    /// A volume that a later step mounts must outlive its container, so it needs a name. Podman's need one always: it writes the others
    /// into what is committed.
    fn name_for(&self, id: StepId, at: &str) -> Option<String> {
        let is_captured = self.plan().captures_of(id).any(|(_, path)| path == at);
        (is_captured || self.engine.is_podman).then(|| self.engine.ledger.volume())
    }

    /// The volume for a transient directory in which an earlier step's output lies already, where it belongs.
    fn handed_over_in(&self, run: &Run, directory: &str, owner: Owner) -> Option<String> {
        run.places.iter().find_map(|place| self.lies_in(run, place, directory, owner))
    }

    fn lies_in(&self, run: &Run, place: &Place, directory: &str, owner: Owner) -> Option<String> {
        if place.placement != Placement::Mounted || run.transient_above(&place.at) != Some(directory) {
            return None;
        }
        let held = self.held(place.content)?;
        let name = held.volume_at(directory)?;
        (held.path == place.at && held.owner == owner).then(|| name.to_owned())
    }

    /// What is poured into the container of a run step, in order.
    pub(crate) async fn pours(&self, step: &Step, run: &Run, owner: Owner) -> Result<Vec<Pour>, Error> {
        let base = self.base(step)?.map_or_else(String::new, |image| image.to_string());
        let mut pours = Vec::new();
        for place in run.places.iter().filter(|place| !secrets::is_secret(self.plan(), place.content)) {
            let is_mount = run.is_mount(place);
            let from = if self.lacks(place.content) {
                if !is_mount {
                    continue;
                }
                Spring::Nothing
            } else if place.placement == Placement::Mounted && self.is_there(run, place, owner) {
                continue;
            } else {
                self.spring(place.content, &step.title).await?
            };
            let times = match place.placement {
                Placement::Mounted => Times::Kept,
                Placement::Copied => self.times_of(&base, place.content),
            };
            let only = self.choice(place.content);
            pours.push(Pour { at: place.at.clone(), owner: Some(owner), from, times, only });
        }
        Ok(pours)
    }

    /// Has new volumes begin as the image has them. Podman does so when the container starts, and only where a volume is empty: too late for
    /// those that are given something before.
    pub(crate) async fn begin(&self, container: &str, image: &ImageId, mounts: &[Mounted], title: &str) -> Result<(), Error> {
        if !self.engine.is_podman {
            return Ok(());
        }
        for mounted in mounts.iter().filter(|mounted| mounted.begins == Begins::AsTheImage) {
            let probe = self.engine.probe(image).await?;
            let Some(real) = self.engine.real_path(&probe, &mounted.at).await? else { continue };
            let from = Spring::Archive(self.engine.archive_of(&probe, &real));
            let pour = Pour { at: mounted.at.clone(), owner: None, from, times: Times::Kept, only: None };
            self.engine.pour(container, vec![pour], mounts, &self.store, title, self.progress).await?;
        }
        Ok(())
    }

    /// Whether what is to be mounted is in its volume already: left there by an earlier step, or empty and root's.
    fn is_there(&self, run: &Run, place: &Place, owner: Owner) -> bool {
        if let Some(directory) = run.transient_above(&place.at) {
            let taken = self.handed_over_in(run, directory, owner);
            return taken.is_some() && self.lies_in(run, place, directory, owner) == taken;
        }
        let is_empty = matches!(self.plan().content(place.content), Some(Content::Empty));
        (is_empty && owner == Owner { uid: 0, gid: 0 }) || self.shared_volume(place.content, owner).is_some()
    }

    /// The volume of an earlier step, where nobody else needs it, all of it is wanted, and its owner is the same.
    fn shared_volume(&self, content: ContentId, owner: Owner) -> Option<String> {
        let (root, _, below) = self.plan().resolve(content)?;
        let held = self.held(root)?;
        let users = self.users_of(root);
        let volume = held.volume_at(&held.path)?.to_owned();
        (below.is_empty() && users == 1 && held.owner == owner).then_some(volume)
    }

    /// How often steps use a content or a part of it.
    pub(crate) fn users_of(&self, root: ContentId) -> usize {
        self.plan().steps.iter().flat_map(Step::contents).filter(|used| self.root_of(*used) == Some(root)).count()
    }

    /// Whether the step that should have left a content failed, and may.
    pub(crate) fn lacks(&self, content: ContentId) -> bool {
        self.root_of(content).is_some_and(|root| self.is_missing(root))
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

    /// The entries of a directory that a content is, where it is not all of them.
    pub(crate) fn choice(&self, content: ContentId) -> Option<Choice> {
        let glob = self.plan().glob(content)?;
        let path = self.plan().path_of(content).unwrap_or_else(|| glob.to_owned());
        Some(Choice { names: Names::of(glob).ok()?, path })
    }

    /// Where the bytes of a content come from.
    pub(crate) async fn spring(&self, content: ContentId, title: &str) -> Result<Spring, Error> {
        let unsupported = |what: &str| Error::Unsupported { title: title.to_owned(), what: what.to_owned() };
        let Some((root, resolved, below)) = self.plan().resolve(content) else {
            return Err(unsupported("a content that leads nowhere"));
        };
        let (container, path) = match resolved {
            Content::Source | Content::Empty | Content::Files { .. } | Content::Secret { .. } => {
                return Ok(Spring::Host(content));
            }
            Content::Cache { name } => return Err(unsupported(&format!("the cache `{name}`"))),
            Content::Part { .. } | Content::Matching { .. } => return Err(unsupported("a part of itself")),
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
            // Of what was captured as a whole, nothing is an empty directory; a part has to be there.
            let is_whole = below.is_empty() && matches!(resolved, Content::Capture { .. });
            return if is_whole { Ok(Spring::Nothing) } else { Err(Error::NotLeft { title: title.to_owned(), path: whole }) };
        };
        Ok(Spring::Archive(self.engine.archive_of(&container, &real)))
    }
}
