//! A tree to look at, kept in a map from path to node.

mod writer;

use std::{collections::BTreeMap, rc::Rc};

use super::types::{Problem, ProblemKind, problem};
use crate::testing::glob;

pub(crate) use writer::{FileWriter, TreeWriter};

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

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Directory,
    File { bytes: Vec<u8>, executable: bool },
    Symlink { target: String },
}

pub struct Tree(pub(crate) Rc<BTreeMap<String, Node>>);

impl Tree {
    pub fn entries(&self, directory: &str) -> Result<Vec<Entry>, Problem> {
        check(directory)?;
        if !directory.is_empty() && !matches!(self.node(directory)?, Node::Directory) {
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
        Ok(bytes.clone())
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
        Node::Directory => (EntryKind::Directory, 0, false),
        Node::File { bytes, executable } => (EntryKind::File, bytes.len() as u64, *executable),
        Node::Symlink { .. } => (EntryKind::Symlink, 0, false),
    };
    Entry { name: name.to_owned(), kind, size, executable }
}

/// Refuses what the host refuses: absolute paths, and parts that are empty, `.` or `..`.
pub(crate) fn check(path: &str) -> Result<(), Problem> {
    let is_normal = path.is_empty() || path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_normal {
        Ok(())
    } else {
        Err(problem(ProblemKind::Invalid, "invalid-path", format!("`{path}` is no normal relative path")))
    }
}
