//! A tree to fill, whose paths are checked as a host checks them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
};

use super::{Node, check};
use crate::native::types::{Problem, ProblemKind, problem};

type Nodes = Rc<RefCell<BTreeMap<String, Node>>>;

#[derive(Default)]
pub struct TreeWriter {
    pub(crate) nodes: Nodes,
    /// Files that were opened and not finished.
    pub(crate) open: Rc<Cell<u32>>,
    room: Room,
}

/// How many entries and bytes more there may be, where a test limits that.
#[derive(Clone, Default)]
struct Room(Option<Rc<Cell<(u64, u64)>>>);

impl Room {
    fn take(&self, entries: u64, bytes: u64) -> Result<(), Problem> {
        let Some(room) = &self.0 else { return Ok(()) };
        let exhausted = |code: &str| problem(ProblemKind::Exhausted, code, "the test allows no more".to_owned());
        let (entries_left, bytes_left) = room.get();
        let entries_left = entries_left.checked_sub(entries).ok_or_else(|| exhausted("too-many-entries"))?;
        let bytes_left = bytes_left.checked_sub(bytes).ok_or_else(|| exhausted("too-many-bytes"))?;
        room.set((entries_left, bytes_left));
        Ok(())
    }
}

impl TreeWriter {
    /// So many entries and bytes, or as many as there is memory for.
    pub(crate) fn limited(limits: Option<(u64, u64)>) -> Self {
        Self { room: Room(limits.map(|limits| Rc::new(Cell::new(limits)))), ..Self::default() }
    }

    pub fn put_directory(&self, path: &str, mode: u32) -> Result<(), Problem> {
        check_mode(path, mode)?;
        self.put(path, Node::Directory { mode })
    }

    pub fn put_file(&self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), Problem> {
        check_mode(path, mode)?;
        self.room.take(0, bytes.len() as u64)?;
        self.put(path, Node::file(bytes, mode))
    }

    pub fn open_file(&self, path: &str, mode: u32) -> Result<FileWriter, Problem> {
        self.put_file(path, mode, &[])?;
        self.open.set(self.open.get() + 1);
        let (nodes, open) = (Rc::clone(&self.nodes), Rc::clone(&self.open));
        Ok(FileWriter { nodes, open, room: self.room.clone(), path: path.to_owned() })
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

    fn put(&self, path: &str, node: Node) -> Result<(), Problem> {
        check(path)?;
        self.room.take(1, 0)?;
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
        Ok(())
    }
}

pub struct FileWriter {
    nodes: Nodes,
    open: Rc<Cell<u32>>,
    room: Room,
    path: String,
}

impl FileWriter {
    pub fn write(&self, more: &[u8]) -> Result<(), Problem> {
        self.room.take(0, more.len() as u64)?;
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

fn check_mode(path: &str, mode: u32) -> Result<(), Problem> {
    if mode & !0o777 == 0 {
        return Ok(());
    }
    Err(problem(
        ProblemKind::Invalid,
        "invalid-mode",
        format!("`{path}` has the mode {mode:o}, which is more than permission bits"),
    ))
}
