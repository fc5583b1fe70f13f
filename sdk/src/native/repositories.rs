//! The repositories that a test gave; no other answers.

use std::cell::RefCell;

use super::types::{Problem, ProblemKind, problem};
use crate::testing::line::{Line, Lines};

thread_local! {
    static LINES: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// Puts a function that opens lines in the place of the one that was there, and answers that.
pub(crate) fn replace(lines: Option<Lines>) -> Option<Lines> {
    LINES.replace(lines)
}

pub struct Connection(RefCell<Line>);

impl Connection {
    pub fn read(&self, limit: u32) -> Result<Vec<u8>, Problem> {
        let mut bytes = vec![0; limit.min(1 << 16) as usize];
        let length = self.0.borrow_mut().read(&mut bytes).map_err(|error| broken(&error))?;
        bytes.truncate(length);
        Ok(bytes)
    }

    pub fn write(&self, bytes: &[u8]) -> Result<(), Problem> {
        self.0.borrow_mut().write(bytes).map_err(|error| broken(&error))
    }

    pub fn finish(&self) -> Result<(), Problem> {
        self.0.borrow_mut().finish();
        Ok(())
    }
}

pub(crate) fn connect(address: &str) -> Result<Connection, Problem> {
    let no_answer = || problem(ProblemKind::Unavailable, "no-answer", format!("`{address}` does not answer"));
    let lines = LINES.with_borrow(Clone::clone).ok_or_else(no_answer)?;
    Ok(Connection(RefCell::new(lines.open(address)?)))
}

fn broken(error: &std::io::Error) -> Problem {
    problem(ProblemKind::Unavailable, "line-broke", error.to_string())
}
