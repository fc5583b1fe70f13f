//! What the demo leaves in the engine until it is removed.

use anyhow::Result;
use sti_test_engine::Engine;

use super::{Builder, SITE};
use crate::{
    example::{BUILDER, LABEL},
    traces,
};

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
    traces::remove_but(engine, LABEL, |image| builder == Builder::Kept && image["RepoTags"].to_string().contains(BUILDER))
}
