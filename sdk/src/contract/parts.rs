//! The images that take part in a build by the prepare contract, found and checked before anything is planned.

use super::{ASSEMBLE, Fitness, PREPARE, examine};
use crate::{Content, Image, Job, Plan, Problem, Pull, find, log};

/// The images of a build by the prepare contract. Found by [`Parts::find`], which answers every question that a strategy has
/// before it plans, and tells the user what kind of build it is.
///
/// ```
/// use sti_plugin::contract::Parts;
/// use sti_plugin::testing::{FakeImage, JobBuilder};
///
/// let scripts = ["/usr/bin/prepare", "/usr/bin/run", "/usr/bin/save-artifacts"];
/// let builder = scripts.into_iter().fold(FakeImage::new("builder"), FakeImage::executable);
/// let job = JobBuilder::new("builder", "app").image(builder);
/// let decision = job.decide_with(|job, _plan| {
///     let parts = Parts::find(job)?;
///     assert!(parts.previous.is_none() && parts.runtime.is_none());
///     Ok(())
/// });
/// assert_eq!(decision.log[0].text, "contract `prepare`: `builder` has /usr/bin/prepare");
/// assert_eq!(decision.log[1].text, "clean build: there is no earlier `app`");
/// ```
pub struct Parts {
    /// Turns source into an application.
    pub builder: Image,
    /// Where the result is deployed, in an extended build.
    pub runtime: Option<Image>,
    /// An earlier product that can hand over what this build can reuse, in an incremental build.
    pub previous: Option<Image>,
}

impl Parts {
    /// Finds the images of a job and checks that they follow the contract. Says which contract and which kind of build it is, and why.
    pub fn find(job: &Job) -> Result<Self, Problem> {
        refuse_assemble(job)?;
        let builder = image(job, &job.builder_image(), "builder")?;
        let why = if job.contract().is_some() {
            "asked for"
        } else {
            &format!("`{}` has {}", builder.reference(), PREPARE.build_script())
        };
        log::info(format!("contract `{}`: {why}", PREPARE.name));
        let runtime = job.runtime_image().map(|name| image(job, &name, "runtime")).transpose()?;
        if runtime.is_some() {
            require_save_artifacts(&builder)?;
        }
        let previous = previous(job, if runtime.is_some() { "build" } else { "app" }, &builder)?;
        Ok(Self { builder, runtime, previous })
    }

    /// Plans the step that lets the previous image save its artifacts, and gives what they will be; `None` in a clean build.
    pub fn saved_artifacts(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        let Some(previous) = &self.previous else { return Ok(None) };
        let artifacts = plan
            .run(&format!("save artifacts of {}", previous.reference()), previous)?
            .command([PREPARE.save_artifacts_script()])
            .mount(&plan.empty(), PREPARE.artifacts_at())?
            .capture(PREPARE.artifacts_at())?;
        Ok(Some(artifacts))
    }
}

fn refuse_assemble(job: &Job) -> Result<(), Problem> {
    if job.contract().as_deref() != Some(ASSEMBLE.name) {
        return Ok(());
    }
    Err(Problem::invalid("assemble-not-supported", "the contract `assemble` comes later; so far, sti builds by `prepare`")
        .hint("use a builder image with /usr/bin/prepare, and leave --contract out"))
}

/// Tells that an image follows the contract that comes later.
///
/// ```
/// let problem = sti_plugin::contract::assemble_not_supported("centos/python");
/// assert_eq!(problem.code(), "assemble-not-supported");
/// ```
pub fn assemble_not_supported(image: &str) -> Problem {
    let message = format!("`{image}` follows the contract `assemble`, which comes later; so far, sti builds by `prepare`");
    Problem::invalid("assemble-not-supported", message)
        .hint("use an image with /usr/bin/prepare and /usr/bin/run; where this one has them, say so: --contract prepare")
}

fn image(job: &Job, name: &str, role: &str) -> Result<Image, Problem> {
    let image = find(name, Pull::AsAsked)?.ok_or_else(|| {
        Problem::not_found(format!("no-such-{role}-image"), format!("there is no {role} image `{name}`"))
            .hint(format!("check the name, or build or load it first: docker image inspect {name}"))
    })?;
    let is_forced = job.contract().is_some();
    if !is_forced && ASSEMBLE.announced_by(&image).is_some() {
        return Err(assemble_not_supported(name));
    }
    for script in examine(&image, [PREPARE.build_script(), PREPARE.run_script()])? {
        let lacks_prepare = script.fitness == Fitness::Missing && script.path == PREPARE.build_script();
        if lacks_prepare && !is_forced && ASSEMBLE.is_followed_by(&image)? {
            return Err(assemble_not_supported(name));
        }
        script.problem(&image).map_or(Ok(()), Err)?;
    }
    Ok(image)
}

fn require_save_artifacts(builder: &Image) -> Result<(), Problem> {
    let scripts = examine(builder, [PREPARE.save_artifacts_script()])?;
    match scripts.iter().find_map(|script| script.problem(builder)) {
        None => Ok(()),
        Some(problem) if problem.code() == "save-artifacts-missing" => {
            let message = format!("{}, which an extended build needs of its builder image", problem.message());
            Err(Problem::invalid(problem.code(), message)
                .hint("build without --runtime, or use a builder image that can save artifacts"))
        }
        Some(problem) => Err(problem),
    }
}

/// Finds the earlier product that artifacts come from, and tells whether the build is incremental or clean, and why.
fn previous(job: &Job, product: &str, builder: &Image) -> Result<Option<Image>, Problem> {
    let script = PREPARE.save_artifacts_script();
    let Some(name) = job.previous_image(product) else {
        return clean("asked for", builder, &script);
    };
    let Some(image) = find(&name, Pull::Never)? else {
        return clean(&format!("there is no earlier `{name}`"), builder, &script);
    };
    if image.look_at([script.as_str()])?.is_empty() {
        log::info(format!("clean build: the earlier `{name}` has no `{script}`"));
        return Ok(None);
    }
    log::info(format!("incremental build: reuses what `{name}` saves"));
    Ok(Some(image))
}

/// Tells of a clean build, and of whether a later one can be incremental. Having asked here lets the host know what is worth knowing of
/// the product.
fn clean(why: &str, builder: &Image, script: &str) -> Result<Option<Image>, Problem> {
    let forever = if builder.look_at([script])?.is_empty() {
        format!("; without `{script}` in `{}`, later ones are clean as well", builder.reference())
    } else {
        String::new()
    };
    log::info(format!("clean build: {why}{forever}"));
    Ok(None)
}
