//! Progress as people and machines see it: a terminal with a moving line, plain lines, JSON, or nothing.
//!
//! The story goes to standard error; only answers go to standard output.

mod terminal;

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use sti_core::{
    Event, Progress,
    plan::StepId,
    progress::{Level, Silent, Stream},
};

use super::{
    args::{Color, Output},
    report::{print_json, print_line},
    surroundings::has_colours,
    text,
};
use terminal::Terminal;

const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const TITLE: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The display that the flags ask for.
pub(super) fn of(output: &Output) -> Arc<dyn Progress> {
    match output {
        Output { json: true, .. } => Arc::new(Json { debug: output.debug }),
        Output { quiet: true, .. } => Arc::new(Silent),
        _ => Arc::new(People::new(output)),
    }
}

/// One event a line.
struct Json {
    debug: bool,
}

impl Progress for Json {
    fn tell(&self, event: Event) {
        if let Ok(line) = serde_json::to_string(&event)
            && (self.debug || !is_for_debugging(&event))
        {
            print_json(&line);
        }
    }
}

fn is_for_debugging(event: &Event) -> bool {
    matches!(event, Event::EngineRequest { .. } | Event::Message { level: Level::Debug, .. })
}

/// Lines, and on a terminal a moving one below them.
struct People {
    colours: bool,
    debug: bool,
    terminal: Option<Terminal>,
    titles: Mutex<BTreeMap<StepId, String>>,
}

impl People {
    fn new(output: &Output) -> Self {
        let is_terminal = std::io::stderr().is_terminal() && output.color != Color::Never;
        Self {
            colours: has_colours(output.color),
            debug: output.debug,
            terminal: is_terminal.then(Terminal::new),
            titles: Mutex::default(),
        }
    }

    fn line(&self, line: &str) {
        match &self.terminal {
            Some(terminal) => terminal.print(line),
            None => {
                let _closed = writeln!(std::io::stderr().lock(), "{line}");
            }
        }
    }

    fn painted(&self, style: Style, words: &str) -> String {
        if self.colours { format!("{style}{words}{style:#}") } else { words.to_owned() }
    }

    fn title(&self, step: StepId) -> String {
        let titles = self.titles.lock().unwrap_or_else(PoisonError::into_inner);
        titles.get(&step).cloned().unwrap_or_default()
    }

    fn message(&self, level: Level, from: Option<&str>, words: &str) {
        let words = &text::plain(words);
        let speaker = from.map(|name| format!("{name}: ")).unwrap_or_default();
        match level {
            Level::Debug if !self.debug => {}
            Level::Debug => self.line(&self.painted(FAINT, &format!("debug: {speaker}{words}"))),
            Level::Info => self.line(&format!("{speaker}{words}")),
            Level::Warning => self.line(&format!("{} {speaker}{words}", self.painted(WARNING, "warning:"))),
        }
    }

    fn step_started(&self, step: StepId, title: &str) {
        let title = text::plain(title);
        self.line(&self.painted(TITLE, &format!("==> {title}")));
        if let Some(terminal) = &self.terminal {
            terminal.working(&title);
        }
        self.titles.lock().unwrap_or_else(PoisonError::into_inner).insert(step, title);
    }

    fn run_started(&self, image: &str, container: &str, address: Option<String>, ports: &[String]) {
        let at = address.map(|address| format!(" at {address}")).unwrap_or_default();
        let ports = if ports.is_empty() { String::new() } else { format!(" ({})", ports.join(", ")) };
        let title = text::plain(&format!("running {image} in {container}{at}{ports}: Ctrl-C ends it"));
        self.line(&self.painted(TITLE, &format!("==> {title}")));
    }

    fn step_finished(&self, step: StepId, milliseconds: u64) {
        if let Some(terminal) = &self.terminal {
            terminal.rest();
        }
        let took = text::duration(Duration::from_millis(milliseconds));
        self.line(&self.painted(FAINT, &format!("    {} took {took}", self.title(step))));
    }
}

impl Progress for People {
    fn tell(&self, event: Event) {
        match event {
            Event::Message { level, from, text } => self.message(level, from.as_deref(), &text),
            Event::Amount { what, done, total } => {
                if let Some(terminal) = &self.terminal {
                    terminal.amount(&what, done, total);
                }
            }
            Event::StepStarted { step, title } => self.step_started(step, &title),
            Event::Output { step, line, .. } => {
                self.line(&format!("{} {line}", self.painted(FAINT, &format!("    {} |", self.title(step)))));
            }
            Event::StepFinished { step, milliseconds } => self.step_finished(step, milliseconds),
            Event::Built { tag, image, milliseconds } => {
                if let Some(terminal) = &self.terminal {
                    terminal.rest();
                }
                let took = text::duration(Duration::from_millis(milliseconds));
                print_line(&format!("built {tag} {image} in {took}"));
            }
            Event::RunStarted { image, container, address, ports } => self.run_started(&image, &container, address, &ports),
            Event::RunOutput { stream: Stream::Stdout, line } => print_line(&line),
            Event::RunOutput { stream: Stream::Stderr, line } => self.line(&text::plain(&line)),
            Event::EngineRequest { number, request, milliseconds } => {
                if self.debug {
                    self.line(
                        &self.painted(FAINT, &format!("debug: request {number}: {} ({milliseconds} ms)", text::plain(&request))),
                    );
                }
            }
        }
    }
}
