//! Looks for links on the way to the places of a step, before anything is put there: the engine would go through them.

use std::collections::BTreeSet;

use sti_core::{
    ImageId,
    plan::{Base, Step},
};
use sti_engine::{Error, detour};

use crate::{execute::Work, look::Lying};

impl Work<'_> {
    /// Refuses the places that a link leads elsewhere. They are looked at in a container of the base that has not started, or in the
    /// one in which that image is looked into.
    pub(crate) async fn refuse_detours(&self, step: &Step, image: &ImageId, container: Option<&str>) -> Result<(), Error> {
        let mut known = BTreeSet::new();
        for at in detour::places_in_doubt(step) {
            for way in detour::way_to(at) {
                if known.contains(way) || self.engine.memory.is_plain(image, way) {
                    continue;
                }
                let container = match container {
                    Some(container) => container.to_owned(),
                    None => self.engine.probe(image).await?,
                };
                let lying = self.engine.lies_at(&container, way).await?;
                if let Lying::Link(target) = lying {
                    return Err(detour::refused(step, at, way, &target));
                }
                // The image of a step is of use to this build only.
                if matches!(step.base, Base::Image { .. }) {
                    self.engine.memory.learn_plain(image, way);
                }
                known.insert(way);
                // Nothing is below either, or the engine will say what it thinks of that.
                if matches!(lying, Lying::Nothing | Lying::Other) {
                    break;
                }
            }
        }
        Ok(())
    }
}
