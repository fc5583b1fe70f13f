//! Bytes that the test gave, or that a plugin wrote.

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::types::{Problem, ProblemKind, problem};

pub struct Blob(pub(crate) Vec<u8>);

/// The most that is read at once.
const MOST: u32 = 1 << 20;

impl Blob {
    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }

    /// The bytes themselves, in a few digits.
    pub fn identity(&self) -> Option<String> {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        Some(format!("bytes:{:016x}", hasher.finish()))
    }

    pub fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, Problem> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let end = start.saturating_add(length.min(MOST) as usize).min(self.0.len());
        Ok(self.0[start..end].to_vec())
    }
}

/// What was written; nothing where it is finished.
pub struct Spool(RefCell<Option<Vec<u8>>>);

pub(crate) fn new_spool() -> Result<Spool, Problem> {
    Ok(Spool(RefCell::new(Some(Vec::new()))))
}

impl Spool {
    pub fn write(&self, bytes: &[u8]) -> Result<(), Problem> {
        self.0.borrow_mut().as_mut().ok_or_else(finished)?.extend_from_slice(bytes);
        Ok(())
    }

    pub fn finish(&self) -> Result<Blob, Problem> {
        self.0.take().map(Blob).ok_or_else(finished)
    }
}

fn finished() -> Problem {
    problem(ProblemKind::Invalid, "spool-finished", "a spool that was finished cannot be written".to_owned())
}
