//! A tree to look at, kept in a map from path to node.

mod writer;

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use super::types::{Problem, ProblemKind, problem};
use crate::testing::glob;

pub(crate) use writer::{FileWriter, Room, TreeWriter};

/// What an entry of a tree is.
///
/// ```
/// use sti_plugin::{EntryKind, testing::MemoryTree};
///
/// let tree = MemoryTree::new().symlink("link", "elsewhere").open();
/// assert_eq!(tree.look_at("link").unwrap().map(|entry| entry.kind), Some(EntryKind::Symlink));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, which the host never follows.
    Symlink,
}

/// What is at a path of a tree.
///
/// ```
/// use sti_plugin::testing::MemoryTree;
///
/// let tree = MemoryTree::new().executable("bin/tool", "#!").open();
/// let entries = tree.entries("bin").unwrap();
/// assert_eq!((entries[0].name.as_str(), entries[0].size, entries[0].executable), ("tool", 2, true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last part of the path.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file; 0 for the others.
    pub size: u64,
    /// Whether the owner may execute it.
    pub executable: bool,
}

/// What is at a path, with its nine permission bits. Two paths with the same `bytes` (and not just equal ones) are one file.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Directory { mode: u32 },
    File { bytes: Arc<Vec<u8>>, mode: u32 },
    Symlink { target: String },
}

impl Node {
    /// A directory that is there because something lies below it.
    pub(crate) const PARENT: Self = Self::Directory { mode: 0o755 };

    pub(crate) fn file(bytes: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self::File { bytes: Arc::new(bytes.into()), mode }
    }
}

pub struct Tree(pub(crate) Rc<BTreeMap<String, Node>>);

impl Tree {
    pub fn entries(&self, directory: &str) -> Result<Vec<Entry>, Problem> {
        check(directory)?;
        if !directory.is_empty() && !matches!(self.node(directory)?, Node::Directory { .. }) {
            return Err(problem(ProblemKind::Invalid, "not-a-directory", format!("`{directory}` is no directory")));
        }
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let children = self.0.iter().filter_map(|(path, node)| Some((path.strip_prefix(&prefix)?, node)));
        Ok(children.filter(|(name, _)| !name.contains('/')).map(|(name, node)| entry(name, node)).collect())
    }

    pub fn look_at(&self, path: &str) -> Result<Option<Entry>, Problem> {
        check(path)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(self.0.get(path).map(|node| entry(name, node)))
    }

    pub fn read(&self, path: &str, limit: u32) -> Result<Vec<u8>, Problem> {
        let Node::File { bytes, .. } = self.node(path)? else {
            return Err(problem(ProblemKind::Invalid, "not-a-file", format!("`{path}` is no file")));
        };
        if bytes.len() as u64 > u64::from(limit) {
            return Err(problem(ProblemKind::Exhausted, "too-large", format!("`{path}` is larger than {limit} bytes")));
        }
        Ok(bytes.to_vec())
    }

    pub fn link_target(&self, path: &str) -> Result<String, Problem> {
        match self.node(path)? {
            Node::Symlink { target } => Ok(target.clone()),
            _ => Err(problem(ProblemKind::Invalid, "not-a-symlink", format!("`{path}` is no symbolic link"))),
        }
    }

    pub fn find(&self, glob: &str, limit: u32) -> Result<Vec<String>, Problem> {
        let patterns = glob::alternatives(glob);
        let matches = |path: &&String| patterns.iter().any(|pattern| glob::matches(pattern, path));
        Ok(self.0.keys().filter(matches).take(limit as usize).cloned().collect())
    }

    fn node(&self, path: &str) -> Result<&Node, Problem> {
        check(path)?;
        self.0.get(path).ok_or_else(|| problem(ProblemKind::NotFound, "not-found", format!("there is no `{path}`")))
    }
}

fn entry(name: &str, node: &Node) -> Entry {
    let (kind, size, executable) = match node {
        Node::Directory { .. } => (EntryKind::Directory, 0, false),
        Node::File { bytes, mode } => (EntryKind::File, bytes.len() as u64, mode & 0o100 != 0),
        Node::Symlink { .. } => (EntryKind::Symlink, 0, false),
    };
    Entry { name: name.to_owned(), kind, size, executable }
}

/// Refuses what the host refuses: absolute paths, NUL, and parts that are empty, `.` or `..`.
pub(crate) fn check(path: &str) -> Result<(), Problem> {
    let is_normal = path.is_empty() || path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
    if is_normal {
        Ok(())
    } else {
        Err(problem(ProblemKind::Invalid, "invalid-path", format!("`{path}` is no normal relative path")))
    }
}
