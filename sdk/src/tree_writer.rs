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

    /// Says what the tree will be, before anything is written: equal keys mean equal trees, for this component, this address and these
    /// settings. True where the host has kept such a tree and takes it: then nothing is left to do but to return. Facts are recorded in
    /// both cases, and before: what only a fetch finds out is no fact.
    ///
    /// ```
    /// use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, http, testing::AddressBuilder};
    ///
    /// struct OnePage;
    ///
    /// impl Fetcher for OnePage {
    ///     fn card() -> Card {
    ///         Card::new("one-page", "0.1.0").serves_scheme("page")
    ///     }
    ///
    ///     fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
    ///         let page = http::download(&address.text())?;
    ///         if let Some(identity) = page.identity() && tree.reuse(&identity)? {
    ///             return Ok(());
    ///         }
    ///         tree.put_file("index.html", 0o644, &page.read_all(1 << 20)?)
    ///     }
    /// }
    ///
    /// let address = AddressBuilder::new("http://example.com/").page("http://example.com/", 200, "<p>");
    /// let first = address.fetch::<OnePage>();
    /// let key = first.key.clone().expect("it was asked for");
    /// assert_eq!(address.kept_tree(&key).fetch::<OnePage>().expect_reused(), key);
    /// assert_eq!(first.expect_tree().to_text(), "file 644 index.html (3 bytes)\n");
    /// ```
    pub fn reuse(&self, key: &str) -> Result<bool, Problem> {
        Ok(self.0.reuse(key)?)
    }

    /// Makes a directory, with its nine permission bits; set-id and sticky bits are dropped here and below, with a warning by the host.
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

    /// Says how many bytes a file will have, so that one that is too large is a problem before it is begun.
    ///
    /// ```
    /// # use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, testing::AddressBuilder};
    /// struct Large;
    ///
    /// impl Fetcher for Large {
    ///     fn card() -> Card {
    ///         Card::new("large", "0.1.0")
    ///     }
    ///
    ///     fn fetch(_address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
    ///         tree.expect("large", 1 << 60)
    ///     }
    /// }
    ///
    /// assert_eq!(AddressBuilder::new("anything").fetch::<Large>().expect_problem().code(), "too-many-bytes");
    /// ```
    pub fn expect(&self, path: &str, bytes: u64) -> Result<(), Problem> {
        Ok(self.0.expect(path, bytes)?)
    }

    /// Takes back a file, a link, or a directory with nothing in it, so that another thing can be written there.
    pub fn remove(&self, path: &str) -> Result<(), Problem> {
        Ok(self.0.remove(path)?)
    }

    /// Takes a directory of what was written for the whole: what lies in it becomes the top when the fetch ends well. Nothing may lie
    /// beside it, and nothing may be written after.
    ///
    /// ```
    /// # use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, testing::AddressBuilder};
    /// struct Wrapped;
    ///
    /// impl Fetcher for Wrapped {
    ///     fn card() -> Card {
    ///         Card::new("wrapped", "0.1.0")
    ///     }
    ///
    ///     fn fetch(_address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
    ///         tree.put_file("app-1.0/bin/tool", 0o755, b"#!")?;
    ///         tree.set_top("app-1.0")
    ///     }
    /// }
    ///
    /// let fetched = AddressBuilder::new("anything").fetch::<Wrapped>();
    /// assert_eq!(fetched.expect_tree().to_text(), "directory 755 bin\nfile 755 bin/tool (2 bytes)\n");
    /// ```
    pub fn set_top(&self, directory: &str) -> Result<(), Problem> {
        Ok(self.0.set_top(directory)?)
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
