//! SIGINT, SIGTERM and SIGHUP: the first one ends the work and starts the clean-up, later ones are heard and change nothing.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::StiError;

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

    /// Does the work until it ends or a signal comes; then the work is dropped and the signal's number answered.
    pub(super) async fn unless_interrupted<T>(&mut self, work: impl Future<Output = T>) -> Result<T, u8> {
        tokio::select! {
            biased;
            number = self.next() => Err(number),
            done = work => Ok(done),
        }
    }

    async fn next(&mut self) -> u8 {
        let mut waiting: Vec<_> = self
            .signals
            .iter_mut()
            .map(|(number, signal)| {
                Box::pin(async move {
                    signal.recv().await;
                    *number
                })
            })
            .collect();
        let (number, _, _) = futures_util::future::select_all(waiting.drain(..)).await;
        number
    }
}
