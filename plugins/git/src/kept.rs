//! What earlier fetches left: packs, and the commit that they make complete. A server then sends only what a newer commit adds.
//!
//! All of it may be gone, damaged or another's. It is believed no more than what a server sends, and without it everything is fetched.

use std::collections::HashSet;

use gix_hash::{Kind::Sha1, ObjectId};
use gix_object::{Kind, TreeRefIter};
use sha2::{Digest, Sha256};
use sti_plugin::{Address, Blob, Problem, Spool, log};

use crate::{
    location::Location,
    packs::{self, HASH, Memory, Packs},
    store::Store,
    trouble,
};

/// The most packs of one repository. With more, everything is fetched anew, which is one.
const MOST_PACKS: usize = 8;

/// The most bytes of all of them.
const MOST_BYTES: u64 = 1 << 30;

/// How much of what came is kept in memory as well, so that it need not be decompressed twice.
const IN_MEMORY: usize = 64 << 20;

/// Where a repository's packs are kept from fetch to fetch.
pub(crate) struct Keeper<'a> {
    address: &'a Address<'a>,
    /// The list of them: its name among those of all repositories of the address, which has submodules.
    list: String,
}

/// A commit that is there with all its files.
pub(crate) struct Kept {
    pub(crate) commit: ObjectId,
    pub(crate) packs: Packs,
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(address: &'a Address<'a>, location: &Location) -> Self {
        let digest = Sha256::digest(location.text());
        let digits = digest[..8].iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        Self { address, list: format!("packs-{digits}") }
    }

    /// Gives what was kept, as long as it is whole and not too much.
    pub(crate) fn load(&self) -> Option<Kept> {
        let list = self.address.kept(&self.list)?.read_all(4096).ok()?;
        let kept = self.read(std::str::from_utf8(&list).ok()?);
        if kept.is_none() {
            log::debug("what was kept of this repository is damaged, gone or too much: everything is fetched");
        }
        kept
    }

    /// Reads a list: the commit, and then the names of packs in the order in which they build on each other.
    fn read(&self, list: &str) -> Option<Kept> {
        let mut lines = list.lines();
        let commit = ObjectId::from_hex(lines.next()?.as_bytes()).ok()?;
        let names: Vec<_> = lines.collect();
        if names.is_empty() || names.len() >= MOST_PACKS {
            return None;
        }
        let blobs: Vec<_> = names.iter().map(|name| self.address.kept(name)).collect::<Option<_>>()?;
        if blobs.iter().map(Blob::size).sum::<u64>() > MOST_BYTES {
            return None;
        }
        let packs = blobs.into_iter().try_fold(nothing(), |packs, blob| packs::add(blob, packs).ok())?;
        (is_whole(&packs, commit) == Ok(true)).then_some(Kept { commit, packs })
    }

    /// Tells the commit that an identifier means, where it was found to be a tag's.
    pub(crate) fn commit_of(&self, id: ObjectId) -> ObjectId {
        let kept = self.address.kept(&format!("tag-{id}")).and_then(|commit| commit.read_all(64).ok());
        kept.and_then(|commit| ObjectId::from_hex(&commit).ok()).unwrap_or(id)
    }

    /// Keeps what a tag means, which never changes.
    pub(crate) fn keep_tag(&self, tag: ObjectId, commit: ObjectId) -> Result<(), Problem> {
        let mut text = Spool::new()?;
        text.write(commit.to_string().as_bytes())?;
        self.address.keep(&format!("tag-{tag}"), &text.finish()?);
        Ok(())
    }

    /// Keeps packs that make a commit complete. What cannot be kept is fetched again.
    pub(crate) fn keep(&self, commit: ObjectId, packs: &Packs) -> Result<(), Problem> {
        let blobs = packs.blobs();
        if blobs.iter().map(|blob| blob.size()).sum::<u64>() > MOST_BYTES {
            return Ok(());
        }
        let mut list = Spool::new()?;
        list.write(format!("{commit}\n").as_bytes())?;
        for blob in blobs {
            let name = name(&blob)?;
            list.write(format!("{name}\n").as_bytes())?;
            self.address.keep(&name, &blob);
        }
        self.address.keep(&self.list, &list.finish()?);
        Ok(())
    }
}

/// No packs yet, and room for objects in memory.
pub(crate) fn nothing() -> Packs {
    Packs::new(Vec::new(), Memory::keeping(IN_MEMORY))
}

/// A pack is named by the checksum at its end.
fn name(pack: &Blob) -> Result<String, Problem> {
    let end = pack.read(pack.size().saturating_sub(HASH as u64), u32::try_from(HASH)?)?;
    let id = ObjectId::try_from(&end[..]).map_err(trouble::damaged)?;
    Ok(format!("pack-{id}"))
}

/// Tells whether all files of a commit are there. Each directory is read once, however often it is named.
pub(crate) fn is_whole(packs: &Packs, commit: ObjectId) -> Result<bool, Problem> {
    if !packs.holds(&commit) {
        return Ok(false);
    }
    let top = packs.tree_of(&commit)?;
    let (mut seen, mut waiting) = (HashSet::from([top]), vec![top]);
    while let Some(tree) = waiting.pop() {
        if !packs.holds(&tree) {
            return Ok(false);
        }
        for entry in TreeRefIter::from_bytes(&packs.expect(&tree, Kind::Tree)?.content, Sha1) {
            let entry = entry.map_err(|error| trouble::corrupt(&error))?;
            let id = entry.oid.to_owned();
            if entry.mode.is_tree() {
                if seen.insert(id) {
                    waiting.push(id);
                }
            } else if !entry.mode.is_commit() && !packs.holds(&id) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
