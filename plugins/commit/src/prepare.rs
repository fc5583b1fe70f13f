//! Builds by the contract `prepare`.

use sti_plugin::{
    Base, Content, Image, Job, Made, Plan, Problem, Run,
    contract::{BUILD, PREPARE, Parts, after_triggers},
};

/// Plans one step for each thing that runs.
pub(crate) fn decide(job: &Job, plan: &Plan, parts: &Parts) -> Result<(), Problem> {
    let artifacts = parts.saved_artifacts(plan)?;
    let app = match &parts.runtime {
        None => prepare(job, plan, parts, artifacts.as_ref())?.commit(),
        Some(runtime) => extended(job, plan, parts, runtime, artifacts)?,
    };
    app.command([PREPARE.run_script()]).environment(job.environment());
    plan.product("app", &app)
}

/// Runs prepare in the builder, with the source and, in an incremental build, with artifacts.
fn prepare(job: &Job, plan: &Plan, parts: &Parts, artifacts: Option<&Content>) -> Result<Run, Problem> {
    let run = prepare_with("prepare", job, plan, (parts, &parts.builder), &plan.source())?;
    match artifacts {
        Some(artifacts) => run.mount(artifacts, PREPARE.artifacts_at()),
        None => Ok(run),
    }
}

/// Runs prepare in the builder, whose result is then the source of the runtime image's prepare.
///
/// The builder finds a directory for artifacts even where there are none, and an empty one for its result.
fn extended(job: &Job, plan: &Plan, parts: &Parts, runtime: &Image, artifacts: Option<Content>) -> Result<Made, Problem> {
    let result_at = PREPARE.result_at().unwrap_or_default();
    let artifacts = artifacts.unwrap_or_else(|| plan.empty());
    let building = prepare(job, plan, parts, Some(&artifacts))?.mount(&plan.empty(), &result_at)?;
    let result = building.capture(&result_at)?;
    plan.product(BUILD, &building.commit())?;
    Ok(prepare_with("prepare in runtime image", job, plan, (parts, runtime), &result)?.commit())
}

/// Runs an image's prepare with a source, as the image's own user.
fn prepare_with(title: &str, job: &Job, plan: &Plan, (parts, image): (&Parts, &Image), source: &Content) -> Result<Run, Problem> {
    let made = after_triggers(plan, image)?;
    let base = made.as_ref().map_or(Base::Image(image), Base::Made);
    let run = plan.run(title, base)?.command([PREPARE.build_script()]).environment(job.environment());
    parts.lent.to(run, plan, image)?.mount(source, PREPARE.source_at())
}
