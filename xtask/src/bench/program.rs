//! `sti` as it is measured: a process of its own, its events on standard output, and what `/proc` tells of it while it runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sti_test_engine::Engine;

use super::{Times, cases::Case};

/// The product that `sti` makes.
pub(super) const PRODUCT: &str = "sti-bench-sti:latest";

/// A built `sti` with a home of its own, in which its compiled plugins stay from run to run.
pub(super) struct Program {
    path: PathBuf,
    home: PathBuf,
}

/// One build, ready to be run again and again.
pub(super) struct Build<'a> {
    program: &'a Program,
    engine: &'a Engine,
    arguments: Vec<String>,
}

/// What was seen of `sti` besides time, in a run that is not timed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Observed {
    pub(super) requests: u64,
    pub(super) peak_memory_kib: f64,
    pub(super) temporary_bytes: u64,
}

impl Program {
    /// The program at `path`, with a fresh home below `directory`.
    pub(super) fn new(path: PathBuf, directory: &Path) -> Result<Self> {
        let home = directory.join("home");
        if home.is_dir() {
            fs::remove_dir_all(&home)?;
        }
        fs::create_dir_all(home.join("temp"))?;
        fs::create_dir_all(home.join("run"))?;
        Ok(Self { path, home })
    }

    /// From the start of the process to the answers of all shipped plugins: `sti plugins`, with compiled code present.
    pub(super) fn start(&self) -> Result<Duration> {
        let once = || -> Result<Duration> {
            let began = Instant::now();
            let answer = self.command().arg("plugins").output()?;
            ensure!(answer.status.success(), "sti plugins: {}", String::from_utf8_lossy(&answer.stderr));
            Ok(began.elapsed())
        };
        once()?;
        let mut times = (0..51).map(|_| once()).collect::<Result<Vec<_>>>()?;
        times.sort();
        Ok(times[times.len() / 2])
    }

    /// A build of a case.
    pub(super) fn build<'a>(&'a self, engine: &'a Engine, source: &Path, builder: &str, case: &Case) -> Build<'a> {
        let source = source.display().to_string();
        let mut arguments = ["build", &source, builder, PRODUCT, "--strategy", "commit", "--json"].map(str::to_owned).to_vec();
        arguments.extend(case.contract.flag(case.artifacts.is_some()).map(str::to_owned));
        Build { program: self, engine, arguments }
    }

    /// The program, with this home and nothing else around it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().env("HOME", &self.home).env("TMPDIR", self.temporary()).env("XDG_RUNTIME_DIR", self.home.join("run"));
        command
    }

    fn temporary(&self) -> PathBuf {
        self.home.join("temp")
    }
}

impl Build<'_> {
    /// Builds once. The product of the time before is removed afterwards, outside of what is measured.
    pub(super) fn run(&self) -> Result<Times> {
        let before = self.product()?;
        let began = Instant::now();
        let mut child = self.spawn(&[])?;
        let mut answer = None;
        for line in events(&mut child)? {
            if line?.contains("\"event\":\"built\"") {
                answer = Some(began.elapsed());
            }
        }
        self.succeeded(child)?;
        let end = began.elapsed();
        self.forget(before)?;
        Ok(Times { answer: answer.context("sti told of no product")?, end })
    }

    /// Builds once more and looks at the process while it does.
    pub(super) fn observe(&self) -> Result<Observed> {
        let before = self.product()?;
        let mut child = self.spawn(&["--debug"])?;
        let lines = events(&mut child)?;
        let reader = thread::spawn(move || {
            lines.map_while(Result::ok).filter(|line| line.contains("\"event\":\"engine-request\"")).count()
        });
        let mut observed = Observed::default();
        while child.try_wait()?.is_none() {
            observed.look_at(child.id(), &self.program.temporary());
            thread::sleep(Duration::from_millis(2));
        }
        observed.requests = u64::try_from(reader.join().ok().context("the reading thread panicked")?)?;
        self.succeeded(child)?;
        self.forget(before)?;
        Ok(observed)
    }

    fn spawn(&self, more: &[&str]) -> Result<Child> {
        let mut command = self.program.command();
        command.args(&self.arguments).args(more).arg("--url").arg(self.engine.url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command.spawn().with_context(|| self.program.path.display().to_string())
    }

    fn succeeded(&self, mut child: Child) -> Result<()> {
        let status = child.wait()?;
        ensure!(status.success(), "sti {} failed with {status}", self.arguments.join(" "));
        Ok(())
    }

    fn product(&self) -> Result<Option<String>> {
        let found = self.engine.find(&format!("/images/{PRODUCT}/json"))?;
        Ok(found.and_then(|image: Value| image["Id"].as_str().map(str::to_owned)))
    }

    fn forget(&self, before: Option<String>) -> Result<()> {
        before.map_or(Ok(()), |id| self.engine.remove_image(&id))
    }
}

fn events(child: &mut Child) -> Result<std::io::Lines<BufReader<std::process::ChildStdout>>> {
    Ok(BufReader::new(child.stdout.take().context("standard output was asked for")?).lines())
}

impl Observed {
    /// Takes the highest of what was seen so far and what is seen now. A process that has just ended tells nothing.
    fn look_at(&mut self, process: u32, temporary: &Path) {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        self.peak_memory_kib = self.peak_memory_kib.max(peak.unwrap_or(0.0));
        self.temporary_bytes = self.temporary_bytes.max(size_of(temporary) + size_of_deleted(process));
    }
}

/// What lies below a directory.
fn size_of(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// Files that have no name any more and are still open; but those that never had one lie in memory, and count there.
fn size_of_deleted(process: u32) -> u64 {
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let is_deleted = |entry: &fs::DirEntry| {
        let target = fs::read_link(entry.path()).unwrap_or_default().to_string_lossy().into_owned();
        target.ends_with(" (deleted)") && !target.starts_with("/memfd:")
    };
    open.filter(is_deleted)
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .filter(fs::Metadata::is_file)
        .map(|found| found.len())
        .sum()
}
