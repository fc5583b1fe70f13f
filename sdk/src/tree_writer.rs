//! A tree to fill, and a file in it that grows.

use crate::{Problem, host::trees};

/// A tree to fill, empty at first. Parents are made as needed; writing a path twice is a problem, and so is one below a file or link.
///
/// ```
/// use sti_plugin::{Problem, TreeWriter};
///
/// fn fill(tree: &TreeWriter) -> Result<(), Problem> {
///     tree.put_file("bin/tool", 0o755, b"#!/bin/tool")?;
///     tree.put_symlink("tool", "bin/tool")?;
///     let mut large = tree.open_file("large", 0o644)?;
///     large.write(&[0; 1 << 16])?;
///     large.finish()
/// }
/// ```
pub struct TreeWriter<'a>(&'a trees::TreeWriter);

impl<'a> TreeWriter<'a> {
    pub(crate) fn new(tree: &'a trees::TreeWriter) -> Self {
        Self(tree)
    }

    /// Makes a directory, with its nine permission bits.
    pub fn put_directory(&self, path: &str, mode: u32) -> Result<(), Problem> {
        Ok(self.0.put_directory(path, mode)?)
    }

    /// Writes a whole file, with its nine permission bits; best for files up to a few MiB.
    pub fn put_file(&self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.0.put_file(path, mode, bytes)?)
    }

    /// Opens a file that is written piece by piece.
    pub fn open_file(&self, path: &str, mode: u32) -> Result<FileWriter, Problem> {
        Ok(FileWriter(self.0.open_file(path, mode)?))
    }

    /// Makes a symbolic link: its target is kept as it is, absolute or dangling, and never followed.
    pub fn put_symlink(&self, path: &str, target: &str) -> Result<(), Problem> {
        Ok(self.0.put_symlink(path, target)?)
    }

    /// Gives an earlier file of this tree a second name.
    pub fn put_hardlink(&self, path: &str, existing: &str) -> Result<(), Problem> {
        Ok(self.0.put_hardlink(path, existing)?)
    }
}

/// A file that grows. Dropping it before [`FileWriter::finish`] is a failure of the fetch. See [`TreeWriter`] for an example.
#[must_use = "a file must be finished"]
pub struct FileWriter(trees::FileWriter);

impl FileWriter {
    /// Appends; pieces of 64 KiB are fastest.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.0.write(bytes)?)
    }

    /// Says that the file is complete.
    pub fn finish(self) -> Result<(), Problem> {
        Ok(self.0.finish()?)
    }
}

impl std::io::Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes).map_err(|problem| std::io::Error::other(Problem::from(problem)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
