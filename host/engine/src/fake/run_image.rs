//! How the engine in memory runs an image as it says itself. Time passes at once there, so that nobody needs to be stopped.

use sti_core::{Event, progress::Stream};

use super::{FakeEngine, answers::no_such_image, execute};
use crate::{Error, Exit, ImageRun, RunEnd};

pub(super) fn run_image(engine: &FakeEngine, run: &ImageRun<'_>) -> Result<RunEnd, Error> {
    let stored = engine.store().images.get(run.image).cloned();
    let image = stored.ok_or_else(|| no_such_image(run.image))?.image;
    let command = [image.entrypoint.as_slice(), image.command.as_slice()].concat();
    let user = execute::resolve(&image.files, &image.user)?;
    let mut container = execute::container(&image, user, &command, run.network);
    let program = execute::program(engine, run.name, &container)?;
    let (name, ports) = (format!("sti-{}-run", engine.build), image.exposed_ports);
    run.progress.tell(Event::RunStarted { image: run.name.to_owned(), container: name, address: None, ports });
    let code = program(&mut container);
    let mut last_lines = Vec::new();
    for (stream, bytes) in [(Stream::Stdout, &container.stdout), (Stream::Stderr, &container.stderr)] {
        for line in execute::lines(bytes) {
            last_lines.push(line.clone());
            run.progress.tell(Event::RunOutput { stream, line });
        }
    }
    last_lines.drain(..last_lines.len().saturating_sub(execute::LAST_LINES));
    Ok(RunEnd { exit: Exit::Code(i64::from(code)), last_lines })
}
