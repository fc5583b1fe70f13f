//! Scripts that fail: each runs once, is reported with its own exit code and last lines, whatever it says, and leaves the earlier product as it was.

use std::{thread, time::Duration};

use serde_json::Value;
use sti_tests::{Builder, Lab, Outcome, Signal, by_each_strategy, needs_engine};

use crate::{image, source};

by_each_strategy! {
    assemble_fails_by_its_own_code_whatever_it_says
    scripts_of_other_steps_fail_by_their_own_code
    what_is_no_script_is_told_before_it_runs
    a_variable_that_no_program_can_be_given_is_told
    signals_end_a_script_whose_output_is_unpacked
}

/// What shells and other programs say of a tool that is missing, and how they exit.
const FAILURES: [(&str, i64); 6] = [
    ("/bin/sh: tar: not found", 127),
    ("assemble: line 7: npm: command not found", 1),
    ("exec /usr/bin/tar: no such file or directory", 127),
    ("exec: \"tar\": executable file not found in $PATH", 126),
    ("/usr/libexec/s2i/assemble: permission denied", 255),
    ("OCI runtime exec failed: exec failed: no such file or directory", 2),
];

/// A build that failed in a script which said this, once, and ended with this code.
#[track_caller]
fn check_failed(outcome: &Outcome, condition: &str, script: &str, (said, code): (&str, i64)) {
    outcome.assert_error(1, condition, &[&format!("`{script}` failed with exit code {code}")]);
    let error = outcome.error();
    assert_eq!(error["script_exit"], code, "{outcome}");
    assert_eq!(
        error["last_lines"].as_array().and_then(|lines| lines.last()).and_then(|line| line.as_str()),
        Some(said),
        "{outcome}"
    );
    let times = outcome.events().iter().filter(|event| event["line"] == said).count();
    assert_eq!(times, 1, "{outcome}");
}

fn assemble_fails_by_its_own_code_whatever_it_says(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    lab.build(&source, &lab.builder(image()), "app", &["-m", strategy]).assert_success();
    let earlier = lab.image_id("app");
    for (said, code) in FAILURES {
        let builder = lab.builder(image().s2i("assemble", &format!("eprint '{said}'\nexit {code}")));
        let failed = lab.build(&source, &builder, "app", &["-m", strategy, "--json", "--debug"]);
        check_failed(&failed, "build-failed", "/usr/libexec/s2i/assemble", (said, code));
        let is_start = |event: &&Value| event["request"].as_str().is_some_and(|request| request.ends_with("/start"));
        assert!(failed.events().iter().filter(is_start).count() <= 1, "{failed}");
        // `--debug` keeps the container of a script that a container ran.
        lab.sti(["gc"]).assert_success();
        assert_eq!(lab.image_id("app"), earlier);
    }
}

fn scripts_of_other_steps_fail_by_their_own_code(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    let (said, code) = FAILURES[2];
    let fails = format!("eprint '{said}'\nexit {code}");
    let builder = lab.builder(image().s2i("save-artifacts", &fails));
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let earlier = lab.image_id("app");
    let failed = lab.build(&source, &builder, "app", &["-m", strategy, "--incremental=require", "--json"]);
    check_failed(&failed, "save-artifacts-failed", "/usr/libexec/s2i/save-artifacts", FAILURES[2]);
    let runtime = Builder::new().user("2002:8").by_assemble().config("WORKDIR /app").s2i("run", "cat /app/index.txt");
    let runtime = lab.builder(runtime.s2i("assemble-runtime", &fails));
    let flags = ["-m", strategy, "-R", &runtime, "-a", "/app/index.txt", "--json"];
    let failed = lab.build(&source, &builder, "app", &flags);
    check_failed(&failed, "build-failed", "/usr/libexec/s2i/assemble-runtime", FAILURES[2]);
    assert_eq!((lab.image_id("app"), lab.image_id(&format!("{}-build", lab.tag("app")))), (earlier, None));
    lab.assert_nothing_left();
}

fn what_is_no_script_is_told_before_it_runs(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    let plain = || Builder::new().user("1001:7").by_assemble().s2i("run", "cat /app/index.txt");
    let assemble = "/usr/libexec/s2i/assemble";
    let rows = [
        (plain(), "validation-failed", "assemble"),
        (plain().file(assemble, 0o644, "#!/usr/bin/fixture\n"), "validation-failed", "executable"),
        (plain().directory(assemble, 0o755), "validation-failed", assemble),
        (plain().link(assemble, "/nowhere"), "validation-failed", assemble),
        (plain().file(assemble, 0o755, "\u{7f}no program at all"), "build-failed", "format"),
        (plain().file(assemble, 0o755, "#!/bin/bash\nexit 0\n"), "build-failed", "interpreter"),
        (plain().s2i("assemble", "abort"), "build-failed", "was killed by SIG"),
    ];
    for (builder, condition, words) in rows {
        let failed = lab.build(&source, &lab.builder(builder), "app", &["-m", strategy, "--json"]);
        failed.assert_error(1, condition, &[words]);
    }
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

fn a_variable_that_no_program_can_be_given_is_told(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().s2i("assemble", "env LONG /app/long"));
    let with_value_of = |length: usize| {
        let value = "x".repeat(length);
        let source = lab.source(&[("index.txt", "hello"), (".s2i/environment", &format!("LONG={value}\n"))]);
        (lab.build(&source, &builder, "app", &["-m", strategy, "--json"]), value)
    };
    let (built, value) = with_value_of(60_000);
    built.assert_success();
    assert_eq!(lab.product_file("app", "/app/long"), Some(value));
    let earlier = lab.image_id("app");
    // As long as a Dockerfile cannot say, and then as long as Linux gives to no program.
    if strategy == "dockerfile" {
        for length in [65_530, 200_000] {
            with_value_of(length).0.assert_error(1, "validation-failed", &["`LONG`", "64 KiB", "--strategy commit"]);
        }
        assert_eq!(lab.image_id("app"), earlier);
    } else {
        with_value_of(200_000).0.assert_error(1, "build-failed", &["/usr/libexec/s2i/assemble", "128 KiB"]);
        assert_eq!(lab.image_id("app"), earlier);
        let (built, value) = with_value_of(100_000);
        built.assert_success();
        assert_eq!(lab.product_file("app", "/app/long"), Some(value));
    }
    lab.assert_nothing_left();
}

fn signals_end_a_script_whose_output_is_unpacked(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    let builder = lab.builder(image().s2i("save-artifacts", "eprint 'saving'\ntar /app\nsleep 120"));
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let earlier = lab.image_id("app");
    let tag = lab.tag("app");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut running = lab.start(["build", &source, &builder, &tag, "-m", strategy, "--incremental"]);
        running.wait_until_it_says("| saving");
        thread::sleep(Duration::from_millis(100));
        running.signal(signal);
        let outcome = lab.finish(running);
        outcome.assert_exit(code);
        assert!(outcome.time < Duration::from_secs(30), "{outcome}");
        assert_eq!(lab.image_id("app"), earlier);
        lab.assert_nothing_left();
    }
}
