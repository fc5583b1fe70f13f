//! Tars written, read back, and refused.

use std::{cell::RefCell, ffi::OsStr, io::Read, os::unix::ffi::OsStrExt, path::Path};

use cap_std::{
    ambient_authority,
    fs::{Dir, Permissions, PermissionsExt},
};
use sti_core::{
    Plan, Tree,
    plan::{Author, Content, ContentId, PlanFile, StepId},
};
use tempfile::TempDir;

use super::{Error, Owner, Spot, Times, pack};
use crate::Contents;

mod packed;
mod repacked;
mod streamed;

const OWNER: Owner = Owner { uid: 1_000_670_000, gid: 433 };

fn made(fill: impl FnOnce(&Dir)) -> (TempDir, Dir) {
    let temporary = TempDir::new().unwrap();
    let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority()).unwrap();
    fill(&dir);
    (temporary, dir)
}

fn source(dir: Dir) -> Contents {
    Contents { source: Some(Tree::directory(dir, Path::new("app")).unwrap()), ..Contents::default() }
}

fn plan(contents: Vec<Content>) -> Plan {
    Plan { contents, ..Plan::empty(Author { plugin: "test".to_owned(), digest: "sha256:0".to_owned() }) }
}

/// Packs the last of the contents at a place.
fn packed(listed: Vec<Content>, contents: &Contents, at: &str) -> Result<Vec<u8>, Error> {
    let last = ContentId(u32::try_from(listed.len()).unwrap() - 1);
    let mut tar = Vec::new();
    pack(&plan(listed), last, contents, &Spot { at, owner: OWNER, times: Times::Kept }, &mut tar, &|_| {})?;
    Ok(tar)
}

/// One line an entry, as a reader that is not ours sees it.
fn lines(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    archive.entries().unwrap().map(|entry| line(&mut entry.unwrap())).collect()
}

fn line(entry: &mut tar::Entry<'_, &[u8]>) -> String {
    let header = entry.header().clone();
    let path = entry.path_bytes().escape_ascii().to_string();
    let mut text = String::new();
    let target = entry.link_name_bytes().unwrap_or_default().escape_ascii().to_string();
    entry.read_to_string(&mut text).unwrap();
    let kind = match header.entry_type() {
        tar::EntryType::Directory => "directory",
        tar::EntryType::Regular => "file",
        tar::EntryType::Symlink => "link",
        tar::EntryType::Link => "name",
        other => panic!("{other:?}"),
    };
    let (mode, uid, gid) = (header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap());
    format!("{kind} {mode:o} {uid}:{gid} {path} {target}{text}").trim_end().to_owned()
}
