//! Decisions drawn from bytes. Where no more are left, every answer is 0 or empty.

/// Bytes of which decisions are made, first to last.
pub(crate) struct Deck<'b>(&'b [u8]);

impl<'b> Deck<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'b [u8] {
        self.0
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// Two bytes, the lower first.
    pub(crate) fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Eight bytes, the lowest first.
    pub(crate) fn long(&mut self) -> u64 {
        (0..8).fold(0, |number, at| number | u64::from(self.byte()) << (8 * at))
    }

    /// So many bytes, or what is left.
    pub(crate) fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes that say themselves how many they are: one byte, and so many.
    pub(crate) fn bytes(&mut self) -> &'b [u8] {
        let length = self.byte();
        self.take(length.into())
    }

    /// As many as two bytes say.
    pub(crate) fn many(&mut self) -> &'b [u8] {
        let length = self.short();
        self.take(length.into())
    }

    /// One of several, by a byte.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    /// A place among so many, by a byte; none where there are none.
    pub(crate) fn place(&mut self, of: usize) -> Option<usize> {
        let byte = usize::from(self.byte());
        (of > 0).then(|| byte % of)
    }
}
