//! `sti build --run`: the product runs as it says itself, ends with what it ended with, and is stopped within seconds.

use std::time::{Duration, Instant};

use serde_json::Value;
use sti_tests::{Builder, Lab, Signal, by_each_strategy, needs_engine};

by_each_strategy! {
    a_product_runs_as_it_says_itself
}

/// "Within seconds", on a machine that does other things too: a program that heeds no signal gets five of its own.
const SECONDS: Duration = Duration::from_secs(20);

fn builder(run: &str) -> Builder {
    Builder::new().user("1001:7").prepare("copy /tmp/src /app").run(run).config("EXPOSE 8080/tcp")
}

fn a_product_runs_as_it_says_itself(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("whoami /tmp/who\ncat /tmp/who\neprint 'a word beside'\nenv A /tmp/a\ncat /tmp/a"));
    let source = lab.source(&[("index.txt", "hello")]);
    let ran = lab.build(&source, &image, "app", &["-m", strategy, "--run", "-e", "A=1"]);
    ran.assert_success().assert_says(&format!("==> running {} in sti-", lab.tag("app"))).assert_says("(8080/tcp)");
    let lines: Vec<_> = ran.stdout.lines().collect();
    let [built, who, variable] = lines[..] else { panic!("expected three lines\n{ran}") };
    assert!(built.starts_with("built ") && who.starts_with("uid=1001 gid=7 ") && variable == "1", "{ran}");
    assert!(ran.stderr.lines().any(|line| line == "a word beside"), "{ran}");
    assert!(lab.image_id("app").is_some());
    lab.assert_nothing_left();
}

#[test]
fn an_exit_code_of_its_own_is_a_failed_run_of_a_product_that_is_there() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("print 'as far as here'\nexit 42"));
    let source = lab.source(&[("index.txt", "hello")]);
    let ran = lab.build(&source, &image, "app", &["--run", "--json"]);
    ran.assert_error(1, "run-failed", &["failed with exit code 42", &lab.tag("app")]);
    let (error, id) = (ran.error(), lab.image_id("app").expect("it was built"));
    assert_eq!((&error["script_exit"], &error["last_lines"][0]), (&42.into(), &"as far as here".into()));
    let events: Vec<Value> = ran.events();
    let names: Vec<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(names.ends_with(&["built", "run-started", "run-output", "error"]), "{names:?}");
    let quiet = lab.build(&source, &image, "app", &["--run", "--quiet", "--clean"]);
    quiet.assert_exit(1);
    assert_eq!(quiet.stdout.trim_end(), lab.image_id("app").expect("it was built again"), "{quiet}");
    assert!(id.starts_with("sha256:"));
    lab.assert_nothing_left();
}

#[test]
fn a_product_that_cannot_run_is_told_as_such() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("print never").config("ENTRYPOINT [\"/usr/bin/nowhere\"]"));
    let source = lab.source(&[("index.txt", "hello")]);
    let ran = lab.build(&source, &image, "app", &["--run", "--json", "-m", "commit"]);
    ran.assert_error(1, "run-failed", &["cannot run `/usr/bin/nowhere`"]);
    assert!(lab.image_id("app").is_some());
    lab.assert_nothing_left();
}

#[test]
fn a_failed_build_runs_nothing() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("print 'it runs'").prepare("exit 3"));
    let source = lab.source(&[("index.txt", "hello")]);
    let ran = lab.build(&source, &image, "app", &["--run", "--json", "-m", "commit"]);
    ran.assert_error(1, "build-failed", &["exit code 3"]).assert_silent_about("it runs").assert_silent_about("run-started");
    lab.assert_nothing_left();
}

#[test]
fn without_network_the_product_has_none_either() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("list /sys/class/net -"));
    let source = lab.source(&[("index.txt", "hello")]);
    let with = lab.build(&source, &image, "app", &["--run", "-m", "commit"]);
    with.assert_success().assert_says(" eth0");
    let without = lab.build(&source, &image, "app", &["--run", "-m", "commit", "--network", "none"]);
    without.assert_success().assert_says(" lo").assert_silent_about("eth0");
    lab.assert_nothing_left();
}

#[test]
fn a_signal_stops_the_product_and_removes_its_container() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("print 'it runs'\nsleep 120"));
    let source = lab.source(&[("index.txt", "hello")]);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut running = lab.start(["build", &source, &image, &lab.tag("app"), "--run", "-m", "commit"]);
        running.wait_until_it_says("it runs");
        let begun = Instant::now();
        running.signal(signal);
        let outcome = lab.finish(running);
        outcome.assert_exit(code).assert_says("interrupted");
        assert!(begun.elapsed() < SECONDS, "{outcome}");
        assert!(lab.image_id("app").is_some(), "the build was done\n{outcome}");
        lab.assert_nothing_left();
    }
}

#[test]
fn a_killed_run_is_swept_by_the_next_build() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder("print 'it runs'\nsleep 120"));
    let source = lab.source(&[("index.txt", "hello")]);
    let mut running = lab.start(["build", &source, &image, &lab.tag("app"), "--run", "-m", "commit"]);
    running.wait_until_it_says("it runs");
    running.signal(Signal::KILL);
    lab.finish(running);
    assert!(!lab.leftovers().expect("an engine that answers").is_empty(), "its container was there");
    lab.sti(["gc"]).assert_success();
    lab.assert_nothing_left();
}
