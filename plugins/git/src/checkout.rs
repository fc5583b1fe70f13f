//! A commit's files, written into the tree that the host gave.

use std::collections::HashSet;

use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_object::{
    Kind, TreeRefIter,
    tree::{EntryKind, EntryMode, EntryRef},
};
use sti_plugin::{Address, Problem, TreeWriter, log};

use crate::{
    attributes::{self, Attributes},
    lfs::{self, Pending},
    location::Location,
    name,
    repository::Found,
    store::{self, Large, Opened, Store},
    submodules::Gitlink,
    trouble,
};

/// As deep as git itself goes.
const MOST_DEPTH: usize = 2048;

/// The most entries that are looked at: trees may hold each other again and again, so that a small pack means endless files.
const MOST_ENTRIES: usize = 2_000_000;

/// A larger file is handed over in pieces.
const WHOLE: usize = 2 << 20;

/// The largest file that is changed on its way, which takes several times its size.
const TREATED: usize = 24 << 20;

/// How large such a piece is.
const PIECE: usize = 1 << 16;

/// Files at the top that say something to us.
const READ_BY_US: &[&str] = &[".gitmodules", ".lfsconfig"];

/// The kinds of entries there are; git writes no other.
const KINDS: &[u16] = &[0o040_000, 0o100_000, 0o120_000, 0o160_000];

/// Writes commits into a tree.
pub(crate) struct Checkout<'a> {
    tree: &'a TreeWriter<'a>,
    entries: usize,
    submodules: bool,
    lfs: bool,
}

/// What a repository leaves to be done.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) links: Vec<Gitlink>,
    /// The content of `.gitmodules`.
    pub(crate) list: Option<Vec<u8>>,
}

/// A directory that is still to be written.
struct Directory {
    /// From the top of its repository; empty, or with a slash at its end.
    path: String,
    depth: usize,
    tree: ObjectId,
}

/// One repository while it is written.
struct Walk<'w> {
    /// Where it lies in the tree; empty, or with a slash at its end.
    prefix: &'w str,
    objects: &'w dyn Store,
    attributes: Attributes,
    waiting: Vec<Directory>,
    pending: Vec<Pending>,
    /// The content of `.lfsconfig`.
    lfs_configuration: Option<Vec<u8>>,
    written: Written,
}

impl<'a> Checkout<'a> {
    /// Starts with an empty tree, and with what the user set.
    pub(crate) fn new(tree: &'a TreeWriter<'a>, address: &Address) -> Result<Self, Problem> {
        let submodules = setting(address, "submodules", ["yes", "no"])? == "yes";
        let lfs = setting(address, "lfs", ["fetch", "skip"])? == "fetch";
        Ok(Self { tree, entries: 0, submodules, lfs })
    }

    /// Tells whether submodules are wanted.
    pub(crate) fn with_submodules(&self) -> bool {
        self.submodules
    }

    /// Writes all files of a repository's commit at a place of the tree.
    pub(crate) fn write(&mut self, prefix: &str, found: &Found, location: &Location) -> Result<Written, Problem> {
        let objects = found.objects.as_ref();
        let top = Directory { path: String::new(), depth: 0, tree: objects.tree_of(&found.commit)? };
        let mut walk = Walk {
            prefix,
            objects,
            attributes: Attributes::new()?,
            waiting: vec![top],
            pending: Vec::new(),
            lfs_configuration: None,
            written: Written::default(),
        };
        while let Some(directory) = walk.waiting.pop() {
            let listing = objects.expect(&directory.tree, Kind::Tree)?;
            self.write_directory(&directory, &listing.content, &mut walk)?;
        }
        lfs::fetch(self.tree, &walk.pending, location, walk.lfs_configuration.as_deref())?;
        Ok(walk.written)
    }

    fn write_directory(&mut self, directory: &Directory, listing: &[u8], walk: &mut Walk) -> Result<(), Problem> {
        walk.read_attributes(directory, listing)?;
        log::progress("files", self.entries as u64, None);
        let mut names = HashSet::new();
        for entry in TreeRefIter::from_bytes(listing, Sha1) {
            let entry = entry.map_err(|error| trouble::corrupt(&error))?;
            let path = self.judge(walk.prefix, directory, &entry)?;
            if !names.insert(entry.filename) {
                return Err(twice(&path));
            }
            match entry.mode.kind() {
                EntryKind::Tree => walk.waiting.push(below(walk.prefix, directory, &path, entry.oid.to_owned())?),
                EntryKind::Commit => {
                    self.tree.put_directory(&path, 0o755)?;
                    walk.written.links.push(Gitlink { path: path[walk.prefix.len()..].to_owned(), commit: entry.oid.to_owned() });
                }
                EntryKind::Link => {
                    let content = walk.objects.expect(entry.oid, Kind::Blob)?;
                    self.tree.put_symlink(&path, target(&path, &content.content)?)?;
                }
                kind => {
                    self.write_file(path, if kind == EntryKind::BlobExecutable { 0o755 } else { 0o644 }, entry.oid, walk)?;
                }
            }
        }
        Ok(())
    }

    /// Judges an entry by its name and kind, and answers with its path in the tree.
    fn judge(&mut self, prefix: &str, directory: &Directory, entry: &EntryRef) -> Result<String, Problem> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(Problem::exhausted(
                "too-many-entries",
                format!("the repository holds more than {MOST_ENTRIES} files and directories"),
            ));
        }
        let path = name::join(&format!("{prefix}{}", directory.path), entry.filename, entry.mode.is_link())?;
        if !KINDS.contains(&(entry.mode.value() & 0o170_000)) {
            return Err(unknown_kind(&path, entry.mode));
        }
        Ok(path)
    }

    fn write_file(&self, path: String, mode: u32, id: &oid, walk: &mut Walk) -> Result<(), Problem> {
        let own_path = &path[walk.prefix.len()..];
        let (treatment, is_read) = (walk.attributes.of(own_path), READ_BY_US.contains(&own_path));
        let largest = if treatment.is_none() && !is_read { WHOLE } else { TREATED };
        let object = match walk.objects.open_file(id, largest as u64)? {
            Opened::Large(object) if largest == WHOLE => return self.write_large(&path, mode, object),
            Opened::Large(object) => return Err(store::too_large(object.size())),
            Opened::Held(object) => object,
        };
        match own_path {
            ".gitmodules" => walk.written.list = Some(object.content.clone()),
            ".lfsconfig" => walk.lfs_configuration = Some(object.content.clone()),
            _ => {}
        }
        let pointer = if treatment.is_lfs && self.lfs { lfs::Pointer::parse(&object.content) } else { None };
        if let Some(pointer) = pointer {
            walk.pending.push(Pending { path, mode, pointer });
            return Ok(());
        }
        if treatment.is_none() {
            return self.write_content(&path, mode, &object.content);
        }
        if object.content.len() > TREATED {
            return Err(store::too_large(object.content.len() as u64));
        }
        let mut content = object.content.clone();
        drop(object);
        treatment.apply(&path, &mut content)?;
        self.write_content(&path, mode, &content)
    }

    fn write_content(&self, path: &str, mode: u32, content: &[u8]) -> Result<(), Problem> {
        if content.len() <= WHOLE {
            return self.tree.put_file(path, mode, content);
        }
        let mut file = self.tree.open_file(path, mode)?;
        content.chunks(PIECE).try_for_each(|piece| file.write(piece))?;
        file.finish()
    }

    /// Writes a file that is never in memory as a whole.
    fn write_large(&self, path: &str, mode: u32, object: Box<dyn Large + '_>) -> Result<(), Problem> {
        let mut file = self.tree.open_file(path, mode)?;
        object.pour(&mut |piece| file.write(piece))?;
        file.finish()
    }
}

impl Walk<'_> {
    /// Reads what a directory says of its files, before they are written. A link in its place says nothing.
    fn read_attributes(&mut self, directory: &Directory, listing: &[u8]) -> Result<(), Problem> {
        self.attributes.enter(directory.depth);
        let is_it = |entry: &EntryRef| entry.mode.is_blob() && entry.filename == ".gitattributes";
        let Some(entry) = TreeRefIter::from_bytes(listing, Sha1).filter_map(Result::ok).find(is_it) else { return Ok(()) };
        let content = &self.objects.expect(entry.oid, Kind::Blob)?.content;
        if content.len() > attributes::LIMIT {
            return Err(Problem::exhausted(
                "attributes-too-large",
                format!("`{}.gitattributes` is larger than {} bytes", directory.path, attributes::LIMIT),
            ));
        }
        self.attributes.add(&directory.path, directory.depth, content)
    }
}

fn below(prefix: &str, directory: &Directory, path: &str, tree: ObjectId) -> Result<Directory, Problem> {
    let depth = directory.depth + 1;
    if depth > MOST_DEPTH {
        return Err(Problem::exhausted(
            "too-deep",
            format!("the repository has directories that are more than {MOST_DEPTH} deep"),
        ));
    }
    Ok(Directory { path: format!("{}/", &path[prefix.len()..]), depth, tree })
}

fn setting(address: &Address, name: &str, values: [&'static str; 2]) -> Result<String, Problem> {
    let value = address.setting(name).unwrap_or_else(|| values[0].to_owned());
    if values.contains(&value.as_str()) {
        return Ok(value);
    }
    let message = format!("`{}` is no value of the setting `{name}`", value.escape_debug());
    Err(Problem::invalid("invalid-setting", message).hint(format!("give `{}` or `{}`", values[0], values[1])))
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
