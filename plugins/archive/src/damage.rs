//! Turns what codecs and readers say into problems: an archive that ends too early, one that is damaged, or a blob that fails.

use std::{error::Error, io};

use sti_plugin::Problem;

use crate::codecs::window_too_large;

/// What to do about an archive that cannot be read to its end.
const AGAIN: &str = "get the archive again, and compare its checksum with the one that its makers publish";

/// Makes the problem of an archive that does not hold what its format asks for.
pub(crate) fn damaged(what: impl AsRef<str>) -> Problem {
    Problem::invalid("damaged", format!("the archive is damaged: {}", what.as_ref())).hint(AGAIN)
}

/// Makes the problem of an archive that ends where more must follow.
pub(crate) fn truncated(what: impl AsRef<str>) -> Problem {
    Problem::invalid("truncated", format!("the archive ends too early: {}", what.as_ref())).hint(AGAIN)
}

/// Makes a problem of an error of a stream. A problem that the host answered with comes out as it went in.
pub(crate) fn told(error: &io::Error) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(problem) = error.downcast_ref::<Problem>() {
            return problem.clone();
        }
        let inner = error.downcast_ref::<io::Error>();
        if inner.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return truncated("its last bytes are missing");
        }
        if inner.is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory) {
            return window_too_large();
        }
        cause = match inner.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    damaged(error.to_string().to_lowercase())
}
