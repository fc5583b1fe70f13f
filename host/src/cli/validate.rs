//! `sti validate`.

use std::{process::ExitCode, sync::Arc};

use serde_json::json;
use sti_core::{BuildId, Finding, Reference, Severity};

use super::{
    args::{Output, ValidateCommand},
    display,
    interrupt::Interrupts,
    report::{print_json, print_line},
    request, surroundings,
};
use crate::{ImageVerdict, StiError, ValidateRequest, ValidateResult, validate};

pub(super) async fn run(command: ValidateCommand, output: &Output) -> Result<ExitCode, StiError> {
    let mut interrupts = Interrupts::listen()?;
    let request = ValidateRequest {
        builder_image: Reference::parse(&command.builder_image)?,
        runtime_image: command.runtime.as_deref().map(Reference::parse).transpose()?,
        incremental: command.incremental,
        contract: command.contract.map(request::contract),
        pull: request::pull(command.pull),
    };
    // Standard output belongs to the verdicts.
    let progress = display::of(&Output { json: false, ..output.clone() });
    let build = BuildId::draw();
    let host = interrupts.unless(surroundings::host(&command.place, &build, Arc::clone(&progress))).await?;
    let validating = Box::pin(validate(request, &host, Arc::clone(&progress)));
    let result = interrupts.unless_cleaning(validating, &host, progress.as_ref()).await?;
    print(&result, output);
    Ok(result.condition().map_or(ExitCode::SUCCESS, |condition| ExitCode::from(condition.exit)))
}

fn print(result: &ValidateResult, output: &Output) {
    if output.json {
        let condition = result.condition().map(|condition| condition.name);
        let images: Vec<_> = result
            .verdicts
            .iter()
            .map(|verdict| {
                json!({"role": verdict.role, "image": verdict.image, "passes": verdict.passes(), "findings": verdict.findings})
            })
            .collect();
        print_json(&json!({"passes": result.passes(), "condition": condition, "images": images}));
    } else if !output.quiet {
        result.verdicts.iter().flat_map(lines).for_each(|line| print_line(&line));
    }
}

fn lines(verdict: &ImageVerdict) -> Vec<String> {
    let outcome = if verdict.passes() { "passes" } else { "fails" };
    let head = format!("{} image {} {outcome}", verdict.role, verdict.image);
    std::iter::once(head).chain(verdict.findings.iter().flat_map(finding_lines)).collect()
}

fn finding_lines(finding: &Finding) -> Vec<String> {
    let word = match finding.severity {
        Severity::Failure => "",
        Severity::Warning => "warning: ",
        Severity::Note => "note: ",
    };
    let hint = finding.hint.iter().map(|hint| format!("      hint: {hint}"));
    std::iter::once(format!("  - {word}{}", finding.message)).chain(hint).collect()
}
