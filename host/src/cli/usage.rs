//! `sti usage`.

use std::{io::Write, process::ExitCode, sync::Arc};

use serde_json::json;
use sti_core::{BuildId, Event, Progress, Reference, Tree, progress::Stream};

use super::{
    args::{Output, UsageCommand},
    display,
    interrupt::Interrupts,
    report::{print_json, print_line},
    request, scratch, surroundings, text,
};
use crate::{StiError, UsageRequest, usage};

pub(super) async fn run(command: UsageCommand, output: &Output) -> Result<ExitCode, StiError> {
    let mut interrupts = Interrupts::listen()?;
    let build = BuildId::draw();
    let image = Reference::parse(&command.image)?;
    // Removed with the answer.
    let empty = scratch::of_build(&build, None)?;
    let nothing = empty.tree().try_clone().map_err(|error| StiError::Ours(format!("cannot open a directory again: {error}")))?;
    let nothing = Tree::directory(nothing, "nothing".as_ref())?;
    let request = UsageRequest { image, scripts_url: command.scripts_url, pull: request::pull(command.pull), nothing };
    let progress: Arc<dyn Progress> = Arc::new(Explaining::new(output));
    let host = interrupts.unless(surroundings::host(&command.place, &build, Arc::clone(&progress))).await?;
    let explaining = Box::pin(usage(request, &host, Arc::clone(&progress)));
    let result = interrupts.unless_cleaning(explaining, &host, progress.as_ref()).await?;
    if output.json {
        print_json(&json!({"image": result.image, "script": result.script, "usage": result.text}));
    }
    Ok(ExitCode::SUCCESS)
}

/// The script's own words, on the two streams on which it says them, and of all else only what is no story: there is one step.
struct Explaining {
    rest: Arc<dyn Progress>,
    /// Whether what the script prints is the answer as it stands.
    answers: bool,
    debug: bool,
}

impl Explaining {
    fn new(output: &Output) -> Self {
        let rest = display::of(&Output { json: false, ..output.clone() });
        Self { rest, answers: !output.json, debug: output.debug }
    }
}

impl Progress for Explaining {
    fn tell(&self, event: Event) {
        match event {
            Event::Output { stream: Stream::Stdout, line, .. } => {
                if self.answers {
                    print_line(&line);
                }
            }
            Event::Output { stream: Stream::Stderr, line, .. } => {
                let _closed = writeln!(std::io::stderr().lock(), "{}", text::plain(&line));
            }
            Event::StepStarted { .. } | Event::StepFinished { .. } if !self.debug => {}
            event => self.rest.tell(event),
        }
    }
}
