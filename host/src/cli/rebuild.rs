//! `sti rebuild`: what a product's labels record becomes the words of `sti build`, which the user sees, and whose own words count more.
//!
//! Labels are whoever's who made the image. What they say is read as a command line is, and may use nothing that is the user's own
//! alone: see [`trust`].

mod asked;
mod recorded;
mod trust;
mod words;

use std::{process::ExitCode, sync::Arc};

use sti_core::{BuildId, ImageFacts, Progress, Pull, Reference, progress::Level};

use super::{
    args::{BuildCommand, Output, RebuildCommand},
    build, display, environment,
    interrupt::Interrupts,
    report, request, surroundings,
};
use crate::{BuildRequest, NamedBy, Source, StiError};
use asked::Asked;
use recorded::Recorded;
use trust::Trust;
use words::Line;

pub(super) async fn run(command: RebuildCommand, output: &Output) -> Result<ExitCode, StiError> {
    let asked = match Asked::read(command, output) {
        Ok(asked) => asked,
        Err(error) => return Ok(report::usage(&error)),
    };
    // What stands behind the image says how it is told, too.
    let output = asked.output.clone();
    Ok(rebuild(asked).await.unwrap_or_else(|error| report::error(&error, &output)))
}

async fn rebuild(asked: Asked) -> Result<ExitCode, StiError> {
    if asked.command.as_dockerfile.is_some() {
        return Err(StiError::InvalidArgument {
            what: "`--as-dockerfile` builds nothing, and so nothing again".to_owned(),
            hint: Some("sti build SOURCE BUILDER_IMAGE TAG --as-dockerfile PATH".to_owned()),
        });
    }
    let progress = display::of(&asked.output);
    let facts = find(&asked, &progress).await?;
    let recorded = Recorded::of(&facts)?;
    let line = Line::of(&recorded, &asked)?;
    tell(&line, &recorded, progress.as_ref());
    drop(progress);
    let command = match asked::parse(line.words()) {
        Ok((command, ..)) => command,
        Err(error) => return Ok(report::usage(&error)),
    };
    let is_users_own = asked.source.is_some() || asked.trust == Trust::Labels;
    let read = move |command: &BuildCommand, build: &BuildId| {
        let mut request = request::build_request(&command.what, build)?;
        request.environment = environment::merged(recorded.environment.into_iter().chain(request.environment));
        if !is_users_own {
            name_by_label(&mut request);
        }
        Ok(request)
    };
    Box::pin(build::run_with(command, &asked.output, read)).await
}

/// The image whose labels are read: as the engine holds it, or else pulled, unless that is not wanted.
async fn find(asked: &Asked, progress: &Arc<dyn Progress>) -> Result<ImageFacts, StiError> {
    let mut interrupts = Interrupts::listen()?;
    let (image, pull) = (Reference::parse(&asked.image)?, request::pull(asked.command.what.pull));
    let place = &asked.command.what.place;
    let engine = interrupts.unless(surroundings::engine(place, &BuildId::draw(), Arc::clone(progress))).await?;
    let looking = async {
        let held = engine.inspect(&image, Pull::Never, progress.as_ref()).await?;
        match held {
            None if pull != Pull::Never => Ok(engine.inspect(&image, Pull::Missing, progress.as_ref()).await?),
            held => Ok(held),
        }
    };
    let found = interrupts.unless(looking).await?;
    found.ok_or(StiError::NoSuchImage { image, pull: if pull == Pull::Never { Pull::Never } else { Pull::Missing } })
}

/// Shows the command that is carried out: it is a stranger's as long as nobody has read it.
fn tell(line: &Line, recorded: &Recorded, progress: &dyn Progress) {
    progress.say(Level::Info, format!("building again: {}", line.shown()));
    let names: Vec<_> = recorded.environment.iter().map(|variable| variable.name.as_str()).collect();
    if !names.is_empty() {
        progress.say(Level::Info, format!("with variables as the image has them: {}", names.join(", ")));
    }
}

/// Its host is reached as one that a stranger names.
fn name_by_label(request: &mut BuildRequest) {
    if let Source::Address { address, .. } = &mut request.source {
        address.named_by = NamedBy::Label;
    }
}
