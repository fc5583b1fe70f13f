//! Builds by the contract `assemble`.

use sti_plugin::{
    Base, Made, Plan, Problem, Run,
    contract::{ASSEMBLE, AssembleParts, RuntimeParts, after_triggers},
};

/// Plans what saves artifacts, what assembles, and what deploys or brings the script of the product.
pub(crate) fn decide(plan: &Plan, parts: &AssembleParts) -> Result<(), Problem> {
    check(parts)?;
    let artifacts = parts.saved_artifacts(plan)?;
    let assembling = parts.assembling(plan, artifacts.as_ref())?;
    let app = match &parts.runtime {
        None => with_run_script(plan, parts, with_labels(assembling).commit())?,
        Some(runtime) => deployed(plan, parts, runtime, &assembling)?,
    };
    app.command([parts.run.as_str()]);
    plan.product("app", &app)
}

/// What is only copied is done by the engine's own builder, which reads variables from a Dockerfile.
fn check(parts: &AssembleParts) -> Result<(), Problem> {
    let deployed_by_it = parts.runtime.as_ref().filter(|runtime| runtime.assemble.is_none());
    match parts.environment.iter().find(|variable| !variable.fits_an_instruction()) {
        Some(variable) if deployed_by_it.is_some() => {
            let message = format!(
                "the value of `{}` has several lines, control characters or 64 KiB, which can only be kept where a script runs",
                variable.name
            );
            Err(Problem::invalid("value-has-newline", message).hint("bring a script .s2i/bin/assemble-runtime along"))
        }
        _ => Ok(()),
    }
}

/// The script of the product that the source brings lay where nothing stays.
fn with_run_script(plan: &Plan, parts: &AssembleParts, assembled: Made) -> Result<Made, Problem> {
    assembled.environment(parts.environment.clone());
    match parts.brought_for_product(plan)? {
        Some(script) if parts.is_passing => {
            Ok(plan.build("add the run script of the source", &assembled)?.copy(&script, &parts.scripts_at, None)?.finish())
        }
        _ => Ok(assembled),
    }
}

/// The runtime image with what assembling has left; where it has no script, nothing runs there.
fn deployed(plan: &Plan, parts: &AssembleParts, runtime: &RuntimeParts, assembling: &Run) -> Result<Made, Problem> {
    let contents = parts.deployed(plan, runtime, assembling)?;
    parts.keep_builder(plan, assembling)?;
    let Some(script) = &runtime.assemble else {
        let mut build = plan.build("deploy into runtime image", &runtime.image)?.carry_out_triggers(&plan.source())?;
        for (content, at) in &contents {
            build = build.copy(content, at, runtime.user.as_deref())?;
        }
        return Ok(build.environment(parts.environment.clone()).finish());
    };
    let made = after_triggers(plan, &runtime.image)?;
    let base = made.as_ref().map_or(Base::Image(&runtime.image), Base::Made);
    let mut run = plan.run("assemble in runtime image", base)?.as_user(runtime.user.as_deref());
    run = run.command([script.as_str()]).environment(parts.environment.clone());
    run = parts.lent.to(run, plan, &runtime.image)?;
    for (content, at) in &contents {
        run = run.copy(content, at)?;
    }
    let app = with_labels(run).commit();
    app.environment(parts.environment.clone());
    Ok(app)
}

fn with_labels(run: Run) -> Run {
    match ASSEMBLE.labels_file {
        Some(path) => run.labels_from(path),
        None => run,
    }
}
