//! The clock of epochs: while a call runs, a thread raises the engine's epoch, at which the guest yields to the host.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use wasmtime::Engine;

const TICK: Duration = Duration::from_millis(5);

/// Ticks while at least one [`Ticking`] lives, and sleeps otherwise.
pub(crate) struct Ticker(Arc<Shared>);

struct Shared {
    engine: Engine,
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Default)]
struct Calls {
    running: usize,
    has_thread: bool,
    is_closed: bool,
}

/// Keeps the clock going.
pub(crate) struct Ticking(Arc<Shared>);

impl Ticker {
    pub(crate) fn new(engine: Engine) -> Self {
        Self(Arc::new(Shared { engine, calls: Mutex::default(), changed: Condvar::new() }))
    }

    /// Starts the clock. The thread is made with the first call only.
    pub(crate) fn start(&self) -> Ticking {
        let mut calls = self.0.calls();
        calls.running += 1;
        if !calls.has_thread {
            calls.has_thread = true;
            let shared = Arc::clone(&self.0);
            thread::spawn(move || shared.tick());
        }
        self.0.changed.notify_one();
        Ticking(Arc::clone(&self.0))
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        loop {
            let calls = self.calls();
            let idle = |calls: &mut Calls| calls.running == 0 && !calls.is_closed;
            let calls = self.changed.wait_while(calls, idle).unwrap_or_else(PoisonError::into_inner);
            if calls.is_closed {
                return;
            }
            drop(calls);
            thread::sleep(TICK);
            self.engine.increment_epoch();
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.calls().running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.calls().is_closed = true;
        self.0.changed.notify_one();
    }
}
