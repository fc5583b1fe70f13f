//! The interface `log`: what a guest says, cleaned and limited.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sti_bindings::host::sti::host::log::{Host, Level as WitLevel};
use sti_core::{
    Event, Progress,
    progress::{Level, Silent},
};

use super::State;
use crate::hygiene;

/// The screen is drawn no more often.
const FRAME: Duration = Duration::from_millis(50);

/// Passes on what a plugin says, under its name, as long as it has not said too much.
pub(crate) struct Voice {
    name: String,
    progress: Arc<dyn Progress>,
    bytes: usize,
    most: usize,
    drawn: Option<Instant>,
}

impl Voice {
    pub(crate) fn new(name: &str, progress: Arc<dyn Progress>, most: usize) -> Self {
        Self { name: name.to_owned(), progress, bytes: most, most, drawn: None }
    }

    pub(crate) fn silent(name: &str) -> Self {
        Self::new(name, Arc::new(Silent), 0)
    }

    fn say(&mut self, level: Level, text: &str) {
        if self.bytes == 0 {
            return;
        }
        self.bytes = self.bytes.saturating_sub(text.len().max(1));
        let text = match self.bytes {
            0 => format!("(says more than {} KiB: the rest is left out)", self.most >> 10),
            _ => hygiene::line(text, hygiene::LINE),
        };
        self.progress.tell(Event::Message { level, from: Some(self.name.clone()), text });
    }

    fn draw(&mut self, what: &str, done: u64, total: Option<u64>) {
        let is_end = total == Some(done);
        if !is_end && self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME) {
            return;
        }
        // An end is always drawn, and could be said as often as one likes.
        if is_end && self.bytes == 0 {
            return;
        }
        self.bytes = self.bytes.saturating_sub(usize::from(is_end));
        self.drawn = Some(Instant::now());
        self.progress.tell(Event::Amount { what: hygiene::line(what, 100), done, total });
    }
}

impl Host for State {
    fn message(&mut self, level: WitLevel, text: String) -> wasmtime::Result<()> {
        let level = match level {
            WitLevel::Debug => Level::Debug,
            WitLevel::Info => Level::Info,
            WitLevel::Warning => Level::Warning,
        };
        self.voice.say(level, &text);
        Ok(())
    }

    fn progress(&mut self, what: String, done: u64, total: Option<u64>) -> wasmtime::Result<()> {
        self.voice.draw(&what, done, total);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use sti_core::{Event, Progress, progress::Level};

    use super::Voice;

    #[derive(Default)]
    struct Heard(Mutex<Vec<Event>>);

    impl Progress for Heard {
        fn tell(&self, event: Event) {
            self.0.lock().expect("nobody panics while listening").push(event);
        }
    }

    #[test]
    fn leaves_out_what_is_said_after_the_limit_and_says_so_once() {
        let heard = Arc::new(Heard::default());
        let mut voice = Voice::new("p", heard.clone(), 2048);
        (0..5000).for_each(|_| voice.say(Level::Info, "1234567890"));
        let events = heard.0.lock().expect("nobody panics while listening");
        assert_eq!(events.len(), 205);
        let last = serde_json::to_string(events.last().expect("something was said")).expect("events are JSON");
        assert!(last.contains("says more than 2 KiB"), "{last}");
    }

    #[test]
    fn draws_no_more_often_than_the_screen_does() {
        let heard = Arc::new(Heard::default());
        let mut voice = Voice::new("p", heard.clone(), 2048);
        (0..100_000).for_each(|done| voice.draw("files", done, None));
        assert!(heard.0.lock().expect("nobody panics while listening").len() < 100);
    }
}
