//! The command line: one file for each command, and the only rooms that know the terminal, the environment and ambient paths.
#![expect(clippy::disallowed_methods, reason = "this is where ambient authority is turned into values")]

mod address;
mod args;
mod as_dockerfile;
mod background;
mod build;
mod callback;
mod config;
mod create;
mod destination;
mod display;
mod doctor;
mod environment;
mod fetch;
mod gc;
mod generated;
mod installed;
mod interrupt;
mod known;
mod lent;
mod plan;
mod plugins;
mod rebuild;
mod report;
mod request;
mod s2i;
mod said;
mod scratch;
mod scripts;
mod source;
pub(crate) mod surroundings;
mod text;
mod usage;
mod validate;
mod version;
mod web;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Arc,
};

use sti_core::{BuildId, progress::Silent};

use crate::{Host, StiError};
use args::{Cli, Command};

pub use source::open_source;

/// Reads the command line, does what it says, and answers with the exit code of SEMANTICS' table.
pub fn run() -> ExitCode {
    let cli = match said::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report::error(&StiError::Ours(format!("cannot start: {error}")), &cli.output),
    };
    let output = cli.output.clone();
    let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(dispatch(cli))));
    let code =
        done.unwrap_or_else(|_| report::error(&StiError::Ours("a part of sti broke down, as told above".to_owned()), &output));
    // A thread that still reads the source of an interrupted build must not hold the exit up.
    runtime.shutdown_background();
    code
}

/// The host that no flag says anything about.
pub(crate) async fn local_host(build: &BuildId) -> Result<Host, StiError> {
    surroundings::host(&args::Place::default(), build, Arc::new(Silent)).await
}

async fn dispatch(cli: Cli) -> ExitCode {
    let output = cli.output.clone();
    let done = match cli.command {
        Command::Build(command) => Box::pin(build::run(*command, &output)).await,
        Command::Plan(command) => Box::pin(plan::run(*command, &output)).await,
        Command::Fetch(command) => Box::pin(fetch::run(command, &output)).await,
        Command::Validate(command) => validate::run(command, &output).await,
        Command::Rebuild(command) => Box::pin(rebuild::run(command, &output)).await,
        Command::Usage(command) => usage::run(command, &output).await,
        Command::Plugins(command) => plugins::run(command, &output).await,
        Command::Gc(command) => gc::run(command, &output).await,
        Command::Doctor(command) => doctor::run(command, &output).await,
        Command::Create(command) => create::run(&command, &output),
        Command::Version(command) => version::run(command, &output).await,
    };
    done.unwrap_or_else(|error| report::error(&error, &output))
}
