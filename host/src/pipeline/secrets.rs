//! Secrets on the side of the host: nothing of them is told, and no product keeps one.

use std::sync::Arc;

use sti_core::{
    Event, ImageId, Needles, Plan, Progress,
    plan::{Base, StepId},
    progress::Level,
};
use sti_engine::{self as engine, Outcome};

use super::{BuildRequest, StiError};
use crate::Host;

/// The image that a product begins with, which was there before the build.
fn bases_of(plan: &Plan, mut id: StepId) -> Vec<ImageId> {
    // A step starts from an earlier one: policy has seen to that.
    while let Some(step) = plan.step(id) {
        match &step.base {
            Base::Image { id, .. } => return vec![id.clone()],
            Base::Step { step } => id = *step,
            Base::Scratch => break,
        }
    }
    Vec::new()
}

/// Stands before all that is told of a build, and lets no secret through.
#[derive(Clone)]
pub(super) struct Veil(Arc<Needles>);

impl Veil {
    pub(super) fn over(request: &BuildRequest) -> Self {
        Self(Arc::new(Needles::of(&request.secrets)))
    }

    /// The same sink with the veil before it.
    pub(super) fn before(&self, progress: Arc<dyn Progress>) -> Arc<dyn Progress> {
        if self.0.is_empty() { progress } else { Arc::new(Veiled { veil: self.clone(), progress }) }
    }

    /// An error whose words come from scripts, or from what they left.
    pub(super) fn over_error(&self, mut error: StiError) -> StiError {
        if let StiError::Engine(error) = &mut error {
            match error {
                engine::Error::StepFailed(failure) => failure.last_lines.iter_mut().for_each(|line| self.lay_over(line)),
                engine::Error::OutputInvalid { why, .. }
                | engine::Error::LabelsInvalid { why, .. }
                | engine::Error::NotRunnable { why, .. }
                | engine::Error::CreateContainerFailed { why, .. }
                | engine::Error::CommitFailed { why, .. }
                | engine::Error::Refused { why, .. } => self.lay_over(why),
                _ => {}
            }
        }
        error
    }

    /// Looks for what it hides in all that would be tagged.
    pub(super) async fn refuse_in_products(
        &self,
        host: &Host,
        plan: &Plan,
        outcome: &Outcome,
        progress: &dyn Progress,
    ) -> Result<(), StiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        progress.say(Level::Debug, "looking for the secrets in what was built".to_owned());
        for product in &plan.products {
            let Some(image) = outcome.images.get(&product.step) else { continue };
            let found = host.engine.find_secret(image, &bases_of(plan, product.step), &self.0).await?;
            if let Some(engine::Trace { secret, place }) = found {
                return Err(StiError::SecretInProduct { secret, product: product.tag.clone(), place });
            }
        }
        Ok(())
    }

    fn lay_over(&self, text: &mut String) {
        if let std::borrow::Cow::Owned(veiled) = self.0.veiled(text) {
            *text = veiled;
        }
    }
}

struct Veiled {
    veil: Veil,
    progress: Arc<dyn Progress>,
}

impl Progress for Veiled {
    fn tell(&self, mut event: Event) {
        if let Event::Output { line: text, .. } | Event::Message { text, .. } = &mut event {
            self.veil.lay_over(text);
        }
        self.progress.tell(event);
    }
}

#[cfg(test)]
mod tests {
    use sti_core::{Secret, plan::StepId};
    use sti_engine::{Exit, StepFailure};

    use super::*;

    #[test]
    fn errors_show_no_secret_that_a_script_printed() {
        let secret = ("token".to_owned(), Secret::value(b"s3cr3t-v4lue".to_vec()));
        let veil = Veil(Arc::new(Needles::of([(&secret.0, &secret.1)])));
        let failure = StepFailure {
            step: StepId(0),
            title: "prepare".to_owned(),
            command: vec!["/usr/bin/prepare".to_owned()],
            exit: Exit::Code(1),
            last_lines: vec!["GET /?key=s3cr3t-v4lue failed".to_owned()],
            kept: None,
        };
        let StiError::Engine(engine::Error::StepFailed(failure)) =
            veil.over_error(engine::Error::StepFailed(Box::new(failure)).into())
        else {
            panic!("it stays what it is")
        };
        assert_eq!(failure.last_lines, ["GET /?key=*** failed"]);
        let invalid = engine::Error::LabelsInvalid {
            title: String::new(),
            path: String::new(),
            why: "invalid type: string \"s3cr3t-v4lue\"".to_owned(),
        };
        assert!(!veil.over_error(invalid.into()).to_string().contains("s3cr3t"));
    }
}
