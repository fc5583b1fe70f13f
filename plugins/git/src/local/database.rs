//! Objects of a repository on disk: one file each, or many in a pack. What is not asked for is not read.

use std::path::PathBuf;

use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_pack::index;
use sti_plugin::Problem;

use super::{directory::Directory, loose};
use crate::{
    packs::{Bytes, Index, Memory, Pack, Packs},
    store::{Opened, Store},
    trouble,
};

/// All objects of a repository.
pub(super) struct Database {
    directory: Directory,
    packs: Packs,
}

impl Database {
    /// Opens the packs there are.
    pub(super) fn open(directory: Directory, address: &str) -> Result<Self, Problem> {
        if directory.read("objects/info/alternates")?.is_some_and(|others| !others.trim_ascii().is_empty()) {
            return Err(Problem::invalid(
                "local-alternates",
                format!("`{address}` keeps objects in another repository, which cannot be read here"),
            )
            .hint("run `git repack -a -d` in it and remove `objects/info/alternates`, or give the other repository"));
        }
        let mut packs = Vec::new();
        for (name, _) in directory.list("objects/pack")? {
            let Some(stem) = name.strip_suffix(".idx") else { continue };
            let (index, file) =
                (directory.read(&format!("objects/pack/{name}"))?, directory.open(&format!("objects/pack/{stem}.pack"))?);
            let (Some(index), Some(file)) = (index, file) else { continue };
            let index = index::File::from_data(index, PathBuf::new(), Sha1).map_err(|error| trouble::corrupt(&error))?;
            packs.push(Pack::new(Bytes::File(file), Index::Written(index)));
        }
        Ok(Self { directory, packs: Packs::new(packs, Memory::default()) })
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }
}

impl Store for Database {
    fn open(&self, id: &oid, largest: u64) -> Result<Option<Opened<'_>>, Problem> {
        match self.packs.open(id, largest)? {
            None => loose::open(&self.directory, id, largest),
            found => Ok(found),
        }
    }

    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        let mut found = self.packs.starting(prefix)?;
        if let (Some(start), Some(rest)) = (prefix.get(..2), prefix.get(2..)) {
            let names = self.directory.list(&format!("objects/{start}"))?;
            let names = names.iter().filter(|(name, _)| name.starts_with(rest));
            found.extend(names.filter_map(|(name, _)| ObjectId::from_hex(format!("{start}{name}").as_bytes()).ok()));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}
