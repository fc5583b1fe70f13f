//! `sti doctor`: checks what a build needs, and says what to do about what is missing.

use std::{path::Path, process::ExitCode, sync::Arc};

use serde_json::json;
use sti_core::{BuildId, progress::Silent};
use sti_engine::Engine;
use sti_policy::{NamedHosts, PluginIdentity};
use sti_sandbox::Kind;

use super::{
    args::{EngineCommand, Output},
    report::{print_json, print_line},
    surroundings::{self, Directories},
    text,
};
use crate::{Known, StiError};

/// One thing that was looked at.
struct Check {
    name: &'static str,
    outcome: Result<String, (String, Option<String>)>,
}

/// Below this much free space builds fail soon.
const LITTLE_SPACE: u64 = 1_000_000_000;

pub(super) async fn run(command: EngineCommand, output: &Output) -> Result<ExitCode, StiError> {
    let [engine, leftovers] = engine(&command).await;
    let checks = [
        engine,
        leftovers,
        sandbox(&command).await,
        policy(&command),
        fetchers(&command).await,
        directory("cache", |directories| &directories.cache),
        directory("state", |directories| &directories.state),
    ];
    let is_well = checks.iter().all(|check| check.outcome.is_ok());
    if output.json {
        let checks: Vec<_> = checks.iter().map(as_json).collect();
        print_json(&json!({"well": is_well, "checks": checks}));
    } else {
        checks.iter().for_each(print);
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The engine itself, and what builds left in it.
async fn engine(command: &EngineCommand) -> [Check; 2] {
    match surroundings::engine(&command.place, &BuildId::draw(), Arc::new(Silent)).await {
        Ok(engine) => {
            let about = engine.about().await.map(|about| about.to_string()).map_err(|error| words(error.into()));
            [Check { name: "engine", outcome: about }, leftovers(engine.as_ref()).await]
        }
        Err(error) => {
            let unknown = ("nobody can be asked without an engine".to_owned(), None);
            [Check { name: "engine", outcome: Err(words(error)) }, Check { name: "leftovers", outcome: Err(unknown) }]
        }
    }
}

async fn leftovers(engine: &dyn Engine) -> Check {
    let owner = surroundings::owner();
    let told = engine.leftovers().await.map(|leftovers| {
        match leftovers.iter().filter(|leftover| leftover.owner.as_ref() == Some(&owner)).count() {
            0 => "no build left anything in the engine".to_owned(),
            some => format!("{some} builds have something in the engine; `sti gc` removes what belongs to dead ones"),
        }
    });
    Check { name: "leftovers", outcome: told.map_err(|error| words(error.into())) }
}

async fn sandbox(command: &EngineCommand) -> Check {
    let asked = async {
        let workplace = surroundings::workplace(command.place.policy.as_deref())?;
        let known = workplace.plugins.known(&workplace.policy).await?;
        let names: Vec<_> = known.iter().filter(|known| known.card.is_some()).map(|known| known.name.as_str()).collect();
        Ok(format!("runs the plugins {}", names.join(", ")))
    };
    Check { name: "sandbox", outcome: asked.await.map_err(words) }
}

fn policy(command: &EngineCommand) -> Check {
    let read = surroundings::read_policy(command.place.policy.as_deref());
    Check { name: "policy", outcome: read.map(|policy| holds(&policy)).map_err(words) }
}

/// What each fetcher is granted.
async fn fetchers(command: &EngineCommand) -> Check {
    let asked = async {
        let workplace = surroundings::workplace(command.place.policy.as_deref())?;
        let known = workplace.plugins.known(&workplace.policy).await?;
        let fetchers =
            known.into_iter().filter(|known| known.card.as_ref().is_some_and(|card| card.kinds.contains(&Kind::Fetcher)));
        let grants = fetchers.map(|Known { digest, origin, card, name }| {
            let plugin = PluginIdentity { name: card.map_or(name, |card| card.name), digest, origin };
            workplace.policy.fetch_grant(&plugin, NamedHosts::default()).in_short()
        });
        Ok(grants.collect::<Vec<_>>().join("; "))
    };
    Check { name: "fetchers", outcome: asked.await.map_err(words) }
}

fn holds(policy: &sti_policy::Policy) -> String {
    let vetted = if policy.is_vetted_only() { "; only vetted plugins load" } else { "" };
    let file = policy.file().map(|file| format!("{}{vetted}", file.display()));
    file.unwrap_or("no policy file: a plugin may use what the command line names".to_owned())
}

fn directory(name: &'static str, of: impl Fn(&Directories) -> &Path) -> Check {
    let Some(directories) = Directories::of_user() else {
        let missing = "neither HOME nor the XDG variables are set: nothing is kept".to_owned();
        return Check { name, outcome: Err((missing, Some("set HOME".to_owned()))) };
    };
    let path = of(&directories);
    let outcome = surroundings::private_dir(path).map_err(words).and_then(|dir| space(path, &dir));
    Check { name, outcome }
}

fn space(path: &Path, dir: &cap_std::fs::Dir) -> Result<String, (String, Option<String>)> {
    let stat = rustix::fs::fstatvfs(dir).map_err(|error| (format!("cannot look at `{}`: {error}", path.display()), None))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let says = format!("{} with {} free", path.display(), text::size(free));
    if free < LITTLE_SPACE { Err((says, Some("free some space".to_owned()))) } else { Ok(says) }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn words(error: StiError) -> (String, Option<String>) {
    let reasons: Vec<_> = std::iter::once(error.to_string()).chain(error.because()).collect();
    (reasons.join("; "), error.hint())
}

fn as_json(check: &Check) -> serde_json::Value {
    match &check.outcome {
        Ok(says) => json!({"name": check.name, "well": true, "says": says}),
        Err((says, hint)) => json!({"name": check.name, "well": false, "says": says, "hint": hint}),
    }
}

fn print(check: &Check) {
    match &check.outcome {
        Ok(says) => print_line(&format!("well    {:<10} {says}", check.name)),
        Err((says, hint)) => {
            print_line(&format!("not     {:<10} {says}", check.name));
            if let Some(hint) = hint {
                print_line(&format!("        {:<10} hint: {hint}", ""));
            }
        }
    }
}
