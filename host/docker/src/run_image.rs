//! An image that runs as it says itself: its container from creation to its end.

use std::{pin::pin, time::Duration};

use bollard::{
    models::ContainerInspectResponse,
    query_parameters::{InspectContainerOptions, StopContainerOptionsBuilder},
};
use sti_core::Event;
use sti_engine::{Error, GRACE, ImageRun, RunEnd};

use crate::{
    DockerEngine,
    failures::Failure,
    output_lines::LastLines,
    run::{follow, heard_to_the_end, runtime_complaint},
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
        let output = self.start(container, title, &command).await?;
        let (image, address) = (run.name.to_owned(), self.address_of(container).await);
        let ports = config.exposed_ports.unwrap_or_default();
        run.progress.tell(Event::RunStarted { image, container: container.to_owned(), address, ports });
        let mut last = LastLines::default();
        let tell = |stream, line| run.progress.tell(Event::RunOutput { stream, line });
        let printed = follow(output, None, &mut last, &tell);
        let code = heard_to_the_end(printed, self.wait_or_stop(container, run.stop)).await?;
        let last_lines = last.into_lines();
        if let Some(why) = runtime_complaint(&words, code, &last_lines) {
            return Err(Error::NotRunnable { title: title.to_owned(), command, why: why.to_owned() });
        }
        Ok(RunEnd { exit: self.exit_of(container, code).await, last_lines })
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
