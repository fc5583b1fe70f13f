//! A directory that is filled, a decoy beside it, and what should lie in it according to the calls that were taken.
#![expect(clippy::disallowed_methods, reason = "looks at the disk past the handles that are tested")]

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    rc::Rc,
};

use tempfile::TempDir;

/// The bytes of a file, which may grow still.
pub(crate) type Growing = Rc<RefCell<Vec<u8>>>;

/// What should lie at a path, with its mode.
enum Node {
    Directory(u32),
    File(Growing, u32),
    Symlink(String),
}

/// What should be there.
#[derive(Default)]
pub(crate) struct Written(BTreeMap<String, Node>);

impl Written {
    pub(crate) fn entries(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Growing {
        let growing = Growing::new(RefCell::new(bytes.to_vec()));
        self.put(path, Node::File(Rc::clone(&growing), mode & 0o777));
        growing
    }

    pub(crate) fn directory(&mut self, path: &str, mode: u32) {
        // The top is none of its own entries.
        if !path.is_empty() {
            self.0.remove(path);
            self.put(path, Node::Directory(mode & 0o777));
        }
    }

    pub(crate) fn symlink(&mut self, path: &str, target: &str) {
        self.put(path, Node::Symlink(target.to_owned()));
    }

    pub(crate) fn hardlink(&mut self, path: &str, existing: &str) {
        let Some(Node::File(bytes, mode)) = self.0.get(existing) else { panic!("{existing:?} is no file to link to") };
        let node = Node::File(Rc::clone(bytes), *mode);
        self.put(path, node);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        assert!(self.0.remove(path).is_some(), "{path:?} is removed, and was not there");
        assert!(!self.0.keys().any(|other| other.starts_with(&below)), "{path:?} is removed with what lies in it");
    }

    pub(crate) fn set_top(&mut self, directory: &str) {
        let below = format!("{directory}/");
        let is_with_it = |path: &str| path == directory || path.starts_with(&below) || directory.starts_with(&format!("{path}/"));
        assert!(self.0.keys().all(|path| is_with_it(path)), "something lies beside {directory:?}");
        let whole = std::mem::take(&mut self.0);
        self.0 = whole.into_iter().filter_map(|(path, node)| Some((path.strip_prefix(&below)?.to_owned(), node))).collect();
    }

    fn put(&mut self, path: &str, node: Node) {
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0')), "{path:?} is written");
        for (slash, _) in path.match_indices('/') {
            let parent = self.0.entry(path[..slash].to_owned()).or_insert(Node::Directory(0o755));
            assert!(matches!(parent, Node::Directory(_)), "{path:?} is written below what is no directory");
        }
        assert!(self.0.insert(path.to_owned(), node).is_none(), "{path:?} is written twice");
    }
}

/// The directory and its decoy.
pub(crate) struct Yard(TempDir);

impl Yard {
    pub(crate) fn new() -> Self {
        let yard = Self(TempDir::new().expect("a temporary directory"));
        fs::create_dir(yard.tree()).expect("a directory of our own");
        fs::create_dir(yard.decoy()).expect("a directory of our own");
        fs::write(yard.decoy().join("file"), "untouched").expect("a file of our own");
        yard
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    pub(crate) fn decoy_path(&self) -> String {
        self.decoy().to_string_lossy().into_owned()
    }

    fn decoy(&self) -> PathBuf {
        self.0.path().join("decoy")
    }

    /// Nothing beside the tree is another than it was: neither names, nor bytes, nor modes, nor the number of names of the file.
    pub(crate) fn check_decoy(&self) {
        let names = |path: &Path| fs::read_dir(path).expect("it is there").count();
        assert_eq!([names(self.0.path()), names(&self.decoy())], [2, 1], "something lies beside the tree");
        let file = self.decoy().join("file");
        let metadata = fs::symlink_metadata(&file).expect("it is there");
        assert_eq!((metadata.nlink(), metadata.mode() & 0o7000), (1, 0), "the decoy has another name, or other bits");
        assert_eq!(fs::read(&file).expect("it can be read"), b"untouched");
        assert_eq!(fs::symlink_metadata(self.decoy()).expect("it is there").mode() & 0o7700, 0o700, "the decoy was changed");
    }

    /// What is there is what should be there, and nothing else.
    pub(crate) fn check_written(&self, written: &Written) {
        let (mut waiting, mut found, mut files) = (vec![String::new()], 0, HashMap::new());
        while let Some(directory) = waiting.pop() {
            let at = self.tree().join(&directory);
            // It may have been closed by its mode, which was looked at before.
            fs::set_permissions(&at, fs::Permissions::from_mode(0o700)).expect("a directory of our own");
            for entry in fs::read_dir(&at).expect("a directory of our own") {
                let name = entry.expect("a directory of our own").file_name().into_string().expect("names are text");
                let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
                let node = written.0.get(&path).unwrap_or_else(|| panic!("{path:?} is there, and was never written"));
                check_node(&self.tree().join(&path), node, &mut files);
                found += 1;
                if matches!(node, Node::Directory(_)) {
                    waiting.push(path);
                }
            }
        }
        assert_eq!(found, written.0.len(), "something that was written is not there");
    }
}

/// Holds what lies at a path against what should; names of one file lead to one file.
fn check_node(at: &Path, node: &Node, files: &mut HashMap<*const RefCell<Vec<u8>>, u64>) {
    let metadata = fs::symlink_metadata(at).expect("it was listed");
    let has_mode = |mode: &u32| metadata.mode() & 0o7777 == *mode;
    let is_right = match node {
        Node::Directory(mode) => metadata.is_dir() && has_mode(mode),
        Node::Symlink(target) => metadata.is_symlink() && fs::read_link(at).is_ok_and(|found| found == Path::new(target)),
        Node::File(bytes, mode) => {
            let is_right = metadata.is_file()
                && has_mode(mode)
                && *files.entry(Rc::as_ptr(bytes)).or_insert(metadata.ino()) == metadata.ino();
            fs::set_permissions(at, fs::Permissions::from_mode(0o600)).expect("a file of our own");
            let is_right = is_right && fs::read(at).is_ok_and(|found| found == *bytes.borrow());
            // Other names of it are looked at, too.
            fs::set_permissions(at, fs::Permissions::from_mode(*mode)).expect("a file of our own");
            is_right
        }
    };
    assert!(is_right, "{} is not what was written: it has the mode {:o}", at.display(), metadata.mode());
}
