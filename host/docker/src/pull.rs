//! tmp
use crate::DockerEngine;
use sti_core::{Progress, Reference};
use sti_engine::Error;
impl DockerEngine {
    pub(crate) async fn pull(&self, _i: &Reference, _p: &dyn Progress) -> Result<bool, Error> {
        Ok(false)
    }
}
