//! `sti plan`.

use std::{process::ExitCode, sync::Arc};

use sti_core::BuildId;

use super::{
    args::{Output, PlanCommand},
    display, generated,
    interrupt::Interrupts,
    report::{print_json, print_line},
    request::build_request,
    scratch, surroundings,
};
use crate::{StiError, plan};

pub(super) async fn run(command: PlanCommand, output: &Output) -> Result<ExitCode, StiError> {
    let build = BuildId::draw();
    let request = build_request(&command.what, &build)?;
    let mut interrupts = Interrupts::listen()?;
    // Standard output belongs to the plan.
    let progress = display::of(&Output { json: false, ..output.clone() });
    scratch::tell(&request.source, command.what.fetching.no_cache, progress.as_ref());
    let host = interrupts.unless(surroundings::host(&command.what.place, &build, Arc::clone(&progress))).await?;
    let planning = Box::pin(plan(request, &host, Arc::clone(&progress)));
    let planned = interrupts.unless_cleaning(planning, &host, progress.as_ref()).await?;
    let plan = planned.plan.plan();
    if let Some(dir) = &command.what.dir {
        generated::check(dir)?;
        generated::keep(dir, plan)?;
    }
    if output.json {
        let json =
            serde_json::to_string_pretty(plan).map_err(|error| StiError::Ours(format!("cannot write the plan: {error}")))?;
        print_json(&json);
    } else {
        print_line(plan.to_text().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
