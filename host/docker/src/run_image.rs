//! An image that runs as it says itself: its container from creation to its end.

use std::{pin::pin, time::Duration};

use bollard::{
    container::LogOutput,
    errors::Error as Answer,
    models::ContainerInspectResponse,
    query_parameters::{
        AttachContainerOptionsBuilder, InspectContainerOptions, StartContainerOptions, StopContainerOptionsBuilder,
    },
};
use futures_util::{Stream, StreamExt};
use sti_core::{Event, Progress, progress::Stream as Printed};
use sti_engine::{Error, Exit, GRACE, ImageRun, RunEnd};

use crate::{
    DockerEngine,
    failures::Failure,
    output_lines::{LastLines, Lines},
    run::{DRAIN, KILLED, runtime_complaint},
};

impl DockerEngine {
    /// Runs an image by its own words until it ends, or is told to.
    pub(crate) async fn run_as_it_says(&self, run: ImageRun<'_>) -> Result<RunEnd, Error> {
        // Until the end is reached in good order, a request may be on its way whose answer nobody has seen.
        self.ledger.set_interrupted(true);
        let title = format!("running {}", run.name);
        let container = self.create(run.image, self.body_as_it_says(run.image, run.network), &title).await?;
        let ended = self.run_container(&container, &title, run).await;
        self.ledger.set_interrupted(matches!(ended, Err(Error::ConnectionFailed { .. })));
        ended
    }

    async fn run_container(&self, container: &str, title: &str, run: ImageRun<'_>) -> Result<RunEnd, Error> {
        let config = self.config_of(run.image).await?;
        let words: Vec<String> = config.entrypoint.into_iter().chain(config.cmd).flatten().collect();
        let command = words.first().cloned().unwrap_or_default();
        let attach = AttachContainerOptionsBuilder::new().stream(true).stdout(true).stderr(true).build();
        let call = self.requests.patient().attach_container(container, Some(attach));
        let attached = self.requests.send(format!("POST /containers/{container}/attach"), call).await;
        let attached = attached.map_err(|failure| failure.while_starting(title, &command))?;
        let call = self.requests.quick().start_container(container, None::<StartContainerOptions>);
        let started = self.requests.send(format!("POST /containers/{container}/start"), call).await;
        started.map_err(|failure| failure.while_starting(title, &command))?;
        let (image, address) = (run.name.to_owned(), self.address_of(container).await);
        let ports = config.exposed_ports.unwrap_or_default();
        run.progress.tell(Event::RunStarted { image, container: container.to_owned(), address, ports });
        let mut last = LastLines::default();
        let code = {
            let mut printed = pin!(follow(attached.output, run.progress, &mut last));
            let mut ended = pin!(self.wait_or_stop(container, run.stop));
            tokio::select! {
                code = &mut ended => {
                    // A part of the output that never arrives is no reason to wait for ever.
                    let _ = tokio::time::timeout(DRAIN, printed).await;
                    code
                }
                () = &mut printed => ended.await,
            }
        }?;
        let last_lines = last.into_lines();
        if let Some(why) = runtime_complaint(&words, code, &last_lines) {
            return Err(Error::NotRunnable { title: title.to_owned(), command, why: why.to_owned() });
        }
        let out_of_memory = code == KILLED && self.was_out_of_memory(container).await;
        let exit = if out_of_memory { Exit::OutOfMemory } else { Exit::Code(code) };
        Ok(RunEnd { exit, last_lines })
    }

    async fn wait_or_stop(&self, container: &str, stop: impl Future<Output = ()>) -> Result<i64, Error> {
        let mut ended = pin!(self.wait(container));
        tokio::select! {
            code = &mut ended => return code,
            () = stop => {}
        }
        let seconds = i32::try_from(GRACE.as_secs()).unwrap_or(i32::MAX);
        let call = self.requests.patient().stop_container(container, Some(StopContainerOptionsBuilder::new().t(seconds).build()));
        match self.requests.send(format!("POST /containers/{container}/stop"), call).await {
            // It ended by itself meanwhile.
            Err(failure) if !failure.is_not_found() => return Err(failure.plain()),
            _ => {}
        }
        // An engine that has stopped a container knows of it; should it forget to say so, nobody waits for ever.
        let late = |_| Failure::refused(format!("POST /containers/{container}/wait"), "no answer after the stop").plain();
        tokio::time::timeout(GRACE + Duration::from_secs(5), ended).await.map_err(late)?
    }

    /// Where a container is reached from the engine's machine; nothing where the engine does not say so.
    async fn address_of(&self, container: &str) -> Option<String> {
        let ask = || self.requests.quick().inspect_container(container, None::<InspectContainerOptions>);
        let found = self.requests.ask(format!("GET /containers/{container}/json"), ask).await.ok()?;
        first_address(found)
    }
}

fn first_address(found: ContainerInspectResponse) -> Option<String> {
    let networks = found.network_settings?.networks?;
    networks.into_values().filter_map(|network| network.ip_address).find(|address| !address.is_empty())
}

async fn follow(
    mut output: impl Stream<Item = Result<LogOutput, Answer>> + Unpin,
    progress: &dyn Progress,
    last: &mut LastLines,
) {
    let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
    let mut tell = |stream: Printed, line: String| {
        last.push(line.clone());
        progress.tell(Event::RunOutput { stream, line });
    };
    // A connection that is lost here is lost for the one that waits too, which tells of it.
    while let Some(Ok(frame)) = output.next().await {
        match frame {
            LogOutput::StdErr { message } => stderr.push(&message, &mut |line| tell(Printed::Stderr, line)),
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                stdout.push(&message, &mut |line| tell(Printed::Stdout, line));
            }
            LogOutput::StdIn { .. } => {}
        }
    }
    stdout.finish(&mut |line| tell(Printed::Stdout, line));
    stderr.finish(&mut |line| tell(Printed::Stderr, line));
}
