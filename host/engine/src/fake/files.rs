//! Files in memory: a map from path to node. The same type is a whole image, a volume, and one content with its top at `""`.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read},
    sync::Arc,
};

use sti_core::plan::Names;
use tar::EntryType;

/// More links on the way to a file than any system follows.
const MOST_LINKS: usize = 40;

/// Files by path, relative and without a slash at either end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Files(BTreeMap<Vec<u8>, Node>);

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Permission, set-id and sticky bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What kind of thing a [`Node`] is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A regular file.
    File {
        /// What it holds.
        bytes: Arc<[u8]>,
        /// The same number for all names of one file; `None` where it has one name.
        shared: Option<u64>,
    },
    /// A directory.
    Directory,
    /// A symbolic link with its target.
    Symlink(Vec<u8>),
}

impl Node {
    /// A file of root's.
    pub fn file(bytes: impl AsRef<[u8]>, mode: u32) -> Self {
        Self { kind: NodeKind::File { bytes: bytes.as_ref().into(), shared: None }, mode, uid: 0, gid: 0 }
    }

    /// A directory of root's.
    pub fn directory(mode: u32) -> Self {
        Self { kind: NodeKind::Directory, mode, uid: 0, gid: 0 }
    }

    /// A link of root's.
    pub fn symlink(target: impl AsRef<[u8]>) -> Self {
        Self { kind: NodeKind::Symlink(target.as_ref().to_vec()), mode: 0o777, uid: 0, gid: 0 }
    }

    /// The same node of another owner.
    #[must_use]
    pub fn owned(self, uid: u32, gid: u32) -> Self {
        Self { uid, gid, ..self }
    }
}

impl Files {
    /// An empty directory as a content.
    pub fn empty_directory() -> Self {
        Self(BTreeMap::from([(Vec::new(), Node::directory(0o755))]))
    }

    /// What lies at a path, no link followed.
    pub fn get(&self, path: &[u8]) -> Option<&Node> {
        self.0.get(path)
    }

    /// Everything in the order of paths, part by part.
    pub fn sorted(&self) -> Vec<(&[u8], &Node)> {
        let mut all: Vec<_> = self.0.iter().map(|(path, node)| (path.as_slice(), node)).collect();
        all.sort_by(|(left, _), (right, _)| left.split(|byte| *byte == b'/').cmp(right.split(|byte| *byte == b'/')));
        all
    }

    /// Puts a node at a path, with root's directories above it where there are none. What was there goes, unless both are directories.
    pub fn put(&mut self, path: &[u8], node: Node) {
        for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            self.0.entry(path[..slash].to_vec()).or_insert_with(|| Node::directory(0o755));
        }
        if node.kind != NodeKind::Directory {
            self.take(path);
        }
        self.0.insert(path.to_vec(), node);
    }

    /// Removes what lies at a path and below it, and answers it as a content.
    pub fn take(&mut self, path: &[u8]) -> Option<Self> {
        let taken = self.copy(path)?;
        self.0.retain(|own, _| relative(own, path).is_none());
        Some(taken)
    }

    /// What lies at a path and below it, as a content.
    pub fn copy(&self, path: &[u8]) -> Option<Self> {
        let below = self.0.iter().filter_map(|(own, node)| Some((relative(own, path)?.to_vec(), node.clone())));
        let copy = Self(below.collect());
        (!copy.0.is_empty()).then_some(copy)
    }

    /// The entries of the top whose names match, without the top; `None` where there are none.
    pub fn matching(&self, glob: &str) -> Option<Self> {
        let names = Names::of(glob).ok()?;
        let first =
            |path: &[u8]| path.split(|byte| *byte == b'/').next().is_some_and(|name| !name.is_empty() && names.hold(name));
        let picked: BTreeMap<_, _> =
            self.0.iter().filter(|(path, _)| first(path)).map(|(path, node)| (path.clone(), node.clone())).collect();
        (!picked.is_empty()).then_some(Self(picked))
    }

    /// Puts a content at a path, over what is there.
    pub fn graft(&mut self, path: &[u8], content: Self) {
        for (below, node) in content.0 {
            self.put(&joined(path, &below), node);
        }
    }

    /// Gives everything to an owner.
    pub fn give_to(&mut self, uid: u32, gid: u32) {
        self.0.values_mut().for_each(|node| (node.uid, node.gid) = (uid, gid));
    }

    /// How many names the file with this number has.
    pub fn names_of(&self, shared: u64) -> usize {
        let is_it = |node: &&Node| matches!(node.kind, NodeKind::File { shared: Some(own), .. } if own == shared);
        self.0.values().filter(is_it).count()
    }

    /// Where an absolute path leads, links followed inside.
    pub fn resolve(&self, path: &str) -> Option<Vec<u8>> {
        let mut left: Vec<Vec<u8>> = parts(path.as_bytes());
        let mut at: Vec<u8> = Vec::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == b".." {
                at.truncate(at.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                continue;
            }
            let next = joined(&at, &part);
            match &self.0.get(&next)?.kind {
                NodeKind::Symlink(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return None;
                    }
                    if target.starts_with(b"/") {
                        at.clear();
                    }
                    left.extend(parts(target));
                }
                _ => at = next,
            }
        }
        Some(at)
    }

    /// What a file holds, links followed inside.
    pub fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        match &self.0.get(&self.resolve(path)?)?.kind {
            NodeKind::File { bytes, .. } => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Unpacks a tar of ours.
    pub fn from_tar(tar: &[u8]) -> io::Result<Self> {
        let mut files = Self::default();
        for entry in tar::Archive::new(tar).entries()? {
            files.unpack(&mut entry?)?;
        }
        Ok(files)
    }

    fn unpack(&mut self, entry: &mut tar::Entry<'_, &[u8]>) -> io::Result<()> {
        let path = entry.path_bytes().strip_suffix(b"/").map_or_else(|| entry.path_bytes().into_owned(), <[u8]>::to_vec);
        let target = entry.link_name_bytes().unwrap_or_default().into_owned();
        let id = |id: io::Result<u64>| id.map(|id| u32::try_from(id).unwrap_or(u32::MAX));
        let (uid, gid) = (id(entry.header().uid())?, id(entry.header().gid())?);
        let mode = entry.header().mode()?;
        let node = match entry.header().entry_type() {
            EntryType::Directory => Node::directory(mode),
            EntryType::Symlink => Node::symlink(target),
            EntryType::Link => self.second_name(&target)?,
            _ => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                Node::file(bytes, mode)
            }
        };
        self.put(&path, node.owned(uid, gid));
        Ok(())
    }

    fn second_name(&mut self, first: &[u8]) -> io::Result<Node> {
        let node = self.0.get_mut(first).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        if let NodeKind::File { shared, .. } = &mut node.kind {
            let mut hasher = DefaultHasher::new();
            first.hash(&mut hasher);
            *shared = Some(hasher.finish());
        }
        Ok(node.clone())
    }
}

/// The parts of a path, the last one first.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec).rev().collect()
}

/// The path below another one; `None` where it is not below it.
fn relative<'path>(path: &'path [u8], top: &[u8]) -> Option<&'path [u8]> {
    let rest = path.strip_prefix(top)?;
    if top.is_empty() || rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(b"/")
}

pub(super) fn joined(at: &[u8], below: &[u8]) -> Vec<u8> {
    if at.is_empty() || below.is_empty() { [at, below].concat() } else { [at, b"/", below].concat() }
}
