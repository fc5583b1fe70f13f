//! tmp
use crate::execute::Work;
use sti_core::{
    ImageId,
    plan::{Assemble, Build, Step, StepId},
};
use sti_engine::Error;
impl Work<'_> {
    pub(crate) async fn assemble_step(&self, _id: StepId, step: &Step, _a: &Assemble) -> Result<ImageId, Error> {
        Err(Error::Unsupported { title: step.title.clone(), what: "assembling".to_owned() })
    }
    pub(crate) async fn build_step(&self, _id: StepId, step: &Step, _a: &Build) -> Result<ImageId, Error> {
        Err(Error::Unsupported { title: step.title.clone(), what: "instructions".to_owned() })
    }
}
