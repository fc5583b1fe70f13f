//! Which contract a build follows: what the user forces, else what the image's labels say, else the files.

use super::{ASSEMBLE, AssembleParts, Contract, PREPARE, Parts, TriggerParts, brought::brought_script, parts};
use crate::{Image, Job, Problem, Tree, log};

/// The parts of a build, by the contract that its builder image follows. Says which one that is, and why.
///
/// ```
/// use sti_plugin::contract::Followed;
/// use sti_plugin::testing::{FakeImage, JobBuilder};
///
/// let scripts = ["/usr/libexec/s2i/assemble", "/usr/libexec/s2i/run"];
/// let builder = scripts.into_iter().fold(FakeImage::new("python"), FakeImage::executable);
/// let job = JobBuilder::new("python", "app").image(builder);
/// let decision = job.decide_with(|job, _plan| {
///     assert!(matches!(Followed::find(job)?, Followed::Assemble(_)));
///     Ok(())
/// });
/// assert_eq!(decision.log[0].text, "contract `assemble`: `python` has /usr/libexec/s2i/assemble");
/// ```
#[expect(clippy::large_enum_variant, reason = "one a build")]
pub enum Followed {
    /// By `prepare`.
    Prepare(Parts),
    /// By `assemble`.
    Assemble(AssembleParts),
    /// By no contract: an image without scripts, whose `ONBUILD` instructions make the application.
    Triggers(TriggerParts),
}

impl Followed {
    /// Finds the images and scripts of a job and checks that they can do their part.
    pub fn find(job: &Job) -> Result<Self, Problem> {
        let builder = parts::image(&job.builder_image(), "builder")?;
        let source = job.source();
        let found = follows(&builder, job.contract().as_deref(), Some(&source))?;
        if found.contract == &ASSEMBLE {
            log::info(format!("contract `{}`: {}", ASSEMBLE.name, found.why));
            return Ok(Self::Assemble(AssembleParts::of(job, builder)?));
        }
        if TriggerParts::is_it(job, &builder)? {
            return Ok(Self::Triggers(TriggerParts::of(job, builder)?));
        }
        Ok(Self::Prepare(Parts::of(job, builder, &found.why)?))
    }
}

/// A contract, and why it is that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows {
    /// Which.
    pub contract: &'static Contract,
    /// For the user.
    pub why: String,
}

/// Tells which contract an image follows. Where nothing speaks for either, it is `prepare`, of which the scripts are then missing.
///
/// ```
/// use sti_plugin::contract::{ASSEMBLE, follows};
/// use sti_plugin::testing::{FakeImage, FakeImages, MemoryTree};
/// use sti_plugin::{Pull, require};
///
/// FakeImages::new([FakeImage::new("plain")]).during(|| {
///     let image = require("plain", Pull::Never)?;
///     let source = MemoryTree::new().file(".s2i/bin/assemble", "#!/bin/sh").open();
///     assert_eq!(follows(&image, None, Some(&source))?.contract, &ASSEMBLE);
///     assert_ne!(follows(&image, None, None)?.contract, &ASSEMBLE);
///     Ok::<(), sti_plugin::Problem>(())
/// }).unwrap();
/// ```
pub fn follows(image: &Image, forced: Option<&str>, source: Option<&Tree>) -> Result<Follows, Problem> {
    let because = |contract, why: String| Ok(Follows { contract, why });
    let name = image.reference();
    match forced {
        Some(name) if name == ASSEMBLE.name => return because(&ASSEMBLE, "asked for".to_owned()),
        Some(_) => return because(&PREPARE, "asked for".to_owned()),
        None => {}
    }
    if let Some(url) = ASSEMBLE.announced_by(image) {
        return because(&ASSEMBLE, format!("`{name}` says that its scripts are at {url}"));
    }
    // Asked one after the other: of most images the first answer suffices.
    let by_prepare = format!("`{name}` has {}", PREPARE.build_script());
    if !image.look_at([PREPARE.build_script()])?.is_empty() {
        return because(&PREPARE, by_prepare);
    }
    if let Some(fact) = image.look_at([ASSEMBLE.build_script(), ASSEMBLE.run_script()])?.first() {
        return because(&ASSEMBLE, format!("`{name}` has {}", fact.path));
    }
    match source.map(|source| brought_script(source, ASSEMBLE.build)).transpose()?.flatten() {
        Some((path, _)) => because(&ASSEMBLE, format!("the source has {path}")),
        None => because(&PREPARE, by_prepare),
    }
}
