//! Builds by the contract `prepare`.

use sti_plugin::{
    Content, Image, Job, Made, Plan, Problem, Run,
    contract::{BUILD, PREPARE, Parts},
};

/// Plans one step for each thing that runs.
pub(crate) fn decide(job: &Job, plan: &Plan, parts: &Parts) -> Result<(), Problem> {
    let artifacts = parts.saved_artifacts(plan)?;
    let app = match &parts.runtime {
        None => prepare(job, plan, &parts.builder, artifacts.as_ref())?.commit(),
        Some(runtime) => extended(job, plan, &parts.builder, runtime, artifacts)?,
    };
    app.command([PREPARE.run_script()]).environment(job.environment());
    plan.product("app", &app)
}

/// Runs prepare in the builder, with the source and, in an incremental build, with artifacts.
fn prepare(job: &Job, plan: &Plan, builder: &Image, artifacts: Option<&Content>) -> Result<Run, Problem> {
    let run = prepare_with("prepare", job, plan, builder, &plan.source())?;
    match artifacts {
        Some(artifacts) => run.mount(artifacts, PREPARE.artifacts_at()),
        None => Ok(run),
    }
}

/// Runs prepare in the builder, whose result is then the source of the runtime image's prepare.
///
/// The builder finds a directory for artifacts even where there are none, and an empty one for its result.
fn extended(job: &Job, plan: &Plan, builder: &Image, runtime: &Image, artifacts: Option<Content>) -> Result<Made, Problem> {
    let result_at = PREPARE.result_at().unwrap_or_default();
    let artifacts = artifacts.unwrap_or_else(|| plan.empty());
    let building = prepare(job, plan, builder, Some(&artifacts))?.mount(&plan.empty(), &result_at)?;
    let result = building.capture(&result_at)?;
    plan.product(BUILD, &building.commit())?;
    Ok(prepare_with("prepare in runtime image", job, plan, runtime, &result)?.commit())
}

/// Runs an image's prepare with a source, as the image's own user.
fn prepare_with(title: &str, job: &Job, plan: &Plan, image: &Image, source: &Content) -> Result<Run, Problem> {
    plan.run(title, image)?.command([PREPARE.build_script()]).environment(job.environment()).mount(source, PREPARE.source_at())
}
