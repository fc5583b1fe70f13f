//! Tests that cannot run here: each says so by name, in the test's output and in a list that `cargo xtask test` prints at its end.

use std::{env, fs::OpenOptions, io::Write, path::PathBuf, process::Command, thread};

use crate::Engine;

/// Whether an engine answers. Where none does the test is written down as skipped; with `CI=true` it fails.
pub fn can_run() -> bool {
    let engine = Engine::of_environment();
    if engine.answers() {
        return true;
    }
    let why = format!("{}: no engine answers at {}", name_of_test(), engine.url());
    assert!(env::var("CI").as_deref() != Ok("true"), "{why}, and CI=true lets nothing be skipped");
    eprintln!("skipped: {why}");
    write_down(&why).expect("the list of skipped tests can be written");
    false
}

/// Writes down a test that needs what this machine cannot be given. That fails nobody, not even with `CI=true`: the list tells it apart
/// by its first words, which `cargo xtask test` knows.
pub fn cannot_be_had(why: &str) {
    let why = format!("not to be had here: {}: {why}", name_of_test());
    eprintln!("skipped: {why}");
    write_down(&why).expect("the list of skipped tests can be written");
}

/// Whether a program that a test needs is there. Where it is not, the test is written down as skipped; with `CI=true` the Debian package
/// that has it is installed, or the test fails.
pub fn can_have(program: &str, package: &str) -> bool {
    // Daemons lie where ordinary users do not look.
    let places =
        || env::split_paths(&env::var_os("PATH").unwrap_or_default()).chain([PathBuf::from("/usr/sbin")]).collect::<Vec<_>>();
    let is_there = || places().iter().any(|place| place.join(program).is_file());
    let is_ci = env::var("CI").as_deref() == Ok("true");
    if !is_there() && is_ci {
        let installed = Command::new("apt-get").args(["install", "-y", "--no-install-recommends", package]).status();
        assert!(installed.is_ok_and(|status| status.success()), "CI=true, and `apt-get install {package}` does not work");
    }
    if is_there() {
        return true;
    }
    let why = format!("{}: there is no `{program}`; Debian has it in the package `{package}`", name_of_test());
    eprintln!("skipped: {why}");
    write_down(&why).expect("the list of skipped tests can be written");
    false
}

/// The test that calls, as cargo prints it: the harness names each test's thread after it.
pub fn name_of_test() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}

fn write_down(why: &str) -> std::io::Result<()> {
    let Some(path) = env::var_os("STI_SKIPPED").map(PathBuf::from) else { return Ok(()) };
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(file, "{why}")
}
