//! What may be the path of an entry.

use super::{WriteLimits, refusals as refused};
use crate::Problem;

/// What Linux's file systems take for the name of an entry, in bytes.
const MOST_NAME_BYTES: usize = 255;

/// Tells whether a path may be written (relative, normalised, within the limits), and in which directory it lies; `""` is the top.
pub(super) fn judge<'path>(path: &'path str, limits: &WriteLimits) -> Result<&'path str, Problem> {
    if path.len() > limits.path_bytes {
        return Err(refused::long_path(path, limits.path_bytes));
    }
    let mut depth = 0;
    for part in path.split('/') {
        depth += 1;
        if matches!(part, "" | "." | "..") || part.contains('\0') {
            return Err(refused::unsafe_path(path));
        }
        if part.len() > MOST_NAME_BYTES {
            return Err(refused::long_name(part, MOST_NAME_BYTES));
        }
    }
    if depth > limits.depth {
        return Err(refused::too_deep(path, limits.depth));
    }
    Ok(split(path).0)
}

/// The directory that a path lies in, and its last part.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, code: Option<&str>) {
        let judged = judge(path, &WriteLimits::default());
        assert_eq!(judged.as_ref().err().map(|problem| problem.code.as_str()), code, "{path:?}");
    }

    #[test]
    fn only_relative_normal_paths_pass() {
        for path in ["a", "a/b", "a b/ü\n", "...", "..a", "a../b", "-", "~", "C:\\x", "con", ".git"] {
            check(path, None);
        }
        for path in ["", "/", "/a", "a/", "a//b", ".", "./a", "a/.", "..", "../a", "a/../b", "a/..", "a\0b"] {
            check(path, Some("unsafe-path"));
        }
    }

    #[test]
    fn limits_are_told_apart() {
        check(&"x".repeat(255), None);
        check(&"x".repeat(256), Some("name-too-long"));
        check(&"ü".repeat(128), Some("name-too-long"));
        check(&"xxxxxxx/".repeat(512)[..4_095], None);
        check(&format!("{}x", "xxxxxxx/".repeat(512)), Some("path-too-long"));
        check(&format!("{}x", "x/".repeat(512)), Some("too-deep"));
    }
}
