//! Objects of a repository on disk: one file each, or many in a pack. What is not asked for is not read.

use std::{cell::RefCell, path::PathBuf};

use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_pack::index;
use sti_plugin::Problem;

use super::{directory::Directory, loose};
use crate::{
    packs::{Bytes, Index, Inflater, Memory, Pack, Packs},
    store::{Opened, Store},
    trouble,
};

/// How many repositories may lend each other objects.
const MOST_LENDERS: usize = 16;

/// All objects of a repository.
pub(super) struct Database {
    directory: Directory,
    /// Where objects lie: in the repository itself first, and then in those that lend it some.
    places: Vec<String>,
    packs: Packs,
    inflater: RefCell<Inflater>,
}

impl Database {
    /// Opens the packs there are.
    pub(super) fn open(directory: Directory, address: &str) -> Result<Self, Problem> {
        let places = places(&directory, address)?;
        let mut packs = Vec::new();
        for place in &places {
            for (name, _) in directory.list(&format!("{place}/pack"))? {
                let Some(stem) = name.strip_suffix(".idx") else { continue };
                let path = |name: &str| format!("{place}/pack/{name}");
                let (index, file) = (directory.read(&path(&name))?, directory.open(&path(&format!("{stem}.pack")))?);
                let (Some(index), Some(file)) = (index, file) else { continue };
                let index = index::File::from_data(index, PathBuf::new(), Sha1).map_err(|error| trouble::corrupt(&error))?;
                packs.push(Pack::new(Bytes::File(file), Index::Written(Box::new(index))));
            }
        }
        Ok(Self { directory, places, packs: Packs::new(packs, Memory::default()), inflater: RefCell::default() })
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }
}

impl Store for Database {
    fn open(&self, id: &oid, largest: u64) -> Result<Option<Opened<'_>>, Problem> {
        if let Some(found) = self.packs.open(id, largest)? {
            return Ok(Some(found));
        }
        for place in &self.places {
            if let Some(found) = loose::open(&self.directory, &self.inflater, (place, id), largest)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        let mut found = self.packs.starting(prefix)?;
        if let (Some(start), Some(rest)) = (prefix.get(..2), prefix.get(2..)) {
            for place in &self.places {
                let names = self.directory.list(&format!("{place}/{start}"))?;
                let names = names.iter().filter(|(name, _)| name.starts_with(rest));
                found.extend(names.filter_map(|(name, _)| ObjectId::from_hex(format!("{start}{name}").as_bytes()).ok()));
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Tells where objects lie. What another repository lends must lie in the directory that was given, since nothing else is shown.
fn places(directory: &Directory, address: &str) -> Result<Vec<String>, Problem> {
    let (mut places, mut next) = (vec!["objects".to_owned()], 0);
    while let Some(place) = places.get(next).cloned() {
        next += 1;
        let lenders = directory.read(&format!("{place}/info/alternates"))?.unwrap_or_default();
        for lender in String::from_utf8_lossy(&lenders).lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let lender = directory.inside(&place, lender, address).ok_or_else(|| elsewhere(address, lender))?;
            if !places.contains(&lender) {
                places.push(lender);
            }
        }
        if places.len() > MOST_LENDERS {
            return Err(trouble::damaged(format_args!("more than {MOST_LENDERS} repositories lend each other objects")));
        }
    }
    Ok(places)
}

fn elsewhere(address: &str, lender: &str) -> Problem {
    let message = format!("`{address}` keeps objects in `{}`, which lies outside of it", lender.escape_debug());
    Problem::invalid("local-alternates", message)
        .hint("run `git repack -a -d` in it and remove `objects/info/alternates`, or give a directory that holds both")
}
