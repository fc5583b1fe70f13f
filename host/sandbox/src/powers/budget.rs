//! How much a guest may still write down in one call.

use crate::{Limits, calls::Exceeded};

/// Items and bytes of a plan, a card or findings, counted down.
pub(crate) struct Budget {
    items: usize,
    most_items: usize,
    bytes: usize,
    most_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { items: limits.plan_items, most_items: limits.plan_items, bytes: limits.plan_bytes, most_bytes: limits.plan_bytes }
    }

    /// Takes one item for each text, and the bytes of all.
    pub(crate) fn spend<'text>(&mut self, texts: impl IntoIterator<Item = &'text [u8]>) -> Result<(), Exceeded> {
        texts.into_iter().try_for_each(|text| self.spend_one(text.len()))
    }

    /// Takes one item of so many bytes.
    pub(crate) fn spend_one(&mut self, bytes: usize) -> Result<(), Exceeded> {
        let too_many = || Exceeded::number("it writes down too many things", self.most_items);
        let too_much = || Exceeded::bytes("it writes down too much", self.most_bytes);
        let items = self.items.checked_sub(1).ok_or_else(too_many)?;
        let bytes = self.bytes.checked_sub(bytes).ok_or_else(too_much)?;
        (self.items, self.bytes) = (items, bytes);
        Ok(())
    }
}
