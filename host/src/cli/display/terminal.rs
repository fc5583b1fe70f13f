//! The moving line of a terminal: what is being done, and how far it is.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::text;

/// One line at the bottom; everything else is printed above it.
pub(super) struct Terminal {
    bar: ProgressBar,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    pub(super) fn print(&self, line: &str) {
        self.bar.suspend(|| {
            use std::io::Write;
            let _closed = writeln!(std::io::stderr().lock(), "{line}");
        });
    }

    pub(super) fn working(&self, title: &str) {
        self.bar.reset_elapsed();
        self.bar.set_message(title.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    pub(super) fn amount(&self, what: &str, done: u64, total: Option<u64>) {
        let total = total.map(|total| format!(" of {}", text::size(total))).unwrap_or_default();
        self.bar.set_message(format!("{what}: {}{total}", text::size(done)));
        self.bar.tick();
    }

    pub(super) fn rest(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
