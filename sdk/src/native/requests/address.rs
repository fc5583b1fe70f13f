//! A source to be fetched, as the test wrote it.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{native::blobs::Blob, testing::AddressBuilder};

pub struct Address {
    pub(crate) asked: AddressBuilder,
    pub(crate) facts: RefCell<BTreeMap<String, String>>,
    pub(crate) keeps: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Address {
    pub fn text(&self) -> String {
        self.asked.text.clone()
    }

    pub fn reference(&self) -> Option<String> {
        self.asked.reference.clone()
    }

    pub fn subdirectory(&self) -> Option<String> {
        self.asked.subdirectory.clone()
    }

    pub fn setting(&self, name: &str) -> Option<String> {
        self.asked.settings.get(name).cloned()
    }

    pub fn file(&self) -> Option<Blob> {
        self.asked.file.clone().map(Blob)
    }

    pub fn record_fact(&self, name: &str, value: &str) {
        self.facts.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    pub fn kept(&self, name: &str) -> Option<Blob> {
        self.asked.kept.get(name).cloned().map(Blob)
    }

    pub fn keep(&self, name: &str, bytes: &Blob) {
        self.keeps.borrow_mut().insert(name.to_owned(), bytes.0.clone());
    }
}
