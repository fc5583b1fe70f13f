//! Paths inside containers and contents. Judged as text, so that no engine has to wonder what a path might mean.

use sti_core::plan::is_at_or_below;

use super::At;
use crate::denial::Denial;
use crate::quoting::shown;

const MOST_BYTES: usize = 4096;
const MOST_BYTES_OF_A_PART: usize = 255;

/// What the kernel and the engine put into every container.
const KERNELS_OWN: [&str; 3] = ["/proc", "/sys", "/dev"];

/// A place in a container where content comes or is taken from: absolute, below the top, and none of the kernel's own.
pub(super) fn judge_absolute(at: &At<'_>, verb: &str, path: &str) -> Result<(), Denial> {
    judge_directory(at, verb, path)?;
    if path == "/" {
        return Err(at.refuse(format!("{verb} `/`"), "paths of a plan lie below `/`"));
    }
    Ok(())
}

/// A working directory: the same, and the top as well.
pub(super) fn judge_directory(at: &At<'_>, verb: &str, path: &str) -> Result<(), Denial> {
    let refuse = |grant: &str| at.refuse(format!("{verb} `{}`", shown(path)), grant);
    let Some(below) = path.strip_prefix('/') else {
        return Err(refuse("paths inside a container are absolute"));
    };
    if !below.is_empty() {
        judge_parts(below).map_err(refuse)?;
    }
    match KERNELS_OWN.iter().find(|top| is_at_or_below(path, top)) {
        Some(top) => Err(refuse(&format!("`{top}` belongs to the kernel of the engine"))),
        None => Ok(()),
    }
}

/// A path below a content.
pub(super) fn judge_relative(at: &At<'_>, verb: &str, path: &str) -> Result<(), Denial> {
    let refuse = |grant: &str| at.refuse(format!("{verb} `{}`", shown(path)), grant);
    if path.starts_with('/') {
        return Err(refuse("paths inside a content are relative"));
    }
    judge_parts(path).map_err(refuse)
}

/// What is wrong with the parts of a path.
fn judge_parts(path: &str) -> Result<(), &'static str> {
    if path.len() >= MOST_BYTES {
        return Err("paths have less than 4096 bytes");
    }
    if path.contains('\0') {
        return Err("paths hold no NUL byte");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("paths are normalised: no empty part, no `.` and no `..`");
    }
    if path.split('/').any(|part| part.len() > MOST_BYTES_OF_A_PART) {
        return Err("the parts of a path have at most 255 bytes");
    }
    Ok(())
}
