//! Manners that no lint knows: how a file begins, how long it is, what is not left behind, why a dependency is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::commands::root;

/// The hard end of a file's length.
const LINES: usize = 600;

/// What is not left behind, and what would be right. Split, so that this file keeps the rule itself.
const LEFT_BEHIND: &[(&str, &str)] = &[
    (concat!("to", "do!("), "write it"),
    (concat!("un", "implemented!("), "write it"),
    (concat!("#[ig", "nore"), "a test runs, or says by name that it cannot"),
    (concat!("dbg", "!("), "remove it"),
];

/// Manifests with lints of their own. The sandbox maps compiled code, which no compiler can vouch for: one module of it may, with its
/// argument written down, and the rest of it denies what the others forbid.
const EXCEPTED: &[&str] = &["host/sandbox/Cargo.toml"];

/// What a file of Rust opens with.
const OPENINGS: &[&str] = &["//! ", "#![doc = include_str!("];

/// What is wrong, one line each.
pub(super) fn broken() -> Result<Vec<String>> {
    let mut broken = Vec::new();
    let mut manifests = Vec::new();
    for path in files(&root())? {
        let shown = path.strip_prefix(root())?.display().to_string();
        let text = || fs::read_to_string(&path).with_context(|| shown.clone());
        if path.extension().is_some_and(|extension| extension == "rs") {
            broken.extend(of_source(&text()?).into_iter().map(|fault| format!("{shown}: {fault}")));
        } else if path.file_name().is_some_and(|name| name == "Cargo.toml") {
            manifests.push((shown.clone(), text()?));
        }
    }
    for (shown, text) in &manifests {
        let faults = if shown == "Cargo.toml" { of_root_manifest(text) } else { of_manifest(shown, text) };
        broken.extend(faults.into_iter().map(|fault| format!("{shown}: {fault}")));
    }
    Ok(broken)
}

/// All files but those that are generated or belong to git.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn of_source(text: &str) -> Vec<String> {
    let opens = OPENINGS.iter().any(|opening| text.starts_with(opening));
    let opens = (!opens).then(|| "does not open with a line of `//!`".to_owned());
    let lines = text.lines().count();
    let long = (lines > LINES).then(|| format!("{lines} lines; {LINES} are the end"));
    let left = LEFT_BEHIND
        .iter()
        .filter(|(what, _)| text.contains(what))
        .map(|(what, instead)| format!("`{what}` left behind: {instead}"));
    opens.into_iter().chain(long).chain(left).collect()
}

fn of_root_manifest(text: &str) -> Vec<String> {
    let forbids = text.lines().any(|line| line == "unsafe_code = \"forbid\"");
    let lint = (!forbids).then(|| "`unsafe_code = \"forbid\"` is gone".to_owned());
    let reasons = without_reason(text).into_iter().map(|name| format!("{name}: no line above says why it is there"));
    lint.into_iter().chain(reasons).collect()
}

/// Dependencies that follow neither a comment nor, in the same paragraph, another dependency.
fn without_reason(text: &str) -> Vec<String> {
    let section =
        text.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1).take_while(|line| !line.starts_with('['));
    let mut explained = false;
    let mut without = Vec::new();
    for line in section {
        match line.split_once(" = ") {
            _ if line.starts_with('#') => explained = true,
            Some((name, _)) if !explained => without.push(name.to_owned()),
            Some(_) => {}
            None => explained = false,
        }
    }
    without
}

fn of_manifest(shown: &str, text: &str) -> Vec<String> {
    // A plugin of others lives outside the workspace and has lints of its own, and so have the targets of a fuzzer.
    let is_outside = shown.starts_with("tests/plugins/") || shown.starts_with("tests/fuzz/");
    let inherits = text.contains("[lints]\nworkspace = true") || is_outside;
    let excepted = EXCEPTED.contains(&shown) && text.contains("unsafe_code = \"deny\"");
    if inherits || excepted { Vec::new() } else { vec!["does not take the lints of the workspace".to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_opens_with_its_purpose_ends_in_time_and_leaves_nothing_behind() {
        assert!(of_source("//! Good.\n").is_empty());
        assert_eq!(of_source("use std;\n").len(), 1);
        assert_eq!(of_source(&format!("//! Long.\n{}", "\n".repeat(LINES))).len(), 1);
        for (what, _) in LEFT_BEHIND {
            assert_eq!(of_source(&format!("//! Bad.\n{what}")).len(), 1, "{what}");
        }
    }

    #[test]
    fn a_dependency_needs_a_reason_above_it_or_shares_its_neighbours() {
        let manifest = "[workspace.dependencies]\n# Why.\none = \"1\"\ntwo = \"1\"\n\nthree = \"1\"\n[profile.dev]\nfour = 1\n";
        assert_eq!(without_reason(manifest), ["three"]);
    }
}
