//! An engine of the benchmark's own: overlay2 on a journaled ext4 in a sparse file, in a network namespace of its own. The machine's
//! engine may hide what is compared, and is somebody else's.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sti_test_engine::Engine;

/// What is called to make it.
const TOOLS: &[&str] = &["dockerd", "mkfs.ext4", "mount", "umount", "unshare"];

/// The size of its disk; sparse, so that only what is written is used.
const DISK: u64 = 16 << 30;

/// A running engine. Dropping it stops it and removes its disk.
pub(super) struct OwnEngine {
    directory: PathBuf,
    engine: Engine,
    daemon: Option<Child>,
}

impl OwnEngine {
    /// Starts one, with everything it keeps in `directory`.
    pub(super) fn start(directory: &Path) -> Result<Self> {
        refuse_where_impossible()?;
        fs::create_dir_all(directory.join("data"))?;
        let engine = Engine::at(&format!("unix://{}/docker.sock", directory.display()));
        ensure!(!engine.answers(), "an engine answers at {} already: does another benchmark run?", engine.url());
        let mut own = Self { directory: directory.to_path_buf(), engine, daemon: None };
        own.make_disk()?;
        own.daemon = Some(own.spawn()?);
        own.wait_until_it_answers()?;
        println!("an engine of its own answers at {}", own.engine.url());
        Ok(own)
    }

    /// Where it answers.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    fn make_disk(&self) -> Result<()> {
        let disk = self.directory.join("disk.img");
        File::create(&disk)?.set_len(DISK)?;
        tool(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk))?;
        tool(Command::new("mount").args(["-o", "loop"]).arg(&disk).arg(self.directory.join("data")))
    }

    fn spawn(&self) -> Result<Child> {
        let place = |name: &str| self.directory.join(name);
        fs::write(place("daemon.json"), "{}")?;
        let log = File::create(place("log"))?;
        // In a network namespace of its own: next to another daemon it would take that one's bridge and rules for its own.
        let mut unshare = Command::new("unshare");
        unshare.args(["-n", "dockerd", "--config-file"]).arg(place("daemon.json"));
        unshare.arg("--data-root").arg(place("data/docker")).arg("--exec-root").arg(place("run"));
        unshare.arg("--pidfile").arg(place("pid")).args(["-H", self.engine.url(), "--storage-driver", "overlay2"]);
        unshare.args(["--bip", "172.30.0.1/24", "--iptables=false", "--ip-masq=false", "--ip-forward=false"]);
        unshare.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        unshare.spawn().context("dockerd cannot be started")
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let began = Instant::now();
        while !self.engine.answers() {
            let ended = self.daemon.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || began.elapsed() > Duration::from_secs(30) {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                let last = log.lines().rev().take(5).collect::<Vec<_>>();
                bail!("the engine does not start:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(daemon) = &mut self.daemon {
            // `unshare -n` becomes dockerd, so that the child is the daemon itself.
            tool(Command::new("kill").arg(daemon.id().to_string()))?;
            daemon.wait()?;
        }
        let mounts = fs::read_to_string("/proc/mounts")?;
        let below = format!("{}/", self.directory.display());
        let mut ours =
            mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|path| path.starts_with(&below)).collect::<Vec<_>>();
        ours.sort_by_key(|path| std::cmp::Reverse(path.len()));
        for path in ours {
            tool(Command::new("umount").arg("-l").arg(path))?;
        }
        // One file system only: should something still be mounted there, it is not emptied.
        tool(Command::new("rm").args(["-rf", "--one-file-system"]).arg(&self.directory))
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("the benchmark's engine in {} cannot be removed: {error:#}", self.directory.display());
        }
    }
}

fn refuse_where_impossible() -> Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let is_root =
        status.lines().find_map(|line| line.strip_prefix("Uid:")).is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"));
    ensure!(is_root, "an engine of its own takes root; run as root, or name an engine with `--url`");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |tool: &str| {
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]).any(|folder| folder.join(tool).is_file())
    };
    let missing = TOOLS.iter().filter(|tool| !is_there(tool)).copied().collect::<Vec<_>>();
    ensure!(
        missing.is_empty(),
        "an engine of its own takes {}, missing here; or name an engine with `--url`",
        missing.join(", ")
    );
    Ok(())
}

fn tool(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} failed with {status}");
    Ok(())
}
