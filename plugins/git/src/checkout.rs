//! A commit's files, written into the tree that the host gave.

use std::{collections::HashSet, io::Write};

use gix_hash::{Kind, ObjectId, oid};
use gix_object::{
    TreeRefIter,
    tree::{EntryKind, EntryMode, EntryRef},
};
use sti_plugin::{Problem, TreeWriter, log};

use crate::{
    name,
    objects::{ObjectKind, Objects},
    trouble,
};

/// As deep as git itself goes.
const MOST_DEPTH: usize = 2048;

/// The most entries that are looked at: trees may hold each other again and again, so that a small pack means endless files.
const MOST_ENTRIES: usize = 4_000_000;

/// A larger file is handed over in pieces.
const WHOLE: usize = 4 << 20;

/// How large such a piece is.
const PIECE: usize = 1 << 16;

/// The kinds of entries there are; git writes no other.
const KINDS: &[u16] = &[0o040_000, 0o100_000, 0o120_000, 0o160_000];

/// Writes commits into a tree.
pub(crate) struct Checkout<'a> {
    tree: &'a TreeWriter<'a>,
    entries: usize,
}

/// A directory that is still to be written.
struct Directory {
    /// Empty, or with a slash at its end.
    path: String,
    depth: usize,
    tree: ObjectId,
}

impl<'a> Checkout<'a> {
    /// Starts with an empty tree.
    pub(crate) fn new(tree: &'a TreeWriter<'a>) -> Self {
        Self { tree, entries: 0 }
    }

    /// Writes all files of a commit.
    pub(crate) fn write(&mut self, objects: &Objects, commit: ObjectId) -> Result<(), Problem> {
        let mut waiting = vec![Directory { path: String::new(), depth: 0, tree: objects.tree_of(&commit)? }];
        let (mut listing, mut content) = (Vec::new(), Vec::new());
        while let Some(directory) = waiting.pop() {
            objects.expect(&directory.tree, ObjectKind::Tree, &mut listing)?;
            let mut names = HashSet::new();
            for entry in TreeRefIter::from_bytes(&listing, Kind::Sha1) {
                let entry = entry.map_err(|error| trouble::corrupt(&error))?;
                let path = self.judge(&directory, &entry)?;
                if !names.insert(entry.filename) {
                    return Err(twice(&path));
                }
                match entry.mode.kind() {
                    EntryKind::Tree => waiting.push(below(&directory, path, entry.oid)?),
                    EntryKind::Commit => log::warning(format!("the submodule `{path}` is left out")),
                    kind => {
                        objects.expect(entry.oid, ObjectKind::Blob, &mut content)?;
                        self.write_file(&path, kind, &content)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Judges an entry by its name and kind, and answers with its path.
    fn judge(&mut self, directory: &Directory, entry: &EntryRef) -> Result<String, Problem> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(Problem::exhausted(
                "too-many-entries",
                format!("the repository holds more than {MOST_ENTRIES} files and directories"),
            ));
        }
        let path = name::join(&directory.path, entry.filename, entry.mode.is_link())?;
        if !KINDS.contains(&(entry.mode.value() & 0o170_000)) {
            return Err(unknown_kind(&path, entry.mode));
        }
        Ok(path)
    }

    fn write_file(&self, path: &str, kind: EntryKind, content: &[u8]) -> Result<(), Problem> {
        let mode = if kind == EntryKind::BlobExecutable { 0o755 } else { 0o644 };
        match kind {
            EntryKind::Link => self.tree.put_symlink(path, target(path, content)?),
            _ if content.len() <= WHOLE => self.tree.put_file(path, mode, content),
            _ => {
                let mut file = self.tree.open_file(path, mode)?;
                content.chunks(PIECE).try_for_each(|piece| file.write_all(piece))?;
                file.finish()
            }
        }
    }
}

fn below(directory: &Directory, path: String, tree: &oid) -> Result<Directory, Problem> {
    let depth = directory.depth + 1;
    if depth > MOST_DEPTH {
        return Err(Problem::exhausted(
            "too-deep",
            format!("the repository has directories that are more than {MOST_DEPTH} deep"),
        ));
    }
    Ok(Directory { path: path + "/", depth, tree: tree.to_owned() })
}

/// Where a link leads, which is kept as it is.
fn target<'t>(path: &str, content: &'t [u8]) -> Result<&'t str, Problem> {
    let text = std::str::from_utf8(content).ok().filter(|text| !text.is_empty() && !text.contains('\0'));
    text.ok_or_else(|| Problem::invalid("invalid-link", format!("the link `{path}` leads to what is no path in UTF-8")))
}

fn twice(path: &str) -> Problem {
    Problem::invalid("duplicate-entry", format!("the repository holds the path `{path}` twice"))
        .hint("do not use this repository before you know who made it so; `git fsck` tells more")
}

fn unknown_kind(path: &str, mode: EntryMode) -> Problem {
    trouble::damaged(format_args!("`{path}` has the mode `{mode:o}`, which means nothing"))
}
