//! A source in memory.

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    Tree,
    native::trees::{self, Node},
};

/// A source in memory. Directories above a file are there by themselves.
///
/// ```
/// use sti_plugin::testing::MemoryTree;
///
/// let tree = MemoryTree::new().file("a/b.txt", "text").directory("empty").symlink("c", "/anywhere").open();
/// let names: Vec<String> = tree.entries("").unwrap().into_iter().map(|entry| entry.name).collect();
/// assert_eq!(names, ["a", "c", "empty"]);
/// assert_eq!(tree.read_text("a/b.txt", 100).unwrap(), "text");
/// assert_eq!(tree.link_target("c").unwrap(), "/anywhere");
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryTree(BTreeMap<String, Node>);

impl MemoryTree {
    /// Makes an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.node(path, Node::File { bytes: bytes.into(), executable: false })
    }

    /// Adds a file that its owner may execute.
    #[must_use]
    pub fn executable(self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.node(path, Node::File { bytes: bytes.into(), executable: true })
    }

    /// Adds a directory.
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        self.node(path, Node::Directory)
    }

    /// Adds a symbolic link, which nobody follows.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.node(path, Node::Symlink { target: target.to_owned() })
    }

    pub(crate) fn of(nodes: BTreeMap<String, Node>) -> Self {
        Self(nodes)
    }

    /// Opens it the way a plugin is given a source.
    pub fn open(&self) -> Tree {
        Tree::new(self.handle())
    }

    pub(crate) fn handle(&self) -> trees::Tree {
        trees::Tree(Rc::new(self.0.clone()))
    }

    fn node(mut self, path: &str, node: Node) -> Self {
        for (slash, _) in path.match_indices('/') {
            self.0.entry(path[..slash].to_owned()).or_insert(Node::Directory);
        }
        self.0.insert(path.to_owned(), node);
        self
    }
}
