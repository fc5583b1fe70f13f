//! `sti build`.

use std::{process::ExitCode, sync::Arc, time::Instant};

use sti_core::{BuildId, Plan, Progress, progress::Level};
use tokio::sync::Notify;

use super::{
    args::{BuildCommand, Output},
    as_dockerfile, background, callback, display, generated,
    interrupt::Interrupts,
    report::print_line,
    request::build_request,
    scratch, surroundings,
};
use crate::{BuildRequest, BuildResult, Host, StiError, build_as_approved, run_product};

/// What is said to those who want temporary files to be kept.
const NOTHING_TO_SAVE: &str = "`--save-temp-dir`: there is nothing to save, since no temporary directory is made; \
     `--dir DIR` keeps the plan, and `--debug` the container of a failed build";

pub(super) async fn run(command: BuildCommand, output: &Output) -> Result<ExitCode, StiError> {
    if let Some(path) = command.as_dockerfile.clone() {
        return Box::pin(as_dockerfile::run(command, &path, output)).await;
    }
    Box::pin(run_with(command, output, |command, build| build_request(&command.what, build))).await
}

/// Builds what `read` makes of the command, and does what else the command asks for.
pub(super) async fn run_with(
    command: BuildCommand,
    output: &Output,
    read: impl FnOnce(&BuildCommand, &BuildId) -> Result<BuildRequest, StiError>,
) -> Result<ExitCode, StiError> {
    let (progress, begun) = (display::of(output), Instant::now());
    let callback = callback::read(&command)?;
    let built = build(&command, output, &progress, read).await;
    if let Ok(Built { result, .. }) = &built
        && output.quiet
    {
        print_line(result.image.as_str());
    }
    if let Some(callback) = &callback {
        let ended = built.as_ref().map(|built| (&built.result, &built.host));
        Box::pin(callback::tell(callback, (&command.what.tag, begun.elapsed()), ended, &progress)).await;
    }
    let Built { result, host, mut interrupts } = built?;
    if command.no_wait_cleanup {
        background::clean_up(&command.what.place, &host, progress.as_ref()).await;
    }
    if command.run {
        let stop = Notify::new();
        let running = Box::pin(run_product(&result, stop.notified(), &host, Arc::clone(&progress)));
        interrupts.unless_stopping(running, &stop, &host).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A build that is done, and where it was made.
struct Built {
    result: BuildResult,
    host: Host,
    interrupts: Interrupts,
}

async fn build(
    command: &BuildCommand,
    output: &Output,
    progress: &Arc<dyn Progress>,
    read: impl FnOnce(&BuildCommand, &BuildId) -> Result<BuildRequest, StiError>,
) -> Result<Built, StiError> {
    // Before anybody listens for signals: reading the request may wait, for a pipe given as a file, and nothing is to be cleaned up yet.
    let build = BuildId::draw();
    let mut request = read(command, &build)?;
    let mut interrupts = Interrupts::listen()?;
    request.remove_previous = command.rm_previous;
    request.leave_clean_up = command.no_wait_cleanup;
    request.keep_failed = output.debug;
    if command.save_temp_dir {
        progress.say(Level::Info, NOTHING_TO_SAVE.to_owned());
    }
    scratch::tell(&request.source, command.what.fetching.no_cache, progress.as_ref());
    let host = interrupts.unless(surroundings::host(&command.what.place, &build, Arc::clone(progress))).await?;
    let dir = command.what.dir.as_deref();
    dir.map_or(Ok(()), generated::check)?;
    let keep = |plan: &Plan| dir.map_or(Ok(()), |dir| generated::keep(dir, plan));
    let building = build_as_approved(request, &host, Arc::clone(progress), &keep);
    let result = interrupts.unless_cleaning(Box::pin(building), &host, progress.as_ref()).await?;
    Ok(Built { result, host, interrupts })
}
