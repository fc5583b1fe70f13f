//! A container of the engine in memory: an image's files with mounts over them, and a program that sees them.

use std::collections::BTreeMap;

use sti_core::{Identity, plan::Network};

use super::{Files, Node};

/// What a program sees, and may change.
#[derive(Clone, Debug)]
pub struct Container {
    /// The image's files, with what was mounted over them.
    pub files: Files,
    /// Program and arguments.
    pub command: Vec<String>,
    /// The image's environment and the step's.
    pub environment: BTreeMap<String, String>,
    /// Who it runs as.
    pub user: Identity,
    /// Absolute.
    pub working_directory: String,
    /// What it may reach.
    pub network: Network,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
    pub(super) mounts: Vec<Mount>,
}

/// A mounted content, and what of the image it hides.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    at: Vec<u8>,
    hidden: Option<Files>,
}

impl Container {
    /// Mounts a content: it hides what the image has there.
    pub(super) fn mount(&mut self, at: &[u8], content: Files) {
        let hidden = self.files.take(at);
        self.files.graft(at, content);
        self.mounts.push(Mount { at: at.to_vec(), hidden });
    }

    /// Takes all mounts away. Where the image had nothing, an empty directory stays.
    pub(super) fn unmount(&mut self) {
        while let Some(mount) = self.mounts.pop() {
            self.files.take(&mount.at);
            match mount.hidden {
                Some(hidden) => self.files.graft(&mount.at, hidden),
                None => self.files.put(&mount.at, Node::directory(0o755)),
            }
        }
    }

    /// What lies at an absolute path now; an empty directory where nothing does.
    pub(super) fn capture(&self, path: &str) -> Files {
        let found = self.files.resolve(path).and_then(|path| self.files.copy(&path));
        found.unwrap_or_else(Files::empty_directory)
    }
}
