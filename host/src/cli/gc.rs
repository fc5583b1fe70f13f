//! `sti gc`.

use std::process::ExitCode;

use serde_json::json;
use sti_core::BuildId;
use sti_engine::Leftover;

use super::{
    args::{EngineCommand, Output},
    display,
    report::{print_json, print_line},
    surroundings,
};
use crate::{Host, StiError};

pub(super) async fn run(command: EngineCommand, output: &Output) -> Result<ExitCode, StiError> {
    let progress = display::of(&Output { json: false, ..output.clone() });
    let host = surroundings::host(&command.place, &BuildId::draw(), progress).await?;
    let owner = surroundings::owner();
    let (mut swept, mut removed, mut kept) = (0, 0, 0);
    // Held until they are swept, so that no other process takes their marks away meanwhile.
    let dead = host.lives.as_ref().and_then(|lives| lives.dead(&host.engine.endpoint()).ok()).unwrap_or_default();
    for leftover in host.engine.leftovers().await? {
        let is_marked = dead.iter().any(|dead| dead.build == leftover.build);
        if is_marked || is_dead(&leftover, &owner, &host)? {
            removed += host.engine.sweep(&leftover.build).await?;
            swept += 1;
        } else {
            kept += 1;
        }
    }
    for dead in dead {
        let _gone = dead.bury();
    }
    if output.json {
        print_json(&json!({"builds": swept, "removed": removed, "kept_builds": kept}));
    } else if !output.quiet {
        print_line(&format!("removed {removed} things of {swept} dead builds; {kept} builds are alive or another machine's"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a build is ours to judge, and its process is gone. Whose owner is unknown is left alone.
fn is_dead(leftover: &Leftover, owner: &str, host: &Host) -> Result<bool, StiError> {
    let Some(lives) = &host.lives else { return Ok(false) };
    if leftover.owner.as_deref() != Some(owner) {
        return Ok(false);
    }
    let living = lives.is_living(&leftover.build);
    Ok(!living.map_err(|error| StiError::Ours(format!("cannot look at the lock of {}: {error}", leftover.build)))?)
}
