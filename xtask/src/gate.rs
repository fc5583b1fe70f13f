//! `cargo xtask test`: everything that must hold before something is merged. CI calls this and nothing cleverer.

mod manners;
mod skipped;
mod walls;

use std::{
    env, fs,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::{
    commands::{self, cargo, command, root},
    real, targets,
};

/// A named thing that must hold.
struct Step {
    name: &'static str,
    check: fn() -> Result<()>,
}

/// In the order in which a mistake shows soonest.
const STEPS: &[Step] = &[
    Step { name: "targets", check: targets::add_missing },
    Step { name: "house rules", check: house_rules },
    Step { name: "format", check: || commands::run(cargo(["fmt", "--all", "--check"])) },
    Step { name: "clippy", check: || commands::run(cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])) },
    Step { name: "docs", check: docs },
    Step { name: "plugins of others", check: plugins_of_others },
    Step { name: "tests", check: tests },
    Step { name: "real images", check: real_images },
];

/// Runs every step, or those that are named, whatever became of the ones before, and says at the end what failed and what could not
/// be run.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    let unknown = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name));
    ensure!(unknown.is_none(), "no such step; there are: {}", STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", "));
    skipped::forget()?;
    let mut table = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n=== {}", step.name);
        let began = Instant::now();
        let checked = (step.check)();
        if let Err(error) = &checked {
            eprintln!("{}: {error:#}", step.name);
        }
        table.push((step.name, began.elapsed(), checked.is_ok()));
    }
    let skipped = skipped::list()?;
    print_table(&table, &skipped);
    let failed = table.iter().filter(|(.., passed)| !passed).map(|(name, ..)| *name).collect::<Vec<_>>();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    let missed = skipped.iter().any(|test| skipped::counts(test));
    ensure!(!missed || env::var("CI").as_deref() != Ok("true"), "CI=true lets nothing be skipped");
    Ok(())
}

fn print_table(table: &[(&str, Duration, bool)], skipped: &[String]) {
    println!("\n=== summary");
    for (name, time, passed) in table {
        println!("{name:20} {:>7.1} s   {}", time.as_secs_f64(), if *passed { "passed" } else { "FAILED" });
    }
    if skipped.is_empty() {
        println!("nothing was skipped");
        return;
    }
    println!("\ncould not be run here:");
    for test in skipped {
        println!("  {test}");
    }
}

fn house_rules() -> Result<()> {
    let broken = [walls::broken()?, manners::broken()?].concat();
    if broken.is_empty() {
        println!("all are kept");
        return Ok(());
    }
    bail!("{} broken:\n  {}", broken.len(), broken.join("\n  "))
}

fn docs() -> Result<()> {
    let mut doc = cargo(["doc", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    commands::run(doc)
}

/// Test plugins that are built as somebody else's would be: each with a manifest, a lock file and a target directory of its own.
fn plugins_of_others() -> Result<()> {
    let folder = root().join("tests/plugins");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
    for entry in entries {
        let plugin = entry?.path();
        if plugin.join("Cargo.toml").is_file() {
            let mut build = command(
                env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
                ["build", "--release", "--target", targets::WASM],
            );
            build.current_dir(&plugin);
            println!("\nin {}", plugin.display());
            commands::run(build)?;
        }
    }
    Ok(())
}

/// Applications with builder images as communities make them: two of those that `cargo xtask real` knows, since each takes minutes.
fn real_images() -> Result<()> {
    match real::missing() {
        Some(why) => skipped::note(&format!("real images: {why}")),
        None => real::run(&["python", "nodejs"]),
    }
}

fn tests() -> Result<()> {
    let mut test = cargo(["test", "--workspace", "--no-fail-fast"]);
    test.env("STI_SKIPPED", skipped::path());
    commands::run(test)
}
