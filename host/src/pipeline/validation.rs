//! `validate`: judges builder and runtime image without building.

use std::sync::Arc;

use sti_core::{Progress, Pull, Reference};
use sti_policy::Named;
use sti_sandbox::Moment;

use super::{
    error::StiError,
    images::Images,
    judge::{Question, ask_all},
    verdict::{ImageVerdict, Role},
};
use crate::Host;

/// Images to be judged.
#[derive(Clone, Debug)]
pub struct ValidateRequest {
    /// Judged as a builder.
    pub builder_image: Reference,
    /// Judged as a plain one, and makes the builder one of an extended build.
    pub runtime_image: Option<Reference>,
    /// Whether the builder must be able to hand over artifacts.
    pub incremental: bool,
    /// `prepare` or `assemble`, where forced.
    pub contract: Option<String>,
    /// When images are pulled.
    pub pull: Pull,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct ValidateResult {
    /// One for each image, the builder first.
    pub verdicts: Vec<ImageVerdict>,
}

impl ValidateResult {
    /// Whether all images pass.
    pub fn passes(&self) -> bool {
        self.verdicts.iter().all(ImageVerdict::passes)
    }
}

/// Judges images, pulling what is missing. All findings of all images are answered.
///
/// # Errors
/// Where an image could not be judged: it is nowhere, the engine does not answer, a validator failed.
pub async fn validate(request: ValidateRequest, host: &Host, progress: Arc<dyn Progress>) -> Result<ValidateResult, StiError> {
    let lock = host.begin(progress.as_ref()).await?;
    let validated = judge_each(&request, host, &progress).await;
    host.end(lock, progress.as_ref()).await;
    validated
}

async fn judge_each(request: &ValidateRequest, host: &Host, progress: &Arc<dyn Progress>) -> Result<ValidateResult, StiError> {
    let validators = host.plugins.validators(Moment::Image, &host.policy).await?;
    // Nobody was asked: that is no reason to say that an image passes.
    if validators.is_empty() {
        return Err(StiError::NoValidator);
    }
    let mut verdicts = Vec::new();
    for (role, image) in request.images() {
        let named = request.named();
        let mut findings = Vec::new();
        for validator in validators.chunks(1) {
            let grant = host.policy.grant(&validator[0].1, &named);
            let images = Arc::new(Images::granted(host, grant, request.pull, named.images.clone(), Arc::clone(progress)));
            let facts = images.existing(image, |image, pull| role.missing(image, pull)).await?;
            let incremental = role == Role::Builder && (request.incremental || request.runtime_image.is_some());
            let question = Question { role, facts, incremental, contract: request.contract.clone() };
            findings.extend(ask_all(validator, &question, &images, progress).await?);
        }
        verdicts.push(ImageVerdict { role: role.name(), image: image.clone(), findings });
    }
    Ok(ValidateResult { verdicts })
}

impl ValidateRequest {
    fn images(&self) -> Vec<(Role, &Reference)> {
        let runtime = self.runtime_image.as_ref().map(|image| (Role::Runtime, image));
        std::iter::once((Role::Builder, &self.builder_image)).chain(runtime).collect()
    }

    fn named(&self) -> Named {
        let images: Vec<_> = self.images().into_iter().map(|(_, image)| image.clone()).collect();
        Named {
            tag: self.builder_image.clone(),
            images,
            environment: Vec::new(),
            network: sti_core::plan::Network::None,
            caches: Vec::new(),
            secrets: Vec::new(),
        }
    }
}
