//! A tree to fill, whose paths are checked as a host checks them.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use super::{Node, check};
use crate::native::types::{Problem, ProblemKind, problem};

type Nodes = Rc<RefCell<BTreeMap<String, Node>>>;

/// How much a tree may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

impl Default for Room {
    /// What a host grants where nobody says otherwise.
    fn default() -> Self {
        Self { entries: 1_000_000, bytes: 32 << 30 }
    }
}

#[derive(Default)]
pub struct TreeWriter {
    pub(crate) nodes: Nodes,
    /// Files that were opened and not finished.
    pub(crate) open: Rc<Cell<u32>>,
    room: Room,
    /// How much was written until now, whether it was taken back or not.
    entries: Cell<u64>,
    bytes: Rc<Cell<u64>>,
    top: RefCell<Option<String>>,
    /// Keys of trees that a host would have kept.
    kept: BTreeSet<String>,
    pub(crate) key: RefCell<Option<String>>,
    pub(crate) is_reused: Cell<bool>,
}

impl TreeWriter {
    pub(crate) fn new(room: Room, kept: BTreeSet<String>) -> Self {
        Self { room, kept, ..Self::default() }
    }

    pub fn reuse(&self, key: &str) -> Result<bool, Problem> {
        if key.is_empty() || key.len() > 1_000 {
            return Err(problem(ProblemKind::Invalid, "invalid-key", "the key of a tree is empty, or too long".to_owned()));
        }
        if self.key.borrow().is_some() || !self.nodes.borrow().is_empty() {
            let late = "what the tree will be is said once, and before anything is written";
            return Err(problem(ProblemKind::Invalid, "asked-late", late.to_owned()));
        }
        self.key.replace(Some(key.to_owned()));
        self.is_reused.set(self.kept.contains(key));
        Ok(self.is_reused.get())
    }

    pub fn put_directory(&self, path: &str, mode: u32) -> Result<(), Problem> {
        let mode = permissions(path, mode)?;
        self.put(path, Node::Directory { mode })
    }

    pub fn put_file(&self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), Problem> {
        let mode = permissions(path, mode)?;
        weigh(&self.bytes, self.room, bytes)?;
        self.put(path, Node::file(bytes, mode))
    }

    pub fn open_file(&self, path: &str, mode: u32) -> Result<FileWriter, Problem> {
        self.put_file(path, mode, &[])?;
        self.open.set(self.open.get() + 1);
        let (nodes, open, bytes) = (Rc::clone(&self.nodes), Rc::clone(&self.open), Rc::clone(&self.bytes));
        Ok(FileWriter { nodes, open, bytes, room: self.room, path: path.to_owned() })
    }

    pub fn put_symlink(&self, path: &str, target: &str) -> Result<(), Problem> {
        self.put(path, Node::Symlink { target: target.to_owned() })
    }

    pub fn put_hardlink(&self, path: &str, existing: &str) -> Result<(), Problem> {
        let node = self.nodes.borrow().get(existing).cloned();
        match node {
            Some(node @ Node::File { .. }) => self.put(path, node),
            _ => Err(problem(ProblemKind::NotFound, "not-found", format!("there is no file `{existing}` yet"))),
        }
    }

    pub fn expect(&self, path: &str, bytes: u64) -> Result<(), Problem> {
        match self.bytes.get().checked_add(bytes) {
            Some(all) if all <= self.room.bytes => Ok(()),
            _ => Err(too_many_bytes(&format!("`{path}` of {bytes} bytes"), self.room)),
        }
    }

    pub fn remove(&self, path: &str) -> Result<(), Problem> {
        self.must_be_open(path)?;
        let mut nodes = self.nodes.borrow_mut();
        let below = format!("{path}/");
        if nodes.keys().any(|other| other.starts_with(&below)) {
            return Err(problem(ProblemKind::Invalid, "not-empty", format!("something lies in `{path}`")));
        }
        nodes.remove(path).map(drop).ok_or_else(|| nothing_there(path))
    }

    pub fn set_top(&self, directory: &str) -> Result<(), Problem> {
        self.must_be_open(directory)?;
        let nodes = self.nodes.borrow();
        if !matches!(nodes.get(directory), Some(Node::Directory { .. })) {
            return Err(nothing_there(directory));
        }
        let within = |path: &str, other: &str| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        if !nodes.keys().all(|path| path == directory || within(directory, path) || within(path, directory)) {
            return Err(problem(ProblemKind::Invalid, "not-alone", format!("something lies beside `{directory}`")));
        }
        *self.top.borrow_mut() = Some(directory.to_owned());
        Ok(())
    }

    /// Ends the tree, as a host does.
    pub(crate) fn finish(self) -> BTreeMap<String, Node> {
        let nodes = self.nodes.take();
        match self.top.take() {
            None => nodes,
            Some(top) => {
                let below = |path: &str| Some(path.strip_prefix(&top)?.strip_prefix('/')?.to_owned());
                nodes.into_iter().filter_map(|(path, node)| Some((below(&path)?, node))).collect()
            }
        }
    }

    fn must_be_open(&self, path: &str) -> Result<(), Problem> {
        match *self.top.borrow() {
            None => Ok(()),
            Some(_) => Err(problem(ProblemKind::Invalid, "after-the-top", format!("`{path}` comes after the top was said"))),
        }
    }

    fn put(&self, path: &str, node: Node) -> Result<(), Problem> {
        check(path)?;
        if self.is_reused.get() {
            let taken = "the tree of an earlier fetch was taken: there is nothing to write";
            return Err(problem(ProblemKind::Invalid, "tree-taken", taken.to_owned()));
        }
        self.must_be_open(path)?;
        let mut nodes = self.nodes.borrow_mut();
        let is_new = match (nodes.get(path), &node) {
            (None, _) => !path.is_empty(),
            // Made as a parent, and now told its mode.
            (Some(Node::Directory { .. }), Node::Directory { .. }) => true,
            _ => false,
        };
        if !is_new {
            return Err(problem(ProblemKind::Invalid, "written-twice", format!("`{path}` is there already")));
        }
        for (slash, _) in path.match_indices('/') {
            if !matches!(nodes.entry(path[..slash].to_owned()).or_insert(Node::PARENT), Node::Directory { .. }) {
                return Err(problem(ProblemKind::Invalid, "below-a-file", format!("`{path}` lies below what is no directory")));
            }
        }
        nodes.insert(path.to_owned(), node);
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() <= self.room.entries {
            return Ok(());
        }
        let message = format!("the source has more than {} entries (the next is `{path}`)", self.room.entries);
        Err(problem(ProblemKind::Exhausted, "too-many-entries", message))
    }
}

pub struct FileWriter {
    nodes: Nodes,
    open: Rc<Cell<u32>>,
    bytes: Rc<Cell<u64>>,
    room: Room,
    path: String,
}

impl FileWriter {
    pub fn write(&self, more: &[u8]) -> Result<(), Problem> {
        weigh(&self.bytes, self.room, more)?;
        if let Some(Node::File { bytes, .. }) = self.nodes.borrow_mut().get_mut(&self.path) {
            Arc::make_mut(bytes).extend_from_slice(more);
        }
        Ok(())
    }

    pub fn finish(&self) -> Result<(), Problem> {
        self.open.set(self.open.get().saturating_sub(1));
        Ok(())
    }
}

fn weigh(written: &Cell<u64>, room: Room, more: &[u8]) -> Result<(), Problem> {
    written.set(written.get() + more.len() as u64);
    if written.get() <= room.bytes { Ok(()) } else { Err(too_many_bytes("the files of the source", room)) }
}

fn too_many_bytes(what: &str, room: Room) -> Problem {
    problem(ProblemKind::Exhausted, "too-many-bytes", format!("{what}: more than {} bytes together", room.bytes))
}

fn nothing_there(path: &str) -> Problem {
    problem(ProblemKind::NotFound, "not-found", format!("nothing of the kind was written at `{path}`"))
}

/// The nine bits, without those that a host drops.
fn permissions(path: &str, mode: u32) -> Result<u32, Problem> {
    if mode & !0o7777 == 0 {
        return Ok(mode & 0o777);
    }
    Err(problem(
        ProblemKind::Invalid,
        "invalid-mode",
        format!("`{path}` has the mode {mode:o}, which is more than permission bits"),
    ))
}
