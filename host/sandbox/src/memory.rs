//! The limit on memory: of all memories and tables of a call together, where wasmtime's own would compare each alone.

use wasmtime::ResourceLimiter;

use crate::calls::Exceeded;

const MOST_TABLE_ENTRIES: usize = 1_000_000;
const MOST_INSTANCES: usize = 1_000;
const MOST_TABLES: usize = 1_000;
const MOST_MEMORIES: usize = 100;

/// Sums what grows.
pub(crate) struct Memory {
    limit: u64,
    bytes: u64,
    entries: usize,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, bytes: 0, entries: 0 }
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current) as u64);
        if bytes > self.limit {
            return Err(Exceeded::memory(self.limit).into());
        }
        self.bytes = bytes;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let entries = self.entries.saturating_add(desired.saturating_sub(current));
        if entries > MOST_TABLE_ENTRIES {
            return Err(Exceeded::tables(MOST_TABLE_ENTRIES).into());
        }
        self.entries = entries;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::ResourceLimiter;

    use super::Memory;

    #[test]
    fn sums_over_all_memories() {
        let mut memory = Memory::new(300);
        assert!(memory.memory_growing(0, 100, None).is_ok_and(|grown| grown));
        assert!(memory.memory_growing(0, 100, None).is_ok_and(|grown| grown));
        assert!(memory.memory_growing(100, 200, None).is_ok_and(|grown| grown));
        assert!(memory.memory_growing(0, 1, None).is_err());
    }

    #[test]
    fn lets_a_growth_fail_that_the_memory_itself_forbids() {
        assert!(Memory::new(300).memory_growing(0, 100, Some(50)).is_ok_and(|grown| !grown));
    }
}
