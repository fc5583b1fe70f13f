//! `sti build`.

use std::{process::ExitCode, sync::Arc};

use sti_core::BuildId;

use super::{
    args::{BuildCommand, Output},
    display, generated,
    interrupt::Interrupts,
    report::print_line,
    request::build_request,
    surroundings,
};
use crate::{BuildRequest, BuildResult, Host, StiError, build_as_approved};

pub(super) async fn run(command: BuildCommand, output: &Output) -> Result<ExitCode, StiError> {
    let mut interrupts = Interrupts::listen()?;
    let mut request = build_request(&command.what)?;
    request.remove_previous = command.rm_previous;
    request.keep_failed = output.debug;
    let progress = display::of(output);
    let build = BuildId::draw();
    let connect = surroundings::host(&command.what.place, &build, Arc::clone(&progress));
    let host = interrupts.unless_interrupted(connect).await.map_err(|signal| StiError::Interrupted { signal })??;
    if let Some(dir) = &command.what.dir {
        generated::check(dir)?;
    }
    let result = until_interrupted(&mut interrupts, request, &host, &progress, command.what.dir.as_deref()).await?;
    if output.quiet {
        print_line(result.image.as_str());
    }
    Ok(ExitCode::SUCCESS)
}

async fn until_interrupted(
    interrupts: &mut Interrupts,
    request: BuildRequest,
    host: &Host,
    progress: &Arc<dyn sti_core::Progress>,
    dir: Option<&std::path::Path>,
) -> Result<BuildResult, StiError> {
    let keep = |plan: &sti_core::Plan| dir.map_or(Ok(()), |dir| generated::keep(dir, plan));
    let building = Box::pin(build_as_approved(request, host, Arc::clone(progress), &keep));
    let built = interrupts.unless_interrupted(building).await;
    match built {
        Ok(built) => built,
        Err(signal) => {
            progress.say(sti_core::progress::Level::Warning, "interrupted: cleaning up".to_owned());
            host.abandon().await?;
            Err(StiError::Interrupted { signal })
        }
    }
}
