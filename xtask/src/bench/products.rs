//! Whether both sides did the same work: what is in their products has to be the same, or times prove nothing.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sti_test_engine::{Body, Engine};
use tar::{Archive, Entry};

use super::LABEL;

/// How many differences are told.
const TOLD: usize = 10;

/// What an image says of how it runs.
const CONFIGURATION: &[&str] = &["Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "Volumes", "WorkingDir"];

/// Fails where the products run in another way, or differ in a name, a kind, a mode, an owner, a size or a link.
pub(super) fn compare(engine: &Engine, bare: &str, sti: &str) -> Result<()> {
    let (bare, sti) = (listed(engine, bare)?, listed(engine, sti)?);
    let differences = bare.symmetric_difference(&sti).map(|line| {
        let side = if bare.contains(line) { "bare calls" } else { "sti" };
        format!("{side} only: {line}")
    });
    let told = differences.take(TOLD).collect::<Vec<_>>();
    ensure!(told.is_empty(), "the products differ:\n{}", told.join("\n"));
    Ok(())
}

/// A line for each thing in an image, and for each that it says.
fn listed(engine: &Engine, image: &str) -> Result<BTreeSet<String>> {
    let mut lines = files(engine, image)?;
    let found = engine.get(&format!("/images/{image}/json"))?;
    lines.extend(CONFIGURATION.iter().filter_map(|name| said(name, &found["Config"][name])));
    Ok(lines)
}

/// Nothing may be said in several ways.
fn said(name: &str, value: &Value) -> Option<String> {
    let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("");
    (!is_empty).then(|| format!("{name} {value}"))
}

fn files(engine: &Engine, image: &str) -> Result<BTreeSet<String>> {
    let request = json!({ "Image": image, "Entrypoint": ["/never-started"], "Labels": { LABEL: "1" } });
    let container = engine.create_container(&request)?;
    let answer = engine.send("GET", &format!("/containers/{container}/export"), Body::None)?.good()?;
    let lines = Archive::new(answer.body).entries()?.map(|entry| described(&entry?)).collect();
    engine.remove_container(&container)?;
    lines
}

fn described(entry: &Entry<'_, Box<dyn std::io::Read>>) -> Result<String> {
    let header = entry.header();
    let link = entry.link_name()?.map_or_else(String::new, |target| format!(" -> {}", target.display()));
    Ok(format!(
        "{:?} {:04o} {}:{} {} {}{link}",
        header.entry_type(),
        header.mode()?,
        header.uid()?,
        header.gid()?,
        entry.size(),
        entry.path()?.display(),
    ))
}
