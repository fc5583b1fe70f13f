//! `sti version`.

use std::{process::ExitCode, sync::Arc};

use serde_json::json;
use sti_core::{BuildId, progress::Silent};

use super::{
    args::{EngineCommand, Output},
    report::print_line,
    surroundings,
};
use crate::{Known, StiError};

pub(super) async fn run(command: EngineCommand, output: &Output) -> Result<ExitCode, StiError> {
    let workplace = surroundings::workplace(command.place.policy.as_deref())?;
    let plugins = workplace.plugins.known(&workplace.policy).await?;
    let engine = match surroundings::engine(&command.place, &BuildId::draw(), Arc::new(Silent)).await {
        Ok(engine) => engine.about().await.map_err(StiError::from),
        Err(error) => Err(error),
    };
    if output.json {
        let plugins: Vec<_> = plugins
            .iter()
            .map(|known| json!({"name": known.name, "version": version_of(known), "digest": known.digest}))
            .collect();
        print_line(
            &json!({
                "sti": env!("CARGO_PKG_VERSION"),
                "contract": sti_sandbox::CONTRACT,
                "runtime": sti_sandbox::RUNTIME,
                "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
                "plugins": plugins,
                "engine": engine.as_ref().ok(),
            })
            .to_string(),
        );
        return Ok(ExitCode::SUCCESS);
    }
    print_line(&format!("sti {} ({}/{})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH));
    print_line(&format!("contract {}", sti_sandbox::CONTRACT));
    print_line(&format!("runtime {}", sti_sandbox::RUNTIME));
    for known in plugins {
        print_line(&format!("plugin {} {} {}", known.name, version_of(&known).unwrap_or("not vetted"), known.digest));
    }
    print_line(&match engine {
        Ok(about) => format!("engine {about}"),
        Err(error) => format!("engine none: {error}"),
    });
    Ok(ExitCode::SUCCESS)
}

fn version_of(known: &Known) -> Option<&str> {
    known.card.as_ref().map(|card| card.version.as_str())
}
