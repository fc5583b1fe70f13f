//! No repository answers in a test.

use super::types::{Problem, ProblemKind, problem};

/// There is none.
pub enum Connection {}

impl Connection {
    pub fn read(&self, _limit: u32) -> Result<Vec<u8>, Problem> {
        match *self {}
    }

    pub fn write(&self, _bytes: &[u8]) -> Result<(), Problem> {
        match *self {}
    }

    pub fn finish(&self) -> Result<(), Problem> {
        match *self {}
    }
}

pub(crate) fn connect(address: &str) -> Result<Connection, Problem> {
    Err(problem(ProblemKind::Unavailable, "no-answer", format!("`{address}` does not answer")))
}
