//! What a plugin says while it works. The host puts the plugin's name in front, strips control sequences and limits the amount.
//!
//! ```
//! use sti_plugin::log;
//!
//! log::info("incremental build: reuses what `app:1` saved");
//! log::progress("reading", 10, Some(100));
//! ```

use crate::host::log;

pub use log::Level;

/// Says one line that is shown with `--debug` only.
pub fn debug(text: impl AsRef<str>) {
    log::message(Level::Debug, text.as_ref());
}

/// Says one line of the ordinary story.
pub fn info(text: impl AsRef<str>) {
    log::message(Level::Info, text.as_ref());
}

/// Says one line that the user should look at.
pub fn warning(text: impl AsRef<str>) {
    log::message(Level::Warning, text.as_ref());
}

/// Tells how far the work has come, for the progress bar; `total` is absent as long as it is not known.
pub fn progress(what: impl AsRef<str>, done: u64, total: Option<u64>) {
    log::progress(what.as_ref(), done, total);
}
