//! The strategy `dockerfile`: writes instructions, which become a Dockerfile where the engine has a builder of its own.
//!
//! From the builder image: the source added at `/tmp/src`, artifacts at `/tmp/artifacts`; the environment; the prepare step; the run
//! script as command. All the rest stays as the image has it. What is added belongs to the image's user.
//!
//! | build | steps |
//! |---|---|
//! | clean | instructions on the builder |
//! | incremental | save-artifacts in the previous product → instructions on the builder |
//! | extended | prepare in the builder (product `build`) → instructions on the runtime image |
//! | extended incremental | save-artifacts in the previous `build` → the same two |
//!
//! Instructions have a layer each and cannot mount: unlike with `commit`, the source and the artifacts stay in lower layers of the image
//! that they were copied into. So the builder of an extended build, of which the next one shall find nothing of that, is a container
//! with mounts. The engine's builder runs without its cache: every instruction is carried out in each build. The runtime image gets of
//! the builder what lay in `/tmp/build`, and nothing else.

use sti_plugin::{
    Build, Card, Content, Image, Job, Made, Plan, Problem, Strategy,
    contract::{PREPARE, Parts},
    register_strategy,
};

/// The name of the product that holds the builder of an extended build, for the next one's artifacts.
const BUILD: &str = "build";

/// Decides for instructions that the engine builds.
pub struct Dockerfile;

register_strategy!(Dockerfile);

impl Strategy for Dockerfile {
    fn card() -> Card {
        Card::new("dockerfile", env!("CARGO_PKG_VERSION"))
            .alias("build")
            .summary("writes a Dockerfile that adds the source and runs prepare, and has the engine build it")
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        let parts = Parts::find(job)?;
        check_values(job)?;
        std::iter::once(&parts.builder).chain(&parts.runtime).try_for_each(check_triggers)?;
        let artifacts = parts.saved_artifacts(plan)?;
        let app = match &parts.runtime {
            None => prepare(job, add_artifacts(add_source(plan, "build", &parts.builder, &plan.source())?, artifacts.as_ref())?),
            Some(runtime) => extended(job, plan, &parts.builder, runtime, artifacts)?,
        };
        app.command([PREPARE.run_script()]);
        plan.product("app", &app)
    }
}

/// Refuses a variable that no Dockerfile can say, before anything runs.
fn check_values(job: &Job) -> Result<(), Problem> {
    let is_unspeakable = |character: char| character.is_control() && character != '\t';
    match job.environment().iter().find(|variable| variable.value.contains(is_unspeakable)) {
        Some(variable) => {
            let message = format!(
                "the value of `{}` has several lines or control characters, which a Dockerfile cannot say",
                variable.name
            );
            Err(Problem::invalid("value-has-newline", message).hint("--strategy commit"))
        }
        None => Ok(()),
    }
}

/// Refuses an image that brings instructions along: a builder of an engine carries them out, and nobody asked for that.
fn check_triggers(image: &Image) -> Result<(), Problem> {
    let triggers = image.triggers();
    let Some(first) = triggers.first() else { return Ok(()) };
    let message =
        format!("`{}` has ONBUILD instructions, such as `{first}`, which the engine would carry out unasked", image.reference());
    Err(Problem::invalid("triggers-unasked", message).hint("--strategy commit, which carries none of them out"))
}

/// Prepares in the builder, and then in the runtime image with what the first left as its result.
///
/// The builder finds a directory for artifacts even where there are none, and an empty one for its result.
fn extended(job: &Job, plan: &Plan, builder: &Image, runtime: &Image, artifacts: Option<Content>) -> Result<Made, Problem> {
    let result_at = PREPARE.result_at().unwrap_or_default();
    let artifacts = artifacts.unwrap_or_else(|| plan.empty());
    let building = plan
        .run("prepare", builder)?
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
    plan.build(title, image)?.copy(source, PREPARE.source_at(), None)
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
