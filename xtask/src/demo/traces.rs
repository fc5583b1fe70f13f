//! What the demo leaves in the engine until it is removed: everything that bears its label, because all is made from one image.

use anyhow::Result;
use serde_json::Value;
use sti_test_engine::Engine;

use super::{Builder, SITE};
use crate::example::{BUILDER, LABEL};

/// Removes what the demo made, at the latest when it is dropped.
pub(super) struct Traces<'a> {
    engine: &'a Engine,
    builder: Builder,
    removed: bool,
}

impl<'a> Traces<'a> {
    /// The traces of a demo that is about to begin. Those of one that was killed are removed first.
    pub(super) fn of(engine: &'a Engine, builder: Builder) -> Result<Self> {
        remove(engine, Builder::Kept)?;
        Ok(Self { engine, builder, removed: false })
    }

    /// Removes all, showing how it is done by hand.
    pub(super) fn remove(mut self) -> Result<()> {
        match self.builder {
            Builder::Kept => println!("\n$ docker image rm {SITE}"),
            Builder::Removed => println!("\n$ docker image rm $(docker image ls --quiet --filter label={LABEL})"),
        }
        self.removed = true;
        remove(self.engine, self.builder)
    }
}

impl Drop for Traces<'_> {
    fn drop(&mut self) {
        if !self.removed
            && let Err(error) = remove(self.engine, self.builder)
        {
            eprintln!("the demo could not clean up: {error:#}");
        }
    }
}

fn remove(engine: &Engine, builder: Builder) -> Result<()> {
    let filters = format!("%7B%22label%22%3A%5B%22{LABEL}%22%5D%7D");
    for id in ids(&engine.get(&format!("/containers/json?all=1&filters={filters}"))?, |_| true) {
        engine.remove_container(&id)?;
    }
    let stays = |image: &Value| builder == Builder::Kept && image["RepoTags"].to_string().contains(BUILDER);
    for id in ids(&engine.get(&format!("/images/json?filters={filters}"))?, |image| !stays(image)) {
        engine.remove_image(&id)?;
    }
    Ok(())
}

fn ids(found: &Value, goes: impl Fn(&Value) -> bool) -> Vec<String> {
    let going = found.as_array().into_iter().flatten().filter(|one| goes(one));
    going.filter_map(|one| one["Id"].as_str().map(str::to_owned)).collect()
}
