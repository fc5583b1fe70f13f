//! Builds by the contract `assemble`.
//!
//! Its scripts move what they are given and remove the directories it came in, which cannot be done to a mount: so source, artifacts
//! and scripts lie in a directory of which nothing is committed. Where the image keeps files of its own there, they are copied in, and
//! what the scripts leave of them stays.

use sti_plugin::{Content, Made, Plan, Problem, Run, contract::AssembleParts, log};

/// Plans what saves artifacts, what assembles, and what brings the script of the product.
pub(crate) fn decide(plan: &Plan, parts: &AssembleParts) -> Result<(), Problem> {
    let artifacts = parts.saved_artifacts(plan)?;
    let mut run = parts.as_user(plan.run("assemble", &parts.builder)?);
    run = run.command([parts.assemble.as_str()]).environment(parts.environment.clone());
    if parts.is_passing {
        run = run.transient(&parts.destination);
    } else {
        let (image, destination) = (parts.builder.reference(), &parts.destination);
        log::info(format!("`{image}` keeps files of its own in {destination}: what its scripts leave of the source there stays"));
    }
    run = put(run, parts, &plan.source(), &parts.source_at())?;
    if let Some(artifacts) = &artifacts {
        run = put(run, parts, artifacts, &parts.artifacts_at())?;
    }
    if let Some(scripts) = &parts.brought(plan)? {
        run = put(run, parts, scripts, &parts.scripts_at())?;
    }
    let app = with_run_script(plan, parts, run.commit())?;
    app.command([parts.run.as_str()]).environment(parts.environment.clone());
    plan.product("app", &app)
}

fn put(run: Run, parts: &AssembleParts, content: &Content, at: &str) -> Result<Run, Problem> {
    if parts.is_passing { run.mount(content, at) } else { run.copy(content, at) }
}

/// The script of the product that the source brings lay where nothing stays.
fn with_run_script(plan: &Plan, parts: &AssembleParts, assembled: Made) -> Result<Made, Problem> {
    match parts.brought_for_product(plan)? {
        Some(script) if parts.is_passing => {
            Ok(plan.build("add the run script of the source", &assembled)?.copy(&script, parts.scripts_at(), None)?.finish())
        }
        _ => Ok(assembled),
    }
}
