//! The walls: which room may name which. The compiler holds them as long as the manifests do; this holds the manifests.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::commands::cargo;

/// For each crate of ours the crates of ours that it may name. Arrows point down: a crate stands below all that it names.
const ROOMS: &[(&str, &[&str])] = &[
    ("sti-core", &[]),
    ("sti-policy", &["sti-core"]),
    ("sti-engine", &["sti-core", "sti-policy"]),
    ("sti-docker", &["sti-core", "sti-policy", "sti-engine"]),
    ("sti-bindings", &[]),
    ("sti-network", &["sti-core"]),
    ("sti-cache", &["sti-core"]),
    ("sti-output", &["sti-core"]),
    ("sti-sandbox", &["sti-core", "sti-policy", "sti-engine", "sti-bindings"]),
    ("sti", &["sti-core", "sti-policy", "sti-engine", "sti-docker", "sti-network", "sti-cache", "sti-output", "sti-sandbox"]),
    ("sti-plugin", &[]),
    ("sti-commit", &["sti-plugin"]),
    ("sti-dockerfile", &["sti-plugin"]),
    ("sti-contract", &["sti-plugin"]),
    ("sti-archive", &["sti-plugin"]),
    ("sti-git", &["sti-plugin"]),
    ("sti-usage", &["sti-plugin"]),
    ("site-builder", &[]),
    ("sti-fixture", &[]),
    ("sti-test-engine", &[]),
    ("sti-test-server", &[]),
    ("sti-tests", &["sti-core", "sti-policy", "sti-engine", "sti-docker", "sti-test-engine"]),
    ("sti-fuzzed", &["sti-core", "sti-network", "sti-plugin", "sti-archive", "sti-git"]),
    ("xtask", &["sti-test-engine", "sti-test-server"]),
];

/// Crates of ours that the tests of every room may name.
const TOOLS_OF_TESTS: &[&str] = &["sti-test-engine", "sti-test-server"];

/// Crates of others that are named in certain rooms only.
const STRANGERS: &[(&str, &[&str])] = &[
    ("wasmtime", &["sti-sandbox", "sti-bindings"]),
    ("wasmtime-wasi", &["sti-sandbox", "sti-bindings"]),
    ("wasmparser", &["sti-sandbox"]),
    ("wit-bindgen", &["sti-plugin"]),
    ("bollard", &["sti-docker"]),
    ("docker_credential", &["sti-docker"]),
    ("reqwest", &["sti-network"]),
    ("rustls", &["sti-network"]),
    ("clap", &["sti"]),
    ("indicatif", &["sti"]),
    ("anstyle", &["sti"]),
    ("toml", &["sti", "sti-policy"]),
    ("tokio", &["sti", "sti-engine", "sti-docker", "sti-network", "sti-sandbox", "sti-tests"]),
    ("anyhow", &["sti-tests", "sti-test-engine", "xtask"]),
];

/// A dependency as a manifest names it.
struct Named {
    by: String,
    name: String,
    only_in_tests: bool,
}

/// What is wrong, one line each.
pub(super) fn broken() -> Result<Vec<String>> {
    let answer = cargo(["metadata", "--format-version", "1", "--no-deps"]).output()?;
    let metadata = serde_json::from_slice::<Value>(&answer.stdout).context("cargo metadata gave no JSON")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let crates = packages.iter().filter_map(|package| package["name"].as_str()).collect::<Vec<_>>();
    let unknown = crates.iter().filter(|name| room(name).is_none()).map(|name| format!("{name}: no row in the table of rooms"));
    let gone = ROOMS
        .iter()
        .filter(|(name, _)| !crates.contains(name))
        .map(|(name, _)| format!("{name}: has a row in the table of rooms, but is gone"));
    let named = packages.iter().flat_map(named).collect::<Vec<_>>();
    Ok(unknown.chain(gone).chain(named.iter().filter_map(wrong)).collect())
}

fn room(name: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(room, _)| *room == name).map(|(_, may_name)| *may_name)
}

fn named(package: &Value) -> Vec<Named> {
    let by = package["name"].as_str().unwrap_or_default();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let named = |dependency: &Value| Named {
        by: by.to_owned(),
        name: dependency["name"].as_str().unwrap_or_default().to_owned(),
        only_in_tests: dependency["kind"] == "dev",
    };
    dependencies.map(named).collect()
}

fn wrong(Named { by, name, only_in_tests }: &Named) -> Option<String> {
    if room(name).is_some() {
        // Tests of a room may look at it through the tests' own engine; a cargo manifest may also name itself, for its features.
        let allowed =
            room(by)?.contains(&name.as_str()) || (*only_in_tests && (TOOLS_OF_TESTS.contains(&name.as_str()) || name == by));
        return (!allowed).then(|| format!("{by} may not name {name}: it stands no lower"));
    }
    let (_, rooms) = STRANGERS.iter().find(|(stranger, _)| stranger == name)?;
    (!only_in_tests && !rooms.contains(&by.as_str())).then(|| format!("{by} may not name {name}: only {} may", rooms.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(by: &str, name: &str, only_in_tests: bool, passes: bool) {
        let named = Named { by: by.to_owned(), name: name.to_owned(), only_in_tests };
        assert_eq!(wrong(&named).is_none(), passes, "{by} names {name}");
    }

    #[test]
    fn no_room_names_one_above_it_or_a_stranger_of_another() {
        check("sti-engine", "sti-core", false, true);
        check("sti-core", "sti-engine", false, false);
        check("sti-sandbox", "sti-docker", false, false);
        check("sti-docker", "sti-sandbox", true, false);
        check("sti-docker", "wasmtime", false, false);
        check("sti-sandbox", "wasmtime", false, true);
        check("sti-core", "serde", false, true);
        check("sti-core", "tokio", true, true);
        check("sti-docker", "sti-test-engine", true, true);
        check("sti-docker", "sti-test-engine", false, false);
    }

    #[test]
    fn each_room_stands_above_all_that_it_names() {
        for (at, (room, may_name)) in ROOMS.iter().enumerate() {
            for name in *may_name {
                assert!(ROOMS[..at].iter().any(|(lower, _)| lower == name), "{room} names {name}, which stands no lower");
            }
        }
    }
}
