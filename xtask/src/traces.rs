//! What a tool leaves in an engine: all that bears its label, because all is made from images that do.

use anyhow::Result;
use serde_json::Value;
use sti_test_engine::Engine;

/// Removes containers, with their anonymous volumes, and images that bear a label.
pub(crate) fn remove(engine: &Engine, label: &str) -> Result<()> {
    remove_but(engine, label, |_| false)
}

/// The same without the images that stay.
pub(crate) fn remove_but(engine: &Engine, label: &str, stays: impl Fn(&Value) -> bool) -> Result<()> {
    let filters = format!("%7B%22label%22%3A%5B%22{label}%22%5D%7D");
    for id in ids(&engine.get(&format!("/containers/json?all=1&filters={filters}"))?, |_| true) {
        engine.remove_container(&id)?;
    }
    // The newest come first, so none is removed before what was made from it.
    for id in ids(&engine.get(&format!("/images/json?filters={filters}"))?, |image| !stays(image)) {
        engine.remove_image(&id)?;
    }
    Ok(())
}

fn ids(found: &Value, goes: impl Fn(&Value) -> bool) -> Vec<String> {
    let going = found.as_array().into_iter().flatten().filter(|one| goes(one));
    going.filter_map(|one| one["Id"].as_str().map(str::to_owned)).collect()
}
