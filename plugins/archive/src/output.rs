//! What both formats write into: strips names, drops what no tree may have, passes bytes on in pieces, and counts.

use std::{collections::HashMap, io::BufRead, mem};

use sti_plugin::{Problem, TreeWriter, log};

use crate::{
    damage::{damaged, told, truncated},
    names::{Name, shown},
    reader::PIECE,
    survey::Plan,
};

/// The nine permission bits; set-id and sticky bits lie above.
const PERMISSIONS: u32 = 0o777;
const SPECIAL_BITS: u32 = 0o7000;

/// A tree that is being filled.
pub(crate) struct Output<'a> {
    tree: &'a TreeWriter<'a>,
    plan: &'a Plan,
    written: u64,
    /// How many entries lost bits of their mode, and the first of them.
    dropped: (u64, String),
    /// Targets of symbolic links that hard links lead to: a tree has hard links of files only, and a second equal link is as good.
    symlinks: HashMap<String, String>,
}

/// The most symbolic links with hard links to them; each costs memory.
const MOST_SYMLINKS: usize = 1 << 12;

impl<'a> Output<'a> {
    pub(crate) fn new(tree: &'a TreeWriter<'a>, plan: &'a Plan) -> Self {
        Self { tree, plan, written: 0, dropped: (0, String::new()), symlinks: HashMap::new() }
    }

    /// Makes a directory.
    pub(crate) fn directory(&mut self, name: &Name, mode: u32) -> Result<(), Problem> {
        let Some(path) = self.path(name) else { return Ok(()) };
        let mode = self.permissions(name, mode);
        self.tree.put_directory(path, mode)
    }

    /// Writes a file of so many bytes: a small one at once, a large one in pieces.
    pub(crate) fn file(&mut self, name: &Name, mode: u32, size: u64, bytes: &mut dyn BufRead) -> Result<(), Problem> {
        let Some(path) = self.path(name) else { return Ok(()) };
        let mode = self.permissions(name, mode);
        if size <= u64::from(PIECE) {
            let mut whole = Vec::new();
            copy(bytes, size, |piece| {
                whole.extend_from_slice(piece);
                Ok(())
            })?;
            return self.tree.put_file(path, mode, &whole);
        }
        let mut file = self.tree.open_file(path, mode)?;
        copy(bytes, size, |piece| file.write(piece))?;
        file.finish()
    }

    /// Makes a symbolic link, whose target is data.
    pub(crate) fn symlink(&mut self, name: &Name, target: &str) -> Result<(), Problem> {
        let Some(path) = self.path(name) else { return Ok(()) };
        if self.plan.links_to(name) && self.symlinks.len() < MOST_SYMLINKS {
            self.symlinks.insert(name.as_str().to_owned(), target.to_owned());
        }
        self.tree.put_symlink(path, target)
    }

    /// Gives a file, or a symbolic link, that was written before a second name. Its target is a name of the archive, and stripped like one.
    pub(crate) fn hardlink(&mut self, name: &Name, target: &Name) -> Result<(), Problem> {
        if let Some(target) = self.symlinks.get(target.as_str()).cloned() {
            return self.symlink(name, &target);
        }
        let Some(path) = self.path(name) else { return Ok(()) };
        let missing = || {
            let (name, target) = (shown(name.as_str().as_bytes()), shown(target.as_str().as_bytes()));
            Problem::invalid("hard-link-missing", format!("`{name}` is a hard link to `{target}`, which is no file before it"))
                .hint("keep the file and its links in one archive, in their order, and below what is stripped from names")
        };
        let existing = target.below(self.plan.levels).ok_or_else(missing)?;
        self.tree.put_hardlink(path, existing).map_err(|problem| match problem.kind() {
            sti_plugin::ProblemKind::NotFound => missing(),
            _ => problem,
        })
    }

    /// Says what was dropped, and tells how many entries were written.
    pub(crate) fn finish(self) -> u64 {
        let (number, first) = self.dropped;
        if number > 0 {
            log::warning(format!("dropped set-user-id, set-group-id or sticky bits of {number} entries, first of `{first}`"));
        }
        self.written
    }

    /// The path in the tree, or none where nothing of the name is left.
    fn path<'n>(&mut self, name: &'n Name) -> Option<&'n str> {
        let path = name.below(self.plan.levels)?;
        self.written += 1;
        log::progress("unpacking", self.written, Some(self.plan.entries));
        Some(path)
    }

    fn permissions(&mut self, name: &Name, mode: u32) -> u32 {
        if mode & SPECIAL_BITS != 0 {
            let (number, first) = mem::take(&mut self.dropped);
            let first = if number == 0 { shown(name.as_str().as_bytes()) } else { first };
            self.dropped = (number + 1, first);
        }
        mode & PERMISSIONS
    }
}

/// Passes exactly so many bytes on, piece by piece, and makes sure that there are no more.
fn copy(bytes: &mut dyn BufRead, size: u64, mut take: impl FnMut(&[u8]) -> Result<(), Problem>) -> Result<(), Problem> {
    let mut left = size;
    loop {
        let piece = bytes.fill_buf().map_err(|error| told(&error))?;
        if piece.is_empty() || left == 0 {
            break;
        }
        let taken = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        take(&piece[..taken])?;
        bytes.consume(taken);
        left -= taken as u64;
    }
    if left > 0 {
        return Err(truncated(format!("{left} bytes of a file are missing")));
    }
    if !bytes.fill_buf().map_err(|error| told(&error))?.is_empty() {
        return Err(damaged("a file is longer than its header says"));
    }
    Ok(())
}
