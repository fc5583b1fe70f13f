//! `sti gc`.

use std::process::ExitCode;

use serde_json::json;
use sti_cache::Tidied;
use sti_core::BuildId;
use sti_engine::Leftover;

use super::{
    args::{GcCommand, Output},
    display,
    report::{print_json, print_line},
    scratch, surroundings, text,
};
use crate::{Host, StiError};

pub(super) async fn run(command: GcCommand, output: &Output) -> Result<ExitCode, StiError> {
    // First, because it needs no engine.
    let sources = tidy_sources(command.sources)?;
    if !output.json && !output.quiet {
        tell(sources);
    }
    if command.sources {
        if output.json {
            print_json(&json!({"sources": as_json(sources)}));
        }
        return Ok(ExitCode::SUCCESS);
    }
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
        print_json(&json!({"builds": swept, "removed": removed, "kept_builds": kept, "sources": as_json(sources)}));
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

fn tidy_sources(all: bool) -> Result<Tidied, StiError> {
    let Some(store) = scratch::store_to_tidy()? else { return Ok(Tidied::default()) };
    Ok(if all { store.clear() } else { store.tidy() })
}

fn tell(Tidied { removed, freed, kept, bytes }: Tidied) {
    let (freed, bytes) = (text::size(freed), text::size(bytes));
    print_line(&format!("freed {freed} of fetched sources ({removed} things); {kept} things of {bytes} are kept"));
}

fn as_json(Tidied { removed, freed, kept, bytes }: Tidied) -> serde_json::Value {
    json!({"removed": removed, "freed_bytes": freed, "kept": kept, "kept_bytes": bytes})
}
