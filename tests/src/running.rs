//! A call of `sti` that is under way: signals can be sent to it, and it is never waited for without end.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::Outcome;

/// A call that takes longer hangs, as far as the tests are concerned.
const LIMIT: Duration = Duration::from_mins(5);

/// A call of `sti` that is under way.
#[derive(Debug)]
pub struct Running {
    child: Child,
    command: String,
    started: Instant,
    stdout: Captured,
    stderr: Captured,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let text = format!("{command:?}");
        let started = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{text}: {error}"));
        let stdout = Captured::of(child.stdout.take().expect("it was asked for"));
        let stderr = Captured::of(child.stderr.take().expect("it was asked for"));
        Self { child, command: text, started, stdout, stderr }
    }

    /// Sends a signal: `Signal::INT`, `Signal::TERM`, `Signal::KILL`.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a child that was not waited for can be signalled");
    }

    /// The process, for those who look at it through `/proc`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until something was printed that holds the text. Fails the test if the call ends or hangs before.
    #[track_caller]
    pub fn wait_until_it_says(&mut self, text: &str) {
        while !self.stdout.so_far().contains(text) && !self.stderr.so_far().contains(text) {
            let ended = self.child.try_wait().expect("a child can be waited for").is_some();
            let printed = || format!("--- stdout\n{}\n--- stderr\n{}", self.stdout.so_far(), self.stderr.so_far());
            assert!(!ended && self.started.elapsed() < LIMIT, "{} never said {text:?}\n{}", self.command, printed());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end.
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if self.started.elapsed() > LIMIT {
                self.child.kill().expect("a child can be killed");
                let _ = self.child.wait();
                panic!("{} hangs\n--- stdout\n{}\n--- stderr\n{}", self.command, self.stdout.so_far(), self.stderr.so_far());
            }
            thread::sleep(Duration::from_millis(5));
        };
        let time = self.started.elapsed();
        Outcome { command: self.command, status, stdout: self.stdout.whole(), stderr: self.stderr.whole(), time }
    }
}

/// What comes through a pipe, read as it comes.
#[derive(Debug)]
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Captured {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                shared.lock().expect("no reader panics").extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no reader panics")).into_owned()
    }

    fn whole(self) -> String {
        self.reader.join().expect("no reader panics");
        String::from_utf8_lossy(&self.bytes.lock().expect("no reader panics")).into_owned()
    }
}
