//! Builds by the contract `prepare`.

use sti_plugin::{
    Base, Build, Content, Image, Job, Made, Plan, Problem,
    contract::{BUILD, PREPARE, Parts, after_triggers},
};

use crate::speakable;

/// Plans the instructions, and what saves artifacts before them.
pub(crate) fn decide(job: &Job, plan: &Plan, parts: &Parts) -> Result<(), Problem> {
    parts.lent.refuse_in_instructions()?;
    speakable::check_values(&job.environment())?;
    let artifacts = parts.saved_artifacts(plan)?;
    let app = match &parts.runtime {
        None => prepare(job, add_artifacts(add_source(plan, "build", &parts.builder, &plan.source())?, artifacts.as_ref())?),
        Some(runtime) => extended(job, plan, &parts.builder, runtime, artifacts)?,
    };
    app.command([PREPARE.run_script()]);
    plan.product("app", &app)
}

/// Prepares in the builder, and then in the runtime image with what the first left as its result.
///
/// The builder finds a directory for artifacts even where there are none, and an empty one for its result.
fn extended(job: &Job, plan: &Plan, builder: &Image, runtime: &Image, artifacts: Option<Content>) -> Result<Made, Problem> {
    let result_at = PREPARE.result_at().unwrap_or_default();
    let artifacts = artifacts.unwrap_or_else(|| plan.empty());
    let made = after_triggers(plan, builder)?;
    let building = plan
        .run("prepare", made.as_ref().map_or(Base::Image(builder), Base::Made))?
        .command([PREPARE.build_script()])
        .environment(job.environment())
        .mount(&plan.source(), PREPARE.source_at())?
        .mount(&artifacts, PREPARE.artifacts_at())?
        .mount(&plan.empty(), &result_at)?;
    let result = building.capture(&result_at)?;
    plan.product(BUILD, &building.commit())?;
    Ok(prepare(job, add_source(plan, "build in runtime image", runtime, &result)?))
}

/// Begins with what is to be built, owned by the image's user.
fn add_source(plan: &Plan, title: &str, image: &Image, source: &Content) -> Result<Build, Problem> {
    plan.build(title, image)?.carry_out_triggers(&plan.source())?.copy(source, PREPARE.source_at(), None)
}

fn add_artifacts(build: Build, artifacts: Option<&Content>) -> Result<Build, Problem> {
    match artifacts {
        Some(artifacts) => build.copy(artifacts, PREPARE.artifacts_at(), None),
        None => Ok(build),
    }
}

/// Ends with the environment and the prepare step.
fn prepare(job: &Job, build: Build) -> Made {
    build.environment(job.environment()).run([PREPARE.build_script()]).finish()
}
