//! `cargo xtask bench`: the same work by `sti` and by bare API calls, in turn and on the same engine, so that what is compared is `sti`
//! and not the weather. It is never part of a test: a machine that is busy with something else proves nothing.

mod bare;
mod cases;
mod contract;
mod fetching;
mod own_engine;
mod products;
mod program;
mod sources;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use sti_test_engine::Engine;

use crate::{
    commands::{self, cargo, target_directory},
    targets, traces,
};

use bare::Bare;
use cases::{CASES, Case};
use own_engine::OwnEngine;
use program::{Observed, Program};

/// The label on everything that a benchmark makes.
const LABEL: &str = "sti.bench";

/// What was asked for.
struct Options {
    url: Option<String>,
    sti: Option<PathBuf>,
    runs: usize,
    case: Option<String>,
    fetcher: Option<PathBuf>,
    /// Where fetched trees are written.
    into: Option<PathBuf>,
}

/// When the answer was there, and when all was cleaned up.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    answer: Duration,
    end: Duration,
}

/// The medians of a case, and what was seen of `sti` besides time.
struct Row {
    case: &'static Case,
    bare: Times,
    sti: Times,
    observed: Observed,
}

/// Measures, and prints a table.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    targets::add_missing()?;
    if let ["fetch", rest @ ..] = arguments {
        return fetching::measure_all(&Options::read(rest)?);
    }
    let options = Options::read(arguments)?;
    let program = Program::new(sti(&options)?, &directory()?)?;
    let fixture = fixture()?;
    let own = if options.url.is_none() { Some(OwnEngine::start(&directory()?.join("engine"))?) } else { None };
    let engine = own.as_ref().map_or_else(|| Engine::at(options.url.as_deref().unwrap_or_default()), |own| own.engine().clone());
    ensure!(engine.answers(), "no engine answers at {}", engine.url());
    println!(
        "\nfrom the start of the process to the answers of all shipped plugins: {:.2} ms (median)",
        program.start()?.as_secs_f64() * 1000.0
    );
    let chosen = CASES.iter().filter(|case| options.case.as_deref().is_none_or(|name| case.name.contains(name)));
    let mut rows = Vec::new();
    for case in chosen {
        rows.push(measure(case, &options, &engine, &program, &fixture).with_context(|| case.name)?);
    }
    ensure!(!rows.is_empty(), "no such case; there are: {}", CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", "));
    table::print(&rows, options.runs);
    Ok(())
}

impl Options {
    fn read(arguments: &[&str]) -> Result<Self> {
        let mut options = Self { url: None, sti: None, runs: 5, case: None, fetcher: None, into: None };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = *rest.next().with_context(|| format!("`{flag}` needs a value"))?;
            match *flag {
                "--url" => options.url = Some(value.to_owned()),
                "--sti" => options.sti = Some(value.into()),
                "--runs" => options.runs = value.parse().context("`--runs` takes a number")?,
                "--case" => options.case = Some(value.to_owned()),
                "--fetcher" => options.fetcher = Some(existing(value.as_ref())?),
                "--into" => options.into = Some(existing(value.as_ref())?),
                other => bail!("unknown flag `{other}`: expected --url, --sti, --runs, --case, --fetcher or --into"),
            }
        }
        ensure!(options.runs > 0, "`--runs` must be at least 1");
        Ok(options)
    }
}

/// Where sources, the home of `sti` and the engine's disk are. Sources stay for the next time.
fn directory() -> Result<PathBuf> {
    let directory = target_directory().join("bench");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn sti(options: &Options) -> Result<PathBuf> {
    if let Some(path) = &options.sti {
        return existing(path);
    }
    commands::run(cargo(["build", "--release", "--workspace", "--bin", "sti"]))?;
    Ok(target_directory().join("release/sti"))
}

/// What a flag names, from wherever a command is run.
fn existing(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| path.display().to_string())
}

fn fixture() -> Result<Vec<u8>> {
    let target = targets::musl();
    commands::run(cargo(["build", "--release", "--package", "sti-fixture", "--target", &target]))?;
    Ok(fs::read(target_directory().join(target).join("release/sti-fixture"))?)
}

/// Warms up, then lets the two take turns.
fn measure(case: &'static Case, options: &Options, engine: &Engine, program: &Program, fixture: &[u8]) -> Result<Row> {
    println!("\n=== {}", case.name);
    let source = sources::make(&directory()?.join("sources"), case.source)?;
    let builder = case.make_builder(engine, fixture)?;
    let bare = Bare { engine, builder: &builder, source: &source, case };
    let build = program.build(engine, &source, &builder, case);
    let measured = (|| {
        bare.run()?;
        build.run()?;
        let observed = build.observe()?;
        let (mut by_bare, mut by_sti) = (Vec::new(), Vec::new());
        for turn in 1..=options.runs {
            settle()?;
            by_bare.push(bare.run()?);
            settle()?;
            by_sti.push(build.run()?);
            let (bare, sti) = (by_bare[turn - 1].answer.as_secs_f64(), by_sti[turn - 1].answer.as_secs_f64());
            println!("{turn}: bare calls {bare:.3} s, sti {sti:.3} s");
        }
        products::compare(engine, bare::PRODUCT, program::PRODUCT)?;
        Ok(Row { case, bare: median(&by_bare), sti: median(&by_sti), observed })
    })();
    traces::remove(engine, LABEL)?;
    measured
}

/// Lets the disk finish what the run before left it to write.
fn settle() -> Result<()> {
    ensure!(Command::new("sync").status()?.success(), "sync failed");
    Ok(())
}

fn median(times: &[Times]) -> Times {
    let middle = |of: fn(&Times) -> Duration| {
        let mut sorted = times.iter().map(of).collect::<Vec<_>>();
        sorted.sort();
        sorted[sorted.len() / 2]
    };
    Times { answer: middle(|times| times.answer), end: middle(|times| times.end) }
}
