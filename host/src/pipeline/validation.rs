//! `validate`: judges builder and runtime image without building.

use std::sync::Arc;

use sti_core::{Finding, Progress, Pull, Reference};
use sti_policy::{Named, PluginIdentity};
use sti_sandbox::{Moment, Plugin};

use super::{
    error::{Condition, StiError},
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

    /// What the outcome is known by, where not all images pass: that of the first image that could not be had, else `validation-failed`.
    pub fn condition(&self) -> Option<Condition> {
        let failed = Condition { name: "validation-failed", exit: 1 };
        let not_had = self.verdicts.iter().find_map(|verdict| verdict.not_had);
        (!self.passes()).then_some(not_had.unwrap_or(failed))
    }
}

/// Judges images, pulling what is missing. All findings of all images are answered; that an image is nowhere, or cannot be pulled, is
/// such a finding.
///
/// # Errors
/// Where nothing could be judged: the engine does not answer, or a validator failed.
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
        verdicts.push(match judge(role, image, request, &validators, host, progress).await {
            Ok(findings) => ImageVerdict::of(role, image, findings),
            Err(error) if is_about_the_image(&error) => ImageVerdict::not_had(role, image, &error),
            Err(error) => return Err(error),
        });
    }
    Ok(ValidateResult { verdicts })
}

async fn judge(
    role: Role,
    image: &Reference,
    request: &ValidateRequest,
    validators: &[(Plugin, PluginIdentity)],
    host: &Host,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<Finding>, StiError> {
    let named = request.named();
    let mut findings = Vec::new();
    for validator in validators.chunks(1) {
        let grant = host.policy.grant(&validator[0].1, &named);
        let images = Arc::new(Images::granted(host, grant, request.pull, named.images.clone(), Arc::clone(progress)));
        let facts = images.existing(image, |image, pull| role.missing(image, pull)).await?;
        let incremental = role == Role::Builder && request.incremental;
        let extended = request.runtime_image.is_some();
        let question = Question { role, facts, source: None, incremental, extended, contract: request.contract.clone() };
        findings.extend(ask_all(validator, &question, &images, progress).await?);
    }
    Ok(findings)
}

/// Whether the other image can still be judged.
fn is_about_the_image(error: &StiError) -> bool {
    matches!(
        error,
        StiError::NoSuchBuilderImage { .. }
            | StiError::NoSuchRuntimeImage { .. }
            | StiError::Engine(sti_engine::Error::PullFailed { .. })
    )
}

impl ValidateRequest {
    fn images(&self) -> Vec<(Role, &Reference)> {
        let runtime = self.runtime_image.as_ref().map(|image| (Role::Runtime, image));
        std::iter::once((Role::Builder, &self.builder_image)).chain(runtime).collect()
    }

    fn named(&self) -> Named {
        let images = self.images().into_iter().map(|(_, image)| image.clone()).collect();
        Named::images(images, self.builder_image.clone())
    }
}
