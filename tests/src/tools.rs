//! Programs of the machine that make what a test fetches.

use std::{path::Path, process::Command};

/// Runs a program in a directory and answers with what it prints, without the spaces around it. Git finds no settings of the user's, and
/// its authors are nobody.
#[track_caller]
pub fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.current_dir(directory).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@example.com");
    }
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text").trim().to_owned()
}
