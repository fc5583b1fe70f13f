//! Help pages, and the commands that tell about `sti` itself.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use serde_json::Value;
use sti_tests::{Builder, Lab, Outcome, needs_engine};

const COMMANDS: [&str; 11] =
    ["build", "plan", "fetch", "validate", "rebuild", "usage", "plugins", "gc", "create", "doctor", "version"];

fn document(outcome: &Outcome) -> Value {
    outcome.assert_success();
    assert_eq!(outcome.stderr, "");
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}\n{outcome}"))
}

fn check_page(name: &str, page: &Outcome) {
    page.assert_success();
    assert_eq!(page.stderr, "");
    assert!(page.stdout.lines().all(|line| line.chars().count() <= 100), "a line is too long\n{page}");
    insta::assert_snapshot!(name, page.stdout);
}

#[test]
fn every_command_has_a_page() {
    let lab = Lab::new();
    check_page("help", &lab.sti(["--help"]));
    check_page("help_short", &lab.sti(["-h"]));
    for command in COMMANDS {
        let page = lab.sti([command, "--help"]);
        check_page(&format!("help_{command}"), &page);
        lab.sti(["--help"]).assert_says(&format!("\n  {command} "));
    }
}

#[test]
fn a_call_without_a_command_shows_the_commands() {
    let lab = Lab::new();
    let none: [&str; 0] = [];
    let shown = lab.sti(none);
    shown.assert_exit(2);
    for command in COMMANDS {
        shown.assert_says(command);
    }
}

#[test]
fn version_tells_of_everything_that_matters() {
    needs_engine!();
    let lab = Lab::new();
    let said = lab.sti(["version"]);
    said.assert_success();
    for line in [
        "sti 0.1.0 (",
        "contract sti:host",
        "runtime wasmtime ",
        "plugin commit ",
        "plugin dockerfile ",
        "plugin contract ",
        "plugin archive ",
        "plugin git ",
        "plugin usage ",
        "engine ",
    ] {
        assert!(said.stdout.lines().any(|found| found.starts_with(line)), "no {line:?}\n{said}");
    }
    let version = document(&lab.sti(["version", "--json"]));
    assert_eq!(version["sti"], "0.1.0");
    let digests: Vec<_> =
        version["plugins"].as_array().unwrap().iter().map(|plugin| plugin["digest"].as_str().unwrap()).collect();
    assert!(digests.len() == 6 && digests.iter().all(|digest| said.stdout.contains(digest)), "{said}");
    assert!(version["engine"].is_object(), "{version}");
    assert_eq!(lab.sti(["--version"]).stdout, "sti 0.1.0\n");
}

#[test]
fn version_answers_without_an_engine() {
    let lab = Lab::new();
    let said = lab.sti(["version", "-U", "unix:///nowhere/engine.sock"]);
    said.assert_success().assert_says("engine none: ").assert_says("/nowhere/engine.sock");
}

#[test]
fn plugins_are_listed_with_the_digests_that_a_policy_vets() {
    let lab = Lab::new();
    let listed = lab.sti(["plugins"]);
    listed.assert_success();
    let document = document(&lab.sti(["plugins", "--json"]));
    let plugins = document["plugins"].as_array().unwrap();
    let names: Vec<_> = plugins.iter().map(|plugin| plugin["card"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["archive", "commit", "contract", "dockerfile", "git", "usage"]);
    for plugin in plugins {
        let digest = plugin["digest"].as_str().unwrap();
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{plugin}");
        listed.assert_says(digest).assert_says(plugin["card"]["summary"].as_str().unwrap());
    }
}

#[test]
fn doctor_finds_everything_well() {
    needs_engine!();
    let lab = Lab::new();
    let found = lab.sti(["doctor"]);
    found.assert_success();
    for check in ["engine", "leftovers", "sandbox", "policy", "fetchers", "cache", "state"] {
        assert!(found.stdout.lines().any(|line| line.starts_with("well") && line.contains(check)), "no {check}\n{found}");
    }
    let document = document(&lab.sti(["doctor", "--json"]));
    assert_eq!(document["well"], true);
}

#[test]
fn doctor_says_what_is_not_well_and_what_to_do() {
    let lab = Lab::new();
    let found = lab.sti(["doctor", "-U", "unix:///nowhere/engine.sock"]);
    found.assert_exit(1).assert_says("/nowhere/engine.sock").assert_says("hint: ");
    let well = found.stdout.lines().filter(|line| line.starts_with("well")).count();
    assert!(well >= 4, "the rest is looked at all the same\n{found}");
}

/// Permissions mean nothing to root: so the directory is one that nobody could make, below a file.
#[test]
fn a_home_that_keeps_nothing_costs_a_warning_and_no_build() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(Builder::new().prepare("copy /tmp/src /app").run("cat /app/index.txt"));
    let source = lab.source(&[("index.txt", "hello")]);
    let elsewhere = format!("{source}/index.txt/below");
    let mut command = lab.command();
    command.args(["build", &source, &builder, &lab.tag("app")]);
    command.env("XDG_CACHE_HOME", &elsewhere).env("XDG_STATE_HOME", &elsewhere);
    let built = lab.run_command(command);
    built.assert_success().assert_says("nothing can be kept in this home");
    assert_eq!(lab.run("app").output.stdout, "hello");
    let mut command = lab.command();
    command.arg("doctor").env("XDG_CACHE_HOME", &elsewhere);
    lab.run_command(command).assert_exit(1).assert_says(&elsewhere).assert_says("set XDG_CACHE_HOME");
    lab.assert_nothing_left();
}

#[test]
fn what_others_could_have_written_is_not_believed() {
    needs_engine!();
    let lab = Lab::new();
    for (variable, below) in [("XDG_CACHE_HOME", "sti/images"), ("XDG_STATE_HOME", "sti/builds")] {
        let home = lab.source(&[(&format!("{below}/"), "")]);
        fs::set_permissions(format!("{home}/{below}"), Permissions::from_mode(0o777)).unwrap();
        let mut command = lab.command();
        command.args(["validate", "nothing", "--json"]).env(variable, &home);
        lab.run_command(command).assert_error(
            2,
            "invalid-argument",
            &[below, "others can write in it (mode 0777)", "chmod 0700"],
        );
    }
}
