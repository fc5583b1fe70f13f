//! Every request to the engine goes through here: counted, timed, told where `--debug` wants it, and repeated only where it
//! changed nothing.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bollard::{Docker, errors::Error as Answer};
use sti_core::{Event, Progress};

use crate::failures::Failure;

/// How often a question is asked before the engine counts as gone.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Waiting for a script, taking in a source or making a layer may take as long as it takes.
const PATIENCE: Duration = Duration::from_hours(30 * 24);

/// The line to one engine.
pub(crate) struct Requests {
    docker: Docker,
    patient: Docker,
    endpoint: String,
    sent: AtomicU64,
    told: Option<Arc<dyn Progress>>,
}

impl Requests {
    /// A line over which nothing was sent yet.
    pub(crate) fn new(docker: Docker, endpoint: String, told: Option<Arc<dyn Progress>>) -> Self {
        let patient = docker.clone().with_timeout(PATIENCE);
        Self { docker, patient, endpoint, sent: AtomicU64::new(0), told }
    }

    /// For requests that an idle engine answers at once.
    pub(crate) fn quick(&self) -> &Docker {
        &self.docker
    }

    /// For requests that carry content or wait for something.
    pub(crate) fn patient(&self) -> &Docker {
        &self.patient
    }

    /// How many were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Where the engine was found.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends a request that may change something: once.
    pub(crate) async fn send<T>(
        &self,
        request: impl Into<String>,
        call: impl Future<Output = Result<T, Answer>>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let number = self.count();
        let answer = call.await;
        let request = request.into();
        self.tell(number, &request, begun);
        answer.map_err(|error| self.failure(request, &error))
    }

    /// Sends a request that changes nothing: again where the connection fails, with a growing pause.
    pub(crate) async fn ask<T, Asked>(&self, request: impl Into<String>, call: impl Fn() -> Asked) -> Result<T, Failure>
    where
        Asked: Future<Output = Result<T, Answer>>,
    {
        let request = request.into();
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.send(request.clone(), call()).await {
                Err(failure) if failure.is_connection() => tokio::time::sleep(pause).await,
                answer => return answer,
            }
            pause *= 4;
        }
        self.send(request, call()).await
    }

    /// Counts a request whose answer is a stream, and tells of it as sent.
    pub(crate) fn begin(&self, request: &str) {
        let number = self.count();
        self.tell(number, request, Instant::now());
    }

    /// What bollard said, with the request that it answers.
    pub(crate) fn failure(&self, request: impl Into<String>, error: &Answer) -> Failure {
        Failure::new(request.into(), self.endpoint.clone(), error)
    }

    fn count(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn tell(&self, number: u64, request: &str, begun: Instant) {
        let Some(told) = &self.told else { return };
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        told.tell(Event::EngineRequest { number, request: request.to_owned(), milliseconds });
    }
}
