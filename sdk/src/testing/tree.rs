//! A source in memory.

use std::{collections::BTreeMap, fmt::Write as _, rc::Rc, sync::Arc};

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
        self.node(path, Node::file(bytes, 0o644))
    }

    /// Adds a file that its owner may execute.
    #[must_use]
    pub fn executable(self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.node(path, Node::file(bytes, 0o755))
    }

    /// Adds a directory.
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        self.node(path, Node::PARENT)
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

    /// Tells the nine permission bits of a file or directory; none where there is neither.
    ///
    /// ```
    /// use sti_plugin::testing::MemoryTree;
    ///
    /// let tree = MemoryTree::new().executable("bin/tool", "#!").symlink("tool", "bin/tool");
    /// assert_eq!([tree.mode("bin"), tree.mode("bin/tool"), tree.mode("tool")], [Some(0o755), Some(0o755), None]);
    /// ```
    pub fn mode(&self, path: &str) -> Option<u32> {
        match self.0.get(path)? {
            Node::Directory { mode } | Node::File { mode, .. } => Some(*mode),
            Node::Symlink { .. } => None,
        }
    }

    /// Tells whether two paths are names of one file, as a fetcher makes them by
    /// [`TreeWriter::put_hardlink`](crate::TreeWriter::put_hardlink); files that are merely equal are not.
    ///
    /// ```
    /// use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter};
    /// use sti_plugin::testing::AddressBuilder;
    ///
    /// struct Twice;
    ///
    /// impl Fetcher for Twice {
    ///     fn card() -> Card {
    ///         Card::new("twice", "0.1.0")
    ///     }
    ///
    ///     fn fetch(_address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
    ///         tree.put_file("a", 0o644, b"same")?;
    ///         tree.put_file("b", 0o644, b"same")?;
    ///         tree.put_hardlink("c", "a")
    ///     }
    /// }
    ///
    /// let fetched = AddressBuilder::new("anything").fetch::<Twice>();
    /// assert!(fetched.expect_tree().is_same_file("a", "c"));
    /// assert!(!fetched.expect_tree().is_same_file("a", "b"));
    /// ```
    pub fn is_same_file(&self, one: &str, other: &str) -> bool {
        match (self.0.get(one), self.0.get(other)) {
            (Some(Node::File { bytes: one, .. }), Some(Node::File { bytes: other, .. })) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Writes the tree down, one line an entry, in path order: kind, mode, path; of a file its bytes, or the first of its names.
    ///
    /// ```
    /// use sti_plugin::testing::MemoryTree;
    ///
    /// let tree = MemoryTree::new().executable("a/b", "text").directory("empty").symlink("c", "/anywhere");
    /// assert_eq!(tree.to_text(), "\
    /// directory 755 a
    /// file 755 a/b (4 bytes)
    /// symlink c -> /anywhere
    /// directory 755 empty
    /// ");
    /// ```
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (path, node) in &self.0 {
            // Writing to a string does not fail.
            let _ = match node {
                Node::Directory { mode } => writeln!(text, "directory {mode:o} {path}"),
                Node::Symlink { target } => writeln!(text, "symlink {path} -> {target}"),
                Node::File { bytes, mode } => match self.first_name(path) {
                    Some(first) => writeln!(text, "file {mode:o} {path} = {first}"),
                    None => writeln!(text, "file {mode:o} {path} ({} bytes)", bytes.len()),
                },
            };
        }
        text
    }

    /// The first other name of a file, where that comes before this one.
    fn first_name(&self, path: &str) -> Option<&str> {
        let earlier = self.0.keys().map(String::as_str).take_while(|earlier| *earlier < path);
        earlier.into_iter().find(|earlier| self.is_same_file(earlier, path))
    }

    pub(crate) fn handle(&self) -> trees::Tree {
        trees::Tree(Rc::new(self.0.clone()))
    }

    fn node(mut self, path: &str, node: Node) -> Self {
        for (slash, _) in path.match_indices('/') {
            self.0.entry(path[..slash].to_owned()).or_insert(Node::PARENT);
        }
        self.0.insert(path.to_owned(), node);
        self
    }
}
