//! An assemble step: layers made of content, copied by the engine's own builder without running anything.

use sti_core::{
    ImageId,
    plan::{Assemble, Network, Step, StepId},
};
use sti_engine::Error;

use crate::{execute::Work, instructions};

impl Work<'_> {
    /// Carries out an assemble step. Times are drawn, so that equal content on an equal base is an equal layer.
    pub(crate) async fn assemble_step(&self, id: StepId, step: &Step, assemble: &Assemble) -> Result<ImageId, Error> {
        self.by_dockerfile(id, step, Network::None, true, |base| instructions::of_assemble(assemble, base)).await
    }
}
