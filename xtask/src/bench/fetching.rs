//! `cargo xtask bench fetch`: sources fetched by `sti` and by the tools that people know, in turn and into the same kind of directory.

mod clock;
mod fixtures;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use sti_test_server::Server;

use super::{Options, directory, program::Program, settle, sti};
use clock::{Spent, run, run_and_watch};
use fixtures::Fixtures;

/// Two commands that do the same.
struct Case {
    name: &'static str,
    /// At most so many times the CPU and the wall time of the native tool.
    bounds: (f64, f64),
    native: fn(&Places) -> Command,
    /// The address, and whether it is written into a directory or only kept.
    address: fn(&Places) -> String,
    into: Into,
}

/// Where a fetched tree goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Into {
    /// A new directory; nothing is kept and nothing is taken from before.
    Directory,
    /// The cache, where it lies already.
    Cache,
}

/// What the commands are about.
struct Places {
    fixtures: Fixtures,
    server: Server,
    out: PathBuf,
}

/// The medians of a case.
struct Row {
    case: &'static Case,
    native: Spent,
    sti: Spent,
    peak_memory_kib: f64,
}

const CASES: &[Case] = &[
    Case {
        name: "git over HTTP",
        bounds: (1.3, 1.2),
        native: |places| git(&["clone", "--quiet", "--depth", "1", &repository_url(places)], &places.out),
        address: repository_url,
        into: Into::Directory,
    },
    Case {
        name: "git from a directory",
        bounds: (0.6, 0.6),
        native: |places| git(&["clone", "--quiet", &text(&places.fixtures.work_tree)], &places.out),
        address: |places| format!("git:{}", text(&places.fixtures.work_tree)),
        into: Into::Directory,
    },
    Case {
        name: "git, unchanged",
        bounds: (1.3, 1.3),
        native: |places| tool("git", &["ls-remote", "--quiet", &repository_url(places), "HEAD"]),
        address: repository_url,
        into: Into::Cache,
    },
    Case {
        name: "tar.gz",
        bounds: (1.0, 1.0),
        native: |places| unpacked("tar", &["-xzf", &archive(places, "tar.gz"), "-C"], places),
        address: |places| format!("archive:{}", archive(places, "tar.gz")),
        into: Into::Directory,
    },
    Case {
        name: "tar.zst",
        bounds: (1.5, 1.5),
        native: |places| unpacked("tar", &["--zstd", "-xf", &archive(places, "tar.zst"), "-C"], places),
        address: |places| format!("archive:{}", archive(places, "tar.zst")),
        into: Into::Directory,
    },
    Case {
        name: "tar.xz",
        bounds: (1.4, 1.4),
        native: |places| unpacked("tar", &["-xJf", &archive(places, "tar.xz"), "-C"], places),
        address: |places| format!("archive:{}", archive(places, "tar.xz")),
        into: Into::Directory,
    },
    Case {
        name: "zip",
        bounds: (1.5, 1.5),
        native: |places| unpacked("unzip", &["-q", &archive(places, "zip"), "-d"], places),
        address: |places| format!("archive:{}", archive(places, "zip")),
        into: Into::Directory,
    },
];

/// Measures, and prints a table.
pub(super) fn measure_all(options: &Options) -> Result<()> {
    let program = Program::new(sti(options)?, &directory()?)?;
    let folder = directory()?.join("fetching");
    let fixtures = Fixtures::make(&folder)?;
    let out = options.into.as_ref().unwrap_or(&folder).join("sti-bench-out");
    let places = Places { server: Server::start(&fixtures.top, None), fixtures, out };
    let chosen = CASES.iter().filter(|case| options.case.as_deref().is_none_or(|name| case.name.contains(name)));
    let rows = chosen.map(|case| measure(case, options, &program, &places).context(case.name)).collect::<Result<Vec<_>>>()?;
    ensure!(!rows.is_empty(), "no such case; there are: {}", CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", "));
    print_table(&rows, options.runs);
    Ok(())
}

/// Warms up, then lets the two take turns.
fn measure(case: &'static Case, options: &Options, program: &Program, places: &Places) -> Result<Row> {
    println!("\n=== {}", case.name);
    let by_sti = || {
        let mut command = program.command();
        command.args(["fetch", "--quiet", &(case.address)(places)]);
        match case.into {
            Into::Directory => command.arg("--no-cache").arg(&places.out),
            Into::Cache => &mut command,
        };
        if let Some(fetcher) = &options.fetcher {
            command.arg("--fetcher").arg(fetcher);
        }
        command
    };
    run(&(case.native)(places), places.fresh_out()?)?;
    run(&by_sti(), places.fresh_out()?)?;
    let peak_memory_kib = run_and_watch(by_sti(), places.fresh_out()?)?;
    let (mut natives, mut stis) = (Vec::new(), Vec::new());
    for turn in 1..=options.runs {
        settle()?;
        let native = run(&(case.native)(places), places.fresh_out()?)?;
        settle()?;
        let sti = run(&by_sti(), places.fresh_out()?)?;
        println!("{turn}: native {native}, sti {sti}");
        natives.push(native);
        stis.push(sti);
    }
    places.fresh_out()?;
    Ok(Row { case, native: Spent::median(&natives), sti: Spent::median(&stis), peak_memory_kib })
}

impl Places {
    /// Removes what the run before made, outside of what is measured.
    fn fresh_out(&self) -> Result<&Path> {
        if self.out.is_dir() {
            fs::remove_dir_all(&self.out)?;
        }
        Ok(&self.out)
    }
}

fn repository_url(places: &Places) -> String {
    format!("{}/repository.git", places.server.url)
}

fn archive(places: &Places, ending: &str) -> String {
    text(&places.fixtures.top.join(format!("project.{ending}")))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn tool(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

fn git(arguments: &[&str], out: &Path) -> Command {
    let mut command = tool("git", arguments);
    command.arg(out);
    command
}

/// Tools that unpack want a directory that is there.
fn unpacked(program: &str, arguments: &[&str], places: &Places) -> Command {
    let mut command = tool("sh", &["-c", r#"mkdir "$0" && exec "$@" "$0""#]);
    command.arg(&places.out).arg(program).args(arguments);
    command
}

fn print_table(rows: &[Row], runs: usize) {
    println!("\nmedians of {runs}; seconds of wall time and of CPU, of the whole process group without the server\n");
    println!(
        "{:22} {:>8} {:>8} {:>6} {:>6}  {:>10} {:>8} {:>6} {:>6}  {:>11}",
        "case", "native", "sti", "ratio", "bound", "native CPU", "sti CPU", "ratio", "bound", "peak memory"
    );
    for Row { case, native, sti, peak_memory_kib } in rows {
        println!(
            "{:22} {:>8.3} {:>8.3} {:>6.2} {:>6.1}  {:>10.3} {:>8.3} {:>6.2} {:>6.1}  {:>7.1} MiB",
            case.name,
            native.wall,
            sti.wall,
            sti.wall / native.wall,
            case.bounds.1,
            native.cpu,
            sti.cpu,
            sti.cpu / native.cpu,
            case.bounds.0,
            peak_memory_kib / 1024.0,
        );
    }
}
