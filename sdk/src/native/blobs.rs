//! Bytes that the test gave.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::types::Problem;

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
