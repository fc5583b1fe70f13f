//! Scripts of the contract `assemble` that were found, as a build uses them.

use super::ASSEMBLE;
use crate::{Content, Plan, Problem};

/// What scripts have, wherever they come from.
const EXECUTABLE: u32 = 0o755;

/// A script that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// In the image, at this path.
    InImage(String),
    /// In the source: what is in it.
    Brought(Vec<u8>),
}

/// The scripts that a source brings for an image, and where they arrive.
pub(super) struct Brought {
    /// The directory.
    pub(super) at: String,
    scripts: Vec<(&'static str, Vec<u8>)>,
}

impl Brought {
    /// None so far, in a build in which everything arrives below this directory.
    pub(super) fn below(destination: &str) -> Self {
        Self { at: format!("{destination}/{}", ASSEMBLE.scripts), scripts: Vec::new() }
    }

    /// Tells where a script will be, and takes it along where the source brings it.
    pub(super) fn place(&mut self, name: &'static str, found: Found) -> String {
        match found {
            Found::InImage(path) => path,
            Found::Brought(bytes) => {
                self.scripts.push((name, bytes));
                format!("{}/{name}", self.at)
            }
        }
    }

    /// The scripts, for a plan; `None` where all are in the image.
    pub(super) fn content(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        files(plan, self.scripts.iter())
    }

    /// One of them.
    pub(super) fn content_of(&self, name: &str, plan: &Plan) -> Result<Option<Content>, Problem> {
        files(plan, self.scripts.iter().filter(|(brought, _)| *brought == name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.scripts.iter().any(|(brought, _)| *brought == name)
    }
}

fn files<'a>(plan: &Plan, scripts: impl Iterator<Item = &'a (&'static str, Vec<u8>)>) -> Result<Option<Content>, Problem> {
    let files: Vec<_> = scripts.map(|(name, bytes)| (*name, EXECUTABLE, bytes.clone())).collect();
    if files.is_empty() { Ok(None) } else { plan.files(files).map(Some) }
}
