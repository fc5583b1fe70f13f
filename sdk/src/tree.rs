//! The source, to look at.

use crate::{Entry, Problem, host::trees};

/// A tree of files that can only be read. What ignore rules leave out is not there, and the host follows no link.
///
/// Paths are relative, with `/` between their parts, and without `.` or `..`; `""` is the top.
///
/// ```
/// use sti_plugin::{Problem, Tree};
/// use sti_plugin::testing::MemoryTree;
///
/// fn is_python(source: &Tree) -> Result<bool, Problem> {
///     Ok(source.contains("requirements.txt")? || !source.find("**/*.py", 1)?.is_empty())
/// }
///
/// let tree = MemoryTree::new().file("app/main.py", "print(1)");
/// assert_eq!(is_python(&tree.open()), Ok(true));
/// ```
pub struct Tree(trees::Tree);

impl Tree {
    pub(crate) fn new(tree: trees::Tree) -> Self {
        Self(tree)
    }

    /// Lists a directory by name order.
    pub fn entries(&self, directory: &str) -> Result<Vec<Entry>, Problem> {
        Ok(self.0.entries(directory)?)
    }

    /// Tells what is at a path, or none.
    pub fn look_at(&self, path: &str) -> Result<Option<Entry>, Problem> {
        Ok(self.0.look_at(path)?)
    }

    /// Tells whether there is anything at a path.
    pub fn contains(&self, path: &str) -> Result<bool, Problem> {
        Ok(self.look_at(path)?.is_some())
    }

    /// Reads a whole file of at most `limit` bytes; a larger one is a problem of kind `Exhausted`.
    pub fn read(&self, path: &str, limit: u32) -> Result<Vec<u8>, Problem> {
        Ok(self.0.read(path, limit)?)
    }

    /// Reads a whole file as text.
    pub fn read_text(&self, path: &str, limit: u32) -> Result<String, Problem> {
        Ok(String::from_utf8(self.read(path, limit)?)?)
    }

    /// Tells where a symbolic link points, as it is written.
    pub fn link_target(&self, path: &str) -> Result<String, Problem> {
        Ok(self.0.link_target(path)?)
    }

    /// Lists the paths that match a glob (`**`, `*`, `?`, `{a,b}`), in path order, at most `limit` of them.
    pub fn find(&self, glob: &str, limit: u32) -> Result<Vec<String>, Problem> {
        Ok(self.0.find(glob, limit)?)
    }
}
