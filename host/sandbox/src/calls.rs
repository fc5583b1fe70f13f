//! One call of a plugin: its deadline, the limits that it may reach, and what a failure of the guest means.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use thiserror::Error;
use wasmtime::{Trap, WasmBacktrace, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use crate::{Error, Limits, hygiene, output::Output};

/// How many lines of a guest's last words, and frames of its trace, are shown.
const SHOWN_LINES: usize = 20;
/// How far a deadline may be overrun, so that a clock that stands still is not asked in a tight loop.
const GRACE: Duration = Duration::from_millis(5);

/// A limit was reached. Raised as a trap inside a call, found again by [`failure`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} (limit: {limit})")]
pub(crate) struct Exceeded {
    pub(crate) what: String,
    pub(crate) limit: String,
    pub(crate) hint: &'static str,
}

const MORE_MEMORY: &str = "where the plugin is right to need more, the site's policy file can grant it: memory = \"1 GiB\"";
const MORE_TIME: &str = "where the plugin is right to need more, the site's policy file can grant it: seconds = 3600";
const MEND: &str = "this is a mistake in the plugin: tell its authors";

impl Exceeded {
    pub(crate) fn memory(limit: u64) -> Self {
        Self {
            what: "it wanted more memory than it may have".to_owned(),
            limit: format!("{} MiB", limit >> 20),
            hint: MORE_MEMORY,
        }
    }

    pub(crate) fn tables(limit: usize) -> Self {
        Self { what: "its tables grew too large".to_owned(), limit: format!("{limit} entries"), hint: MEND }
    }

    pub(crate) fn time(limit: Duration) -> Self {
        Self { what: "it did not answer in time".to_owned(), limit: format!("{} s", limit.as_secs_f32()), hint: MORE_TIME }
    }

    /// The same of an introduction, for which nobody grants more.
    pub(crate) fn of_introduction(self) -> Self {
        Self { hint: MEND, ..self }
    }

    pub(crate) fn recursion() -> Self {
        Self { what: "its functions call each other too deeply".to_owned(), limit: "512 KiB of stack".to_owned(), hint: MEND }
    }

    pub(crate) fn handles(limit: usize) -> Self {
        Self { what: "it holds too many handles".to_owned(), limit: limit.to_string(), hint: MEND }
    }

    pub(crate) fn number(what: &str, limit: usize) -> Self {
        Self { what: what.to_owned(), limit: limit.to_string(), hint: MEND }
    }

    pub(crate) fn bytes(what: &str, limit: usize) -> Self {
        Self { what: what.to_owned(), limit: format!("{} KiB", limit >> 10), hint: MEND }
    }

    pub(crate) fn into_error(self, plugin: &str) -> Error {
        Error::Limit { plugin: plugin.to_owned(), what: self.what, limit: self.limit, hint: self.hint.to_owned() }
    }
}

/// Measures how long a guest has thought: the time in which the host answers one of its questions does not count, because pulling
/// an image may take minutes.
#[derive(Clone)]
pub(crate) struct Clock(Arc<Mutex<Times>>);

struct Times {
    started: Instant,
    waited: Duration,
    waiting_since: Option<Instant>,
}

/// While it lives, the clock stands still.
pub(crate) struct Paused(Clock);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Arc::new(Mutex::new(Times { started: Instant::now(), waited: Duration::ZERO, waiting_since: None })))
    }

    pub(crate) fn pause(&self) -> Paused {
        self.times().waiting_since = Some(Instant::now());
        Paused(self.clone())
    }

    fn spent(&self) -> Duration {
        let times = self.times();
        let waiting = times.waiting_since.map_or(Duration::ZERO, |since| since.elapsed());
        times.started.elapsed().saturating_sub(times.waited + waiting)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let mut times = self.0.times();
        if let Some(since) = times.waiting_since.take() {
            times.waited += since.elapsed();
        }
    }
}

/// Waits for an answer as long as the guest's own time is not used up; dropping the answer then ends the guest.
pub(crate) async fn within<T>(limit: Duration, clock: &Clock, answer: impl Future<Output = T>) -> Result<T, Exceeded> {
    let mut answer = pin!(answer);
    loop {
        let left = limit.saturating_sub(clock.spent());
        if left.is_zero() {
            return Err(Exceeded::time(limit));
        }
        if let Ok(answered) = tokio::time::timeout(left.max(GRACE), answer.as_mut()).await {
            return Ok(answered);
        }
    }
}

/// Says what a failure of the guest means.
pub(crate) fn failure(plugin: &str, error: &wasmtime::Error, output: &Output, limits: &Limits) -> Error {
    if let Some(exceeded) = exceeded(error, limits) {
        return exceeded.into_error(plugin);
    }
    Error::Trap {
        plugin: plugin.to_owned(),
        why: what_happened(error),
        trace: trace(error),
        said: output.last_lines(SHOWN_LINES),
    }
}

fn exceeded(error: &wasmtime::Error, limits: &Limits) -> Option<Exceeded> {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return Some(exceeded.clone());
    }
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return Some(Exceeded::handles(limits.handles));
    }
    if matches!(error.downcast_ref::<Trap>(), Some(Trap::StackOverflow)) {
        return Some(Exceeded::recursion());
    }
    // These two have no type of their own.
    let text = error.root_cause().to_string();
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        return Some(Exceeded::bytes("it hands over too much in one call", limits.call_bytes));
    }
    text.strip_prefix("resource limit exceeded: ").map(|what| Exceeded {
        what: format!("it is made of too many parts: {what}"),
        limit: "1000".to_owned(),
        hint: MEND,
    })
}

fn what_happened(error: &wasmtime::Error) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return format!("it ended itself with exit code {code}");
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "it panicked or aborted (`unreachable` was reached)".to_owned(),
        Some(trap) => hygiene::line(trap.to_string().trim_start_matches("wasm trap: "), hygiene::LINE),
        None => hygiene::line(&error.root_cause().to_string(), hygiene::LINE),
    }
}

fn trace(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    // Only as a text does it show names as they were written: `3: 0x5f - plugin.wasm!hostile::decide`.
    let text = backtrace.to_string();
    let names = text
        .lines()
        .filter_map(|line| line.split_once(" - "))
        .map(|(_, name)| name.split_once('!').map_or(name, |(_, name)| name));
    names.take(SHOWN_LINES).map(|name| hygiene::line(name, 200)).collect()
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use super::{Clock, within};

    #[tokio::test]
    async fn ends_what_does_not_answer() {
        let ended = within(Duration::from_millis(20), &Clock::start(), pending::<()>()).await;
        assert!(ended.is_err_and(|exceeded| exceeded.what.contains("in time")));
    }

    #[tokio::test]
    async fn does_not_count_the_time_in_which_the_host_answers() {
        let clock = Clock::start();
        let question = async {
            let _paused = clock.pause();
            tokio::time::sleep(Duration::from_millis(120)).await;
        };
        assert_eq!(within(Duration::from_millis(40), &clock, question).await, Ok(()));
    }
}
