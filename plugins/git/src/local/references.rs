//! References of a repository on disk: one file each, and a list of those that were packed.

use std::collections::BTreeMap;

use gix_hash::ObjectId;
use sti_plugin::Problem;

use super::directory::Directory;
use crate::{remote::Reference, trouble};

/// How often a reference may point at another.
const MOST_STEPS: usize = 5;

/// How deep names of references may be.
const MOST_DEPTH: usize = 32;

/// Tells what the repository is at, and by which branch.
pub(super) fn head(directory: &Directory, address: &str) -> Result<(ObjectId, Option<String>), Problem> {
    let packed = packed(directory)?;
    let mut name = "HEAD".to_owned();
    for _ in 0..MOST_STEPS {
        let loose = directory.read(&name)?.map(|content| String::from_utf8_lossy(&content).trim().to_owned());
        if let Some(target) = loose.as_deref().and_then(|text| text.strip_prefix("ref: ")) {
            if !is_name(target.trim()) {
                return Err(trouble::damaged(format_args!("`{}` points at `{}`", name.escape_debug(), target.escape_debug())));
            }
            target.trim().clone_into(&mut name);
            continue;
        }
        let id = loose.and_then(|text| ObjectId::from_hex(text.as_bytes()).ok()).or_else(|| packed.get(&name).copied());
        let Some(id) = id else { break };
        return Ok((id, (name != "HEAD").then_some(name)));
    }
    Err(Problem::not_found("empty-repository", format!("`{address}` has no commit that it is at"))
        .hint("commit something, or name a branch: `--ref main`"))
}

/// Lists branches, tags and all other references.
pub(super) fn all(directory: &Directory) -> Result<Vec<Reference>, Problem> {
    let mut all = packed(directory)?;
    let mut waiting = vec![("refs".to_owned(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        for (name, is_directory) in directory.list(&path)? {
            let path = format!("{path}/{name}");
            if is_directory && depth < MOST_DEPTH {
                waiting.push((path, depth + 1));
            } else if let Some(id) = directory.read(&path)?.and_then(|content| ObjectId::from_hex(content.trim_ascii()).ok()) {
                all.insert(path, id);
            }
        }
    }
    Ok(all.into_iter().map(|(name, object)| Reference { name, object, target: None }).collect())
}

/// Reads the list of packed references; lines that start with `^` tell what a tag means, which is found out anyway.
fn packed(directory: &Directory) -> Result<BTreeMap<String, ObjectId>, Problem> {
    let content = directory.read("packed-refs")?.unwrap_or_default();
    let lines = content.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let entry = |line: &str| {
        let (id, name) = line.trim_end().split_once(' ')?;
        Some((name.to_owned(), ObjectId::from_hex(id.as_bytes()).ok()?))
    };
    Ok(lines.filter_map(entry).collect())
}

/// A reference names a file below `refs`, and no other.
fn is_name(name: &str) -> bool {
    name.starts_with("refs/") && gix_validate::reference::name(name.into()).is_ok()
}
