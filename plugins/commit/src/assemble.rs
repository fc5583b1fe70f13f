//! Builds by the contract `assemble`.

use sti_plugin::{
    Made, Plan, Problem, Run,
    contract::{ASSEMBLE, AssembleParts, BUILD, RuntimeParts},
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

/// What is only copied is done by the engine's own builder, which carries ONBUILD instructions out and reads variables from a Dockerfile.
fn check(parts: &AssembleParts) -> Result<(), Problem> {
    let deployed_by_it = parts.runtime.as_ref().filter(|runtime| runtime.assemble.is_none()).map(|runtime| &runtime.image);
    let extended_by_it = (parts.runtime.is_none() && parts.brings_run() && parts.is_passing).then_some(&parts.builder);
    if let Some(image) = deployed_by_it.or(extended_by_it)
        && let Some(first) = image.triggers().first()
    {
        let message =
            format!("`{}` has ONBUILD instructions, such as `{first}`, which would be carried out unasked", image.reference());
        return Err(Problem::invalid("triggers-unasked", message).hint("take them out of the image, or put the scripts into it"));
    }
    let is_unspeakable = |character: char| character.is_control() && character != '\t';
    match parts.environment.iter().find(|variable| variable.value.contains(is_unspeakable)) {
        Some(variable) if deployed_by_it.is_some() => {
            let message = format!(
                "the value of `{}` has several lines or control characters, which can only be kept where a script runs",
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
            Ok(plan.build("add the run script of the source", &assembled)?.copy(&script, parts.scripts_at(), None)?.finish())
        }
        _ => Ok(assembled),
    }
}

/// The runtime image with what assembling has left; where it has no script, nothing runs there.
fn deployed(plan: &Plan, parts: &AssembleParts, runtime: &RuntimeParts, assembling: &Run) -> Result<Made, Problem> {
    let contents = parts.deployed(plan, runtime, assembling)?;
    if parts.keeps_builder {
        let built = assembling.commit();
        built.environment(parts.environment.clone());
        plan.product(BUILD, &built)?;
    }
    let Some(script) = &runtime.assemble else {
        let mut build = plan.build("deploy into runtime image", &runtime.image)?;
        for (content, at) in &contents {
            build = build.copy(content, at, runtime.user.as_deref())?;
        }
        return Ok(build.environment(parts.environment.clone()).finish());
    };
    let mut run = runtime.as_user(plan.run("assemble in runtime image", &runtime.image)?);
    run = run.command([script.as_str()]).environment(parts.environment.clone());
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
