//! `sti build`.

use std::{process::ExitCode, sync::Arc};

use sti_core::{BuildId, Plan};

use super::{
    args::{BuildCommand, Output},
    display, generated,
    interrupt::Interrupts,
    report::print_line,
    request::build_request,
    scratch, surroundings,
};
use crate::{StiError, build_as_approved};

pub(super) async fn run(command: BuildCommand, output: &Output) -> Result<ExitCode, StiError> {
    // Before anybody listens for signals: reading the request may wait, for a pipe given as a file, and nothing is to be cleaned up yet.
    let build = BuildId::draw();
    let mut request = build_request(&command.what, &build)?;
    let mut interrupts = Interrupts::listen()?;
    request.remove_previous = command.rm_previous;
    request.keep_failed = output.debug;
    let progress = display::of(output);
    scratch::tell(&request.source, command.what.fetching.no_cache, progress.as_ref());
    let host = interrupts.unless(surroundings::host(&command.what.place, &build, Arc::clone(&progress))).await?;
    let dir = command.what.dir.as_deref();
    dir.map_or(Ok(()), generated::check)?;
    let keep = |plan: &Plan| dir.map_or(Ok(()), |dir| generated::keep(dir, plan));
    let building = build_as_approved(request, &host, Arc::clone(&progress), &keep);
    let result = interrupts.unless_cleaning(Box::pin(building), &host, progress.as_ref()).await?;
    if output.quiet {
        print_line(result.image.as_str());
    }
    Ok(ExitCode::SUCCESS)
}
