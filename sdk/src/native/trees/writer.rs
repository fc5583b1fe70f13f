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

#[derive(Default)]
pub struct TreeWriter {
    pub(crate) nodes: Nodes,
    /// Files that were opened and not finished.
    pub(crate) open: Rc<Cell<u32>>,
    /// Keys of trees that a host would have kept.
    pub(crate) kept: BTreeSet<String>,
    pub(crate) key: RefCell<Option<String>>,
    pub(crate) is_reused: Cell<bool>,
}

impl TreeWriter {
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
        check_mode(path, mode)?;
        self.put(path, Node::Directory { mode })
    }

    pub fn put_file(&self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), Problem> {
        check_mode(path, mode)?;
        self.put(path, Node::file(bytes, mode))
    }

    pub fn open_file(&self, path: &str, mode: u32) -> Result<FileWriter, Problem> {
        self.put_file(path, mode, &[])?;
        self.open.set(self.open.get() + 1);
        Ok(FileWriter { nodes: Rc::clone(&self.nodes), open: Rc::clone(&self.open), path: path.to_owned() })
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
        if self.is_reused.get() {
            let taken = "the tree of an earlier fetch was taken: there is nothing to write";
            return Err(problem(ProblemKind::Invalid, "tree-taken", taken.to_owned()));
        }
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
    path: String,
}

impl FileWriter {
    pub fn write(&self, more: &[u8]) -> Result<(), Problem> {
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
