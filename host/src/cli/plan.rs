//! `sti plan`.

use std::{process::ExitCode, sync::Arc};

use sti_core::BuildId;

use super::{
    args::{Output, PlanCommand},
    display, generated,
    interrupt::Interrupts,
    report::print_line,
    request::build_request,
    surroundings,
};
use crate::{StiError, plan};

pub(super) async fn run(command: PlanCommand, output: &Output) -> Result<ExitCode, StiError> {
    let mut interrupts = Interrupts::listen()?;
    let request = build_request(&command.what)?;
    // Standard output belongs to the plan.
    let progress = display::of(&Output { json: false, ..output.clone() });
    let host = surroundings::host(&command.what.place, &BuildId::draw(), Arc::clone(&progress)).await?;
    let planned = interrupts.unless_interrupted(plan(request, &host, progress)).await;
    let planned = match planned {
        Ok(planned) => planned?,
        Err(signal) => {
            host.abandon().await?;
            return Err(StiError::Interrupted { signal });
        }
    };
    let plan = planned.plan.plan();
    if let Some(dir) = &command.what.dir {
        generated::check(dir)?;
        generated::keep(dir, plan)?;
    }
    if output.json {
        let json =
            serde_json::to_string_pretty(plan).map_err(|error| StiError::Ours(format!("cannot write the plan: {error}")))?;
        print_line(&json);
    } else {
        print_line(plan.to_text().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
