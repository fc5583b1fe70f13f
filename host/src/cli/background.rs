//! `--no-wait-cleanup`: another process removes what a build made in the engine, while the user has the answer already.

use std::{
    env, io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use sti_core::{Progress, progress::Level};

use super::args::Place;
use crate::Host;

/// Starts `sti gc` behind the user's back: in a process group of its own, which no Ctrl-C of this one reaches. Where it cannot be started,
/// this process cleans up itself.
pub(super) async fn clean_up(place: &Place, host: &Host, progress: &dyn Progress) {
    let Err(error) = start(place, host) else { return };
    progress.say(Level::Warning, format!("cannot clean up in the background: {error}"));
    if let Err(error) = host.abandon().await {
        progress.say(Level::Warning, format!("the next build or `sti gc` removes what is left: {error}"));
    }
}

fn start(place: &Place, host: &Host) -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    // By its whole address: what was found by looking around is what is to be swept.
    command.args(["gc", "--quiet", "--url", &host.engine.endpoint()]);
    if let Some(policy) = &place.policy {
        command.arg("--policy").arg(policy);
    }
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(|_| ())
}
