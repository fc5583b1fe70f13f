//! Validators are asked about the images before anything is planned: all that is wrong is said at once.

use std::sync::Arc;

use sti_core::{Finding, ImageFacts, Progress, Reference, Severity, Tree, progress::Level};
use sti_policy::PluginIdentity;
use sti_sandbox::{Moment, Plugin, Subject};

use super::{
    error::StiError,
    images::Images,
    request::BuildRequest,
    verdict::{ImageVerdict, Role},
};
use crate::Host;

/// Asks about builder and runtime image; any failure ends the build.
pub(super) async fn judge_images(
    request: &BuildRequest,
    source: &Tree,
    host: &Host,
    images: &Arc<Images>,
    progress: &Arc<dyn Progress>,
) -> Result<(), StiError> {
    let validators = host.plugins.validators(Moment::Image, &host.policy).await?;
    let mut failed = Vec::new();
    // The builder of an extended build hands artifacts to the next one; in a plain build that is for it to decide.
    let is_extended = request.runtime_image.is_some();
    for (role, image) in named_images(request) {
        let Some(facts) = images.held(image).await? else { continue };
        let source = Some(source.clone());
        let question =
            Question { role, facts, source, incremental: false, extended: is_extended, contract: request.contract.clone() };
        let mut findings = ask_all(&validators, &question, images, progress).await?;
        // Warnings are about the product, and the builder of an extended build becomes none.
        if is_extended && role == Role::Builder {
            findings.retain(|finding| finding.severity == Severity::Failure);
        }
        let failures = tell_findings(findings, image, progress.as_ref());
        if !failures.is_empty() {
            failed.push(ImageVerdict::of(role, image, failures));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(StiError::ValidationFailed { verdicts: failed }) }
}

fn named_images(request: &BuildRequest) -> Vec<(Role, &sti_core::Reference)> {
    let runtime = request.runtime_image.as_ref().map(|image| (Role::Runtime, image));
    std::iter::once((Role::Builder, &request.builder_image)).chain(runtime).collect()
}

/// A question to validators about one image.
pub(super) struct Question {
    pub(super) role: Role,
    pub(super) facts: ImageFacts,
    /// What is built, in a build.
    pub(super) source: Option<Tree>,
    pub(super) incremental: bool,
    pub(super) extended: bool,
    pub(super) contract: Option<String>,
}

/// Puts one question to every validator, and collects what they find.
pub(super) async fn ask_all(
    validators: &[(Plugin, PluginIdentity)],
    question: &Question,
    images: &Arc<Images>,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<Finding>, StiError> {
    let mut findings = Vec::new();
    for (plugin, _) in validators {
        let subject = Subject {
            moment: Moment::Image,
            role: question.role.name().to_owned(),
            image: Some(question.facts.clone()),
            source: question.source.clone(),
            plan: None,
            incremental: question.incremental,
            extended: question.extended,
            contract: question.contract.clone(),
            settings: Vec::new(),
        };
        let found = plugin.validate(subject, images.powers(Arc::clone(progress))).await;
        findings.extend(found.map_err(|error| images.recorded_refusal().unwrap_or_else(|| error.into()))?);
    }
    Ok(findings)
}

/// The warnings and notes of validators are told, with the image's name where they do not say it; the failures are answered.
fn tell_findings(findings: Vec<Finding>, image: &Reference, progress: &dyn Progress) -> Vec<Finding> {
    let (failures, rest): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.severity == Severity::Failure);
    for finding in rest {
        let level = match finding.severity {
            Severity::Note => Level::Info,
            _ => Level::Warning,
        };
        let is_named = finding.message.contains(&image.to_string());
        progress.say(level, if is_named { finding.message } else { format!("`{image}`: {}", finding.message) });
    }
    failures
}
