//! What a command costs: wall time, and the processor time of all its processes, as the shell tells them.

use std::{
    fmt, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// Seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    pub(super) wall: f64,
    pub(super) cpu: f64,
}

/// The last line on standard error is the shell's.
const TIMED: &str = r#"TIMEFORMAT="%3R %3U %3S"; time "$0" "$@""#;

impl Spent {
    /// The median of each, on its own.
    pub(super) fn median(all: &[Self]) -> Self {
        let middle = |of: fn(&Self) -> f64| {
            let mut sorted = all.iter().map(of).collect::<Vec<_>>();
            sorted.sort_by(f64::total_cmp);
            sorted[sorted.len() / 2]
        };
        Self { wall: middle(|spent| spent.wall), cpu: middle(|spent| spent.cpu) }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.3} s (CPU {:.3} s)", self.wall, self.cpu)
    }
}

/// Runs a command that makes a directory, which is not there yet.
pub(super) fn run(command: &Command, out: &Path) -> Result<Spent> {
    ensure!(!out.exists(), "{} is there already", out.display());
    let mut timed = Command::new("bash");
    timed.args(["-c", TIMED]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let output = timed.stdin(Stdio::null()).output().context("bash, whose `time` is the clock")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {said}");
    let numbers = said.lines().last().unwrap_or_default().split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>();
    let [wall, user, system] = numbers.context("no times")?[..] else { anyhow::bail!("no times: {said}") };
    Ok(Spent { wall, cpu: user + system })
}

/// Runs a command once more, and answers with its peak memory in KiB.
pub(super) fn run_and_watch(mut command: Command, out: &Path) -> Result<f64> {
    ensure!(!out.exists(), "{} is there already", out.display());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        // A process that has just ended tells nothing.
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let told = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(told.unwrap_or(0.0));
        thread::sleep(Duration::from_millis(1));
    }
    Ok(peak)
}
