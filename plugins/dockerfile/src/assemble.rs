//! Builds by the contract `assemble`.

use sti_plugin::{
    Build, Content, Image, Made, Plan, Problem,
    contract::{AssembleParts, RuntimeParts},
};

use crate::speakable;

/// Plans the instructions, and what comes before them.
pub(crate) fn decide(plan: &Plan, parts: &AssembleParts) -> Result<(), Problem> {
    parts.lent.refuse_in_instructions()?;
    speakable::check_values(&parts.environment)?;
    let artifacts = parts.saved_artifacts(plan)?;
    let app = match &parts.runtime {
        None => assembled(plan, parts, artifacts.as_ref())?,
        Some(runtime) => deployed(plan, parts, runtime, artifacts.as_ref())?,
    };
    app.command([parts.run.as_str()]);
    plan.product("app", &app)
}

fn assembled(plan: &Plan, parts: &AssembleParts, artifacts: Option<&Content>) -> Result<Made, Problem> {
    let build = plan.build("build", &parts.builder)?.carry_out_triggers(&plan.source())?;
    let mut build = add(build, parts, Some(&plan.source()), &parts.source_at())?;
    build = add(build, parts, artifacts, &parts.artifacts_at())?;
    build = add(build, parts, parts.brought(plan)?.as_ref(), &parts.scripts_at)?;
    let build = build.environment(parts.environment.clone());
    Ok(run_as(build, parts.user.as_deref(), &parts.assemble, &parts.builder).finish())
}

/// The builder is a container, of which nothing stays but what the runtime image gets.
fn deployed(plan: &Plan, parts: &AssembleParts, runtime: &RuntimeParts, artifacts: Option<&Content>) -> Result<Made, Problem> {
    let assembling = parts.assembling(plan, artifacts)?;
    let contents = parts.deployed(plan, runtime, &assembling)?;
    parts.keep_builder(plan, &assembling)?;
    let mut build = plan.build("build in runtime image", &runtime.image)?.carry_out_triggers(&plan.source())?;
    for (content, at) in &contents {
        build = build.copy(content, at, runtime.user.as_deref())?;
    }
    let build = build.environment(parts.environment.clone());
    Ok(match &runtime.assemble {
        Some(script) => run_as(build, runtime.user.as_deref(), script, &runtime.image).finish(),
        None => build.finish(),
    })
}

/// Adds content where there is any, owned by who the scripts run as.
fn add(build: Build, parts: &AssembleParts, content: Option<&Content>, at: &str) -> Result<Build, Problem> {
    match content {
        Some(content) => build.copy(content, at, parts.user.as_deref()),
        None => Ok(build),
    }
}

/// Runs a script as a user, and lets the image's own be the product's.
fn run_as(build: Build, user: Option<&str>, script: &str, image: &Image) -> Build {
    let Some(user) = user else { return build.run([script]) };
    let own = Some(image.user()).filter(|own| !own.is_empty()).unwrap_or_else(|| "0".to_owned());
    build.user(user).run([script]).user(&own)
}
