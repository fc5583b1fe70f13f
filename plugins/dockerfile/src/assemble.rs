//! Builds by the contract `assemble`.

use sti_plugin::{Build, Content, Plan, Problem, contract::AssembleParts};

use crate::speakable;

/// Plans the instructions, and what saves artifacts before them.
pub(crate) fn decide(plan: &Plan, parts: &AssembleParts) -> Result<(), Problem> {
    speakable::check_values(&parts.environment)?;
    speakable::check_triggers(&parts.builder)?;
    let artifacts = parts.saved_artifacts(plan)?;
    let mut build = add(plan.build("build", &parts.builder)?, parts, Some(&plan.source()), &parts.source_at())?;
    build = add(build, parts, artifacts.as_ref(), &parts.artifacts_at())?;
    build = add(build, parts, parts.brought(plan)?.as_ref(), &parts.scripts_at())?;
    let app = assemble(build.environment(parts.environment.clone()), parts).finish();
    app.command([parts.run.as_str()]);
    plan.product("app", &app)
}

/// Adds content where there is any, owned by who the scripts run as.
fn add(build: Build, parts: &AssembleParts, content: Option<&Content>, at: &str) -> Result<Build, Problem> {
    match content {
        Some(content) => build.copy(content, at, parts.user.as_deref()),
        None => Ok(build),
    }
}

fn assemble(build: Build, parts: &AssembleParts) -> Build {
    let Some(user) = &parts.user else { return build.run([parts.assemble.as_str()]) };
    let own = Some(parts.builder.user()).filter(|own| !own.is_empty()).unwrap_or_else(|| "0".to_owned());
    build.user(user).run([parts.assemble.as_str()]).user(&own)
}
