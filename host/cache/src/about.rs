//! `about.json`: what is kept, and since which boot. It is made last, so that its time of change seals all the rest.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
};

use rustix::fs::Mode;
use serde::{Deserialize, Serialize};
use sti_core::tree::Summary;

use crate::place;

/// Raised when what is written changes its meaning.
const SCHEMA: u32 = 1;
/// What is larger was not written by us.
const MOST_BYTES: u64 = 1 << 20;
/// What a file or directory costs beside its bytes.
const COST_OF_AN_ENTRY: u64 = 4_096;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct About {
    schema: u32,
    /// The boot in which it was made.
    boot: Option<String>,
    pub(crate) summary: Summary,
    /// Words of whoever keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl About {
    pub(crate) fn new(summary: Summary, boot: Option<&str>) -> Self {
        Self { schema: SCHEMA, boot: boot.map(str::to_owned), summary, note: None }
    }

    pub(crate) fn noting(self, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..self }
    }

    /// Writes it into the directory of what is kept.
    pub(crate) fn write(&self, directory: impl AsFd) -> io::Result<()> {
        let mut file = place::new_file(directory, c"about.json", Mode::RUSR | Mode::WUSR)?;
        file.write_all(&serde_json::to_vec(self)?)
    }

    /// Reads it, and gives the file, whose time of change is the seal.
    pub(crate) fn read(directory: impl AsFd) -> io::Result<(Self, File)> {
        let file = place::open_file(directory, c"about.json")?;
        let mut text = Vec::new();
        (&file).take(MOST_BYTES).read_to_end(&mut text)?;
        let about: Self = serde_json::from_slice(&text)?;
        if about.schema == SCHEMA { Ok((about, file)) } else { Err(io::Error::other("another version of sti wrote it")) }
    }

    /// Whether it was made since the machine was started.
    pub(crate) fn is_of(&self, boot: Option<&str>) -> bool {
        boot.is_some() && self.boot.as_deref() == boot
    }

    /// About how much room it takes, in bytes.
    pub(crate) fn cost(&self) -> u64 {
        cost(&self.summary)
    }
}

pub(crate) fn cost(summary: &Summary) -> u64 {
    summary.bytes.saturating_add(summary.entries.saturating_add(1).saturating_mul(COST_OF_AN_ENTRY))
}
