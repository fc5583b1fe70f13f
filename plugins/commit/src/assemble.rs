//! Builds by the contract `assemble`.

use sti_plugin::{
    Made, Plan, Problem, Run,
    contract::{ASSEMBLE, AssembleParts, RuntimeParts},
};

/// The name of the product that holds the builder of an extended build, for the next one's artifacts.
const BUILD: &str = "build";

/// Plans what saves artifacts, what assembles, and what deploys or brings the script of the product.
pub(crate) fn decide(plan: &Plan, parts: &AssembleParts) -> Result<(), Problem> {
    let artifacts = parts.saved_artifacts(plan)?;
    let assembling = parts.assembling(plan, artifacts.as_ref())?;
    let app = match &parts.runtime {
        None => with_run_script(plan, parts, with_labels(assembling).commit())?,
        Some(runtime) => deployed(plan, parts, runtime, &assembling)?,
    };
    app.command([parts.run.as_str()]).environment(parts.environment.clone());
    plan.product("app", &app)
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

/// The runtime image with what assembling has left; where it has no script, nothing runs there.
fn deployed(plan: &Plan, parts: &AssembleParts, runtime: &RuntimeParts, assembling: &Run) -> Result<Made, Problem> {
    let contents = parts.deployed(plan, runtime, assembling)?;
    if parts.keeps_builder {
        plan.product(BUILD, &assembling.commit())?;
    }
    let Some(script) = &runtime.assemble else {
        let mut build = plan.build("deploy into runtime image", &runtime.image)?;
        for (content, at) in &contents {
            build = build.copy(content, at, None)?;
        }
        return Ok(build.finish());
    };
    let mut run = runtime.as_user(plan.run("assemble in runtime image", &runtime.image)?);
    run = run.command([script.as_str()]).environment(parts.environment.clone());
    for (content, at) in &contents {
        run = run.copy(content, at)?;
    }
    Ok(with_labels(run).commit())
}

fn with_labels(run: Run) -> Run {
    match ASSEMBLE.labels_file {
        Some(path) => run.labels_from(path),
        None => run,
    }
}
