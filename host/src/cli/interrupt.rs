//! SIGINT, SIGTERM and SIGHUP: the first one ends the work and starts the clean-up, later ones are heard and change nothing.

use std::{future::Future, pin::pin, time::Duration};

use sti_core::{Progress, progress::Level};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};

use crate::{Host, StiError};

/// How long a clean-up may keep a user waiting who wants to go. What is left then is swept by the next build.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long naming the products may take after a signal: much longer than an engine needs that is well.
const DELIVERY: Duration = Duration::from_secs(5);

/// Signals that are listened to from its making on, so that none gets lost between two pieces of work.
pub(super) struct Interrupts {
    signals: Vec<(u8, Signal)>,
}

impl Interrupts {
    pub(super) fn listen() -> Result<Self, StiError> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let listen = |kind: SignalKind| Ok((u8::try_from(kind.as_raw_value()).unwrap_or(15), signal(kind)?));
        let signals = kinds.into_iter().map(listen).collect::<std::io::Result<_>>();
        Ok(Self { signals: signals.map_err(|error| StiError::Ours(format!("cannot listen for signals: {error}")))? })
    }

    /// Does what makes nothing in an engine until it ends or a signal comes.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = Result<T, StiError>>) -> Result<T, StiError> {
        tokio::select! {
            biased;
            signal = self.next() => Err(StiError::Interrupted { signal }),
            done = work => done,
        }
    }

    /// Does the work of a build until it ends or a signal comes; then everything that the build made is removed. A signal that comes
    /// while products get their names is too late: the build ends as it would have, unless the engine does not answer any more.
    pub(super) async fn unless_cleaning<T>(
        &mut self,
        work: impl Future<Output = Result<T, StiError>>,
        host: &Host,
        progress: &dyn Progress,
    ) -> Result<T, StiError> {
        let signal = {
            let mut work = pin!(work);
            let signal = tokio::select! {
                biased;
                signal = self.next() => signal,
                done = &mut work => return done,
            };
            if host.is_delivering()
                && let Ok(done) = tokio::time::timeout(DELIVERY, &mut work).await
            {
                return done;
            }
            signal
        };
        progress.say(Level::Warning, "interrupted: cleaning up".to_owned());
        let left = match tokio::time::timeout(PATIENCE, host.abandon()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the engine takes too long".to_owned()),
        };
        if let Some(why) = left {
            progress.say(Level::Warning, format!("the next build or `sti gc` removes what is left: {why}"));
        }
        Err(StiError::Interrupted { signal })
    }

    /// Waits for something that runs until it ends or a signal comes, which tells it to stop by `stop`: then it has time to do so.
    pub(super) async fn unless_stopping<T>(
        &mut self,
        work: impl Future<Output = Result<T, StiError>>,
        stop: &Notify,
        host: &Host,
    ) -> Result<T, StiError> {
        let mut work = pin!(work);
        let signal = tokio::select! {
            biased;
            signal = self.next() => signal,
            done = &mut work => return done,
        };
        stop.notify_one();
        if tokio::time::timeout(PATIENCE, work).await.is_err() {
            // What is left is swept by the next build: the engine does not answer.
            let _unanswered = tokio::time::timeout(DELIVERY, host.abandon()).await;
        }
        Err(StiError::Interrupted { signal })
    }

    async fn next(&mut self) -> u8 {
        futures_util::future::select_all(self.signals.iter_mut().map(|signal| Box::pin(heard(signal)))).await.0
    }
}

async fn heard((number, signal): &mut (u8, Signal)) -> u8 {
    signal.recv().await;
    *number
}
