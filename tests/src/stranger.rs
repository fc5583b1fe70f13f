//! `sti` as a user without rights, because root may read everything. Where the tests themselves have no rights, it is they.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
};

use crate::{Lab, Outcome, Proxy, built_sti};

/// Nobody, on most machines.
const NOBODY: u32 = 65534;

/// Somebody without rights, who may use the engine through a socket of the lab.
#[derive(Debug)]
pub struct Stranger {
    engine: Proxy,
    program: PathBuf,
}

impl Stranger {
    /// Lets a stranger into the lab: to its directory, and to a home of their own.
    pub fn of(lab: &Lab) -> Self {
        fs::set_permissions(lab.root(), Permissions::from_mode(0o755)).expect("a directory of our own");
        // The target directory may lie where strangers do not come.
        let program = lab.root().join("sti");
        fs::copy(built_sti(), &program).expect("a program that was built");
        let home = lab.root().join("strangers-home");
        fs::create_dir(&home).expect("a directory of a new name");
        if rustix::process::geteuid().is_root() {
            chown(&home, Some(NOBODY), Some(NOBODY)).expect("root may do so");
        }
        Self { engine: Proxy::before_engine(lab.engine(), &lab.root().join("strangers.sock")), program }
    }

    /// Runs `sti` as the stranger, to its end.
    #[track_caller]
    pub fn sti<A: AsRef<OsStr>>(&self, lab: &Lab, arguments: impl IntoIterator<Item = A>) -> Outcome {
        let mut command = lab.command_of(&self.program);
        command.args(arguments).env("DOCKER_HOST", self.engine.url()).env("HOME", lab.root().join("strangers-home"));
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "TMPDIR"] {
            command.env_remove(name);
        }
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        lab.run_command(command)
    }
}
