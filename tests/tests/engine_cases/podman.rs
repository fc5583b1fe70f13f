//! A Podman of the test's own: storage, socket, mounts and networks of its own, gone with the value.

use std::{
    env,
    fs::File,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use sti_tests::Engine;
use tempfile::TempDir;

/// A service that does not answer within this time never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service that nobody asks anything for so long ends by itself: a test that is killed cannot end it.
const SECONDS_ALONE: &str = "180";

/// Podman's service for the time of a test.
pub(crate) struct Podman {
    service: Child,
    engine: Engine,
    _directory: TempDir,
}

impl Podman {
    /// Starts a service; or says why there is none to be had.
    pub(crate) fn start() -> Result<Self, String> {
        if !is_installed("podman") {
            install()?;
        }
        let mut refused = String::new();
        for storage in ["overlay", "vfs"] {
            match Self::start_on(storage) {
                Ok(podman) => return Ok(podman),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    /// The way to it.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    fn start_on(storage: &str) -> Result<Self, String> {
        let directory = tempfile::Builder::new().prefix("sti-podman-").tempdir().map_err(|error| error.to_string())?;
        let engine = Engine::at(&format!("unix://{}", directory.path().join("podman.sock").display()));
        let log = directory.path().join("log");
        let mut command = command(&directory, storage, engine.url());
        let errors = File::create(&log).map_err(|error| error.to_string())?;
        let service = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn();
        let service = service.map_err(|error| format!("podman cannot be started: {error}"))?;
        let mut podman = Self { service, engine, _directory: directory };
        if podman.answers() {
            return Ok(podman);
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        Err(format!("podman with `{storage}` does not answer: {}", said.lines().last().unwrap_or("it says nothing")))
    }

    fn answers(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE && self.service.try_wait().is_ok_and(|ended| ended.is_none()) {
            // It answers a ping before it knows whether it can work: so it is asked about its storage.
            if self.engine.answers() && self.engine.get("/images/json").is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // The first process of a namespace takes all others with it; elsewhere nothing runs any more, as the tests have made sure.
        let pid = Pid::from_child(&self.service);
        let _ = kill_process(pid, Signal::TERM);
        thread::sleep(Duration::from_millis(200));
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = self.service.wait();
    }
}

/// The service with all that it keeps below one directory. Root's gets namespaces of its own, so that no mount, bridge or process of it
/// outlives it or meets those of the machine.
fn command(directory: &TempDir, storage: &str, url: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "podman"]);
        command
    } else {
        Command::new("podman")
    };
    let place = |name: &str| directory.path().join(name);
    // What hosts without the other runtime's needs have.
    if is_installed("runc") {
        command.args(["--runtime", "runc"]);
    }
    command.args(["--storage-driver", storage, "--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
    command.arg("--root").arg(place("root")).arg("--runroot").arg(place("run")).arg("--tmpdir").arg(place("tmp"));
    command.arg("--network-config-dir").arg(place("networks"));
    command.args(["system", "service", "--time", SECONDS_ALONE, url]).process_group(0);
    command
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A machine of CI is given what is missing; a person's machine is left as it is.
fn install() -> Result<(), String> {
    if env::var("CI").as_deref() != Ok("true") || !geteuid().is_root() {
        return Err("podman is not installed".to_owned());
    }
    let answer = Command::new("apt-get").args(["install", "--yes", "podman"]).stdin(Stdio::null()).output();
    match answer {
        Ok(answer) if answer.status.success() && is_installed("podman") => Ok(()),
        Ok(answer) => Err(format!("podman cannot be installed: {}", String::from_utf8_lossy(&answer.stderr).trim())),
        Err(error) => Err(format!("podman is not installed, nor is apt-get: {error}")),
    }
}
