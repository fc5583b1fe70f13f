//! How long the network is waited for.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::Error;

/// How often something is tried again.
pub(crate) const RETRIES: u32 = 3;
/// What a download brings at least while it is idle for once; slower is never done.
const LEAST: u64 = 1024;

/// How long the network is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte, and for the first. A download that brings less than 1 KiB in this time is given up, too; an answer that a
    /// plugin reads may come as slowly as the plugin's own time allows.
    pub idle: Duration,
    /// Before the first retry; each further one waits four times as long.
    pub back_off: Duration,
}

impl Timeouts {
    /// What serves on slow lines, too.
    pub const USUAL: Self =
        Self { connect: Duration::from_secs(15), idle: Duration::from_mins(1), back_off: Duration::from_millis(200) };

    /// How long to wait before a retry, counted from 0.
    pub(crate) fn before(&self, retry: u32) -> Duration {
        self.back_off * 4_u32.saturating_pow(retry)
    }
}

/// Waits for something that is sent; silence is an error.
pub(crate) async fn heard<T>(idle: Duration, from: &str, coming: impl Future<Output = T>) -> Result<T, Error> {
    let silent = |_| Error::Silent { from: from.to_owned(), seconds: idle.as_secs() };
    timeout(idle, coming).await.map_err(silent)
}

/// Notices a download that trickles.
pub(crate) struct Pace {
    idle: Duration,
    since: Instant,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(idle: Duration) -> Self {
        Self { idle, since: Instant::now(), bytes: 0 }
    }

    /// Counts what came. Downloads are read as fast as they come, so that all the time is the sender's.
    pub(crate) fn count(&mut self, from: &str, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes as u64;
        if self.since.elapsed() < self.idle {
            return Ok(());
        }
        if self.bytes < LEAST {
            return Err(Error::TooSlow { from: from.to_owned(), bytes: self.bytes, seconds: self.idle.as_secs() });
        }
        *self = Self::new(self.idle);
        Ok(())
    }
}
