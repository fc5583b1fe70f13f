//! The images that take part in a build by the prepare contract, found and checked before anything is planned.

use super::{ASSEMBLE, BUILD, Lent, PREPARE, examine, follows, triggers::refuse_unasked};
use crate::{Content, Image, Incremental, Job, Plan, Problem, Pull, find, log};

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
    /// What the scripts are lent for their time.
    pub lent: Lent,
}

impl Parts {
    /// Finds the images of a job and checks that they follow the contract. Says which contract and which kind of build it is, and why. A
    /// builder of the other contract is a problem: see [`Followed::find`](super::Followed::find).
    pub fn find(job: &Job) -> Result<Self, Problem> {
        let builder = image(&job.builder_image(), "builder")?;
        let found = follows(&builder, job.contract().as_deref(), Some(&job.source()))?;
        if found.contract == &ASSEMBLE {
            return Err(of_the_other_contract(&builder, &found.why));
        }
        Self::of(job, builder, &found.why)
    }

    pub(super) fn of(job: &Job, builder: Image, why: &str) -> Result<Self, Problem> {
        refuse_words_of_assemble(job)?;
        check_scripts(&builder)?;
        log::info(format!("contract `{}`: {why}", PREPARE.name));
        let runtime = job.runtime_image().map(|name| image(&name, "runtime")).transpose()?;
        if let Some(runtime) = &runtime {
            check_runtime(runtime, job)?;
            require_save_artifacts(&builder)?;
        }
        refuse_unasked(job, std::iter::once(&builder).chain(&runtime))?;
        let previous = previous(job, if runtime.is_some() { BUILD } else { "app" }, &builder)?;
        Ok(Self { builder, runtime, previous, lent: Lent::of(job, &job.environment())? })
    }

    /// Plans the step that lets the previous image save its artifacts, and gives what they will be; `None` in a clean build.
    pub fn saved_artifacts(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        let Some(previous) = &self.previous else { return Ok(None) };
        let save = plan.run(&format!("save artifacts of {}", previous.reference()), previous)?;
        let artifacts = self
            .lent
            .to(save, plan, previous)?
            .command([PREPARE.save_artifacts_script()])
            .mount(&plan.empty(), PREPARE.artifacts_at())?
            .capture(PREPARE.artifacts_at())?;
        Ok(Some(artifacts))
    }
}

/// What the user may say of the other contract only.
fn refuse_words_of_assemble(job: &Job) -> Result<(), Problem> {
    let said = [
        ("--scripts-url", job.scripts_url().is_some()),
        ("--destination", job.destination().is_some()),
        ("--assemble-user", job.assemble_user().is_some()),
        ("--assemble-runtime-user", job.assemble_runtime_user().is_some()),
        ("--runtime-artifact", !job.runtime_artifacts().is_empty()),
    ];
    let Some((flag, _)) = said.into_iter().find(|(_, is_said)| *is_said) else { return Ok(()) };
    let message = format!("`{flag}` is about the contract `{}`, and this build follows `{}`", ASSEMBLE.name, PREPARE.name);
    Err(Problem::invalid("flag-of-other-contract", message).hint(format!("leave {flag} out, or say --contract assemble")))
}

fn of_the_other_contract(image: &Image, why: &str) -> Problem {
    let message = format!("`{}` follows the contract `{}`: {why}", image.reference(), ASSEMBLE.name);
    Problem::invalid("contract-not-supported", message)
        .hint("use another strategy; where the image has /usr/bin/prepare too, say so: --contract prepare")
}

pub(super) fn image(name: &str, role: &str) -> Result<Image, Problem> {
    find(name, Pull::AsAsked)?.ok_or_else(|| {
        Problem::not_found(format!("no-such-{role}-image"), format!("there is no {role} image `{name}`"))
            .hint(format!("check the name, or build or load it first: docker image inspect {name}"))
    })
}

fn check_scripts(image: &Image) -> Result<(), Problem> {
    let scripts = examine(image, [PREPARE.build_script(), PREPARE.run_script()])?;
    scripts.iter().find_map(|script| script.problem(image)).map_or(Ok(()), Err)
}

fn check_runtime(runtime: &Image, job: &Job) -> Result<(), Problem> {
    let found = follows(runtime, job.contract().as_deref(), None)?;
    if found.contract == &ASSEMBLE { Err(of_the_other_contract(runtime, &found.why)) } else { check_scripts(runtime) }
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
        let why = format!("there is no earlier `{name}`");
        refuse_if_required(job, &why)?;
        return clean(&why, builder, &script);
    };
    if image.look_at([script.as_str()])?.is_empty() {
        let why = format!("the earlier `{name}` has no `{script}`");
        refuse_if_required(job, &why)?;
        log::info(format!("clean build: {why}"));
        return Ok(None);
    }
    log::info(format!("incremental build: reuses what `{name}` saves"));
    Ok(Some(image))
}

/// A build that is demanded to be incremental is not made a clean one.
pub(super) fn refuse_if_required(job: &Job, why: &str) -> Result<(), Problem> {
    if job.incremental() != Incremental::Required {
        return Ok(());
    }
    Err(Problem::invalid("incremental-not-possible", format!("the build cannot be incremental: {why}"))
        .hint("--incremental, without `=require`, makes it a clean build then"))
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
