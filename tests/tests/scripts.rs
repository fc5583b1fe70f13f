//! Scripts that fail, die, print too much or what a terminal would obey: their exit code and last lines are told, and nothing is lost.
#![expect(clippy::disallowed_methods, reason = "a test looks at processes and files by itself")]

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};
use sti_tests::{Builder, Fault, Lab, Outcome, Proxy, When, needs_engine};

const STRATEGIES: [&str; 2] = ["commit", "dockerfile"];

/// More than `sti` takes for all its work, and far less than the scripts print.
const MOST_MEMORY: u64 = 60 << 20;

fn builder_that(prepare: &str) -> Builder {
    Builder::new().user("1001").prepare(prepare).run("cat /app/index.txt")
}

/// Builds with a failing script, by each strategy, and holds the error against how the script ended.
fn check_fails(prepare: &str, script_exits: &[i64], words: &[&str], last_line: &str) {
    let lab = Lab::new();
    let builder = lab.builder(builder_that(prepare));
    let source = lab.source(&[("index.txt", "hello")]);
    let before = lab.image_id(&builder);
    for strategy in STRATEGIES {
        let outcome = lab.build(&source, &builder, "app", &["--strategy", strategy, "--json"]);
        outcome.assert_error(1, "build-failed", words);
        let error = outcome.error();
        assert!(script_exits.iter().any(|code| error["script_exit"] == *code), "{outcome}");
        let last_lines = error["last_lines"].as_array().cloned().unwrap_or_default();
        assert_eq!(last_lines.last().and_then(Value::as_str), Some(last_line), "{outcome}");
        let text = lab.build(&source, &builder, "app", &["--strategy", strategy]);
        text.assert_exit(1).assert_says(last_line).assert_says(words[0]);
        assert_eq!((lab.image_id("app"), lab.image_id(&builder)), (None, before.clone()));
        lab.assert_nothing_left();
    }
}

#[test]
fn a_failing_prepare_is_told_with_its_exit_code_and_last_lines() {
    needs_engine!();
    check_fails(
        "print 'compiling'\nsleep 0.5\neprint 'no such module'\nexit 7",
        &[7],
        &["exit code 7", "/usr/bin/prepare"],
        "no such module",
    );
}

#[test]
fn a_prepare_that_a_signal_killed_is_told_with_the_signal() {
    needs_engine!();
    check_fails("print 'about to die'\nabort", &[134, 139, 132], &["was killed by SIG", "/usr/bin/prepare"], "about to die");
}

#[test]
fn a_prepare_that_was_killed_from_outside_is_told_apart_from_one_that_ran_out_of_memory() {
    needs_engine!();
    for (out_of_memory, words) in [(false, "was killed by SIGKILL"), (true, "ran out of memory")] {
        let lab = Lab::new();
        let proxy = Proxy::before_engine(lab.engine(), &lab.root().join("proxy.sock"));
        let builder = lab.builder(builder_that("print 'hungry'\nsleep 100"));
        let source = lab.source(&[("index.txt", "hello")]);
        let arguments = ["build", &source, &builder, &lab.tag("app"), "--strategy", "commit", "--json", "-U", proxy.url()];
        let mut running = lab.start(arguments);
        running.wait_until_it_says(r#""line":"hungry""#);
        // A kernel that limits memory cannot be had everywhere: the engine's word that it did is put into its mouth.
        let state = format!(r#"{{"Id":"x","State":{{"OOMKilled":{out_of_memory}}}}}"#);
        proxy.begin([(When::Holds("/json"), Fault::Answer(200, state))]);
        lab.engine().post(&format!("/containers/{}/kill?signal=KILL", running_container(&lab)), &json!({})).unwrap();
        let outcome = lab.finish(running);
        outcome.assert_error(1, "build-failed", &["/usr/bin/prepare", words]);
        assert_eq!(outcome.error()["script_exit"], 137, "{outcome}");
        lab.assert_nothing_left();
    }
}

/// The one container of the lab that runs.
fn running_container(lab: &Lab) -> String {
    let running = lab.engine().get("/containers/json").expect("an engine that answers");
    let label = lab.label().split_once('=').expect("a label with a value");
    let of_lab = |container: &&Value| container["Labels"][label.0] == label.1;
    let found = running.as_array().into_iter().flatten().find(of_lab).expect("a container of the lab runs");
    found["Id"].as_str().expect("a container has an id").to_owned()
}

#[test]
fn a_hundred_megabytes_of_output_take_no_memory() {
    needs_engine!();
    for (strategy, prepare) in [("commit", "flood 100000000"), ("commit", "endless 100000000"), ("dockerfile", "flood 20000000")]
    {
        let lab = Lab::new();
        let builder = lab.builder(builder_that(&format!("{prepare}\ncopy /tmp/src /app")));
        let source = lab.source(&[("index.txt", "hello")]);
        let (outcome, peak) = with_peak_of_memory(&lab, &["build", &source, &builder, &lab.tag("app"), "--strategy", strategy]);
        outcome.assert_success();
        let printed = outcome.stderr.bytes().filter(|byte| *byte == b'.').count();
        assert!(printed >= 19_000_000, "{printed} dots arrived");
        assert!(peak < MOST_MEMORY, "{prepare}: {peak} bytes");
        assert_eq!(lab.run("app").output.stdout, "hello");
        lab.assert_nothing_left();
    }
}

/// Runs `sti` and watches the kernel's high-water mark of it.
fn with_peak_of_memory(lab: &Lab, arguments: &[&str]) -> (Outcome, u64) {
    let running = lab.start(arguments);
    let status = format!("/proc/{}/status", running.id());
    let watch = thread::spawn(move || {
        let mut peak = 0;
        while let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark) {
            peak = peak.max(now);
            thread::sleep(Duration::from_millis(20));
        }
        peak
    });
    (lab.finish(running), watch.join().expect("the watch does not panic"))
}

/// A process that has ended has none.
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[test]
fn control_sequences_of_a_script_reach_no_terminal() {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let fine = lab.builder(builder_that("escape\ncopy /tmp/src /app"));
    let failing = lab.builder(builder_that("escape\nexit 3"));
    for strategy in STRATEGIES {
        for (builder, code) in [(&fine, 0), (&failing, 1)] {
            for more in [&["--strategy", strategy][..], &["--strategy", strategy, "--json"]] {
                let outcome = lab.build(&source, builder, "app", more);
                outcome.assert_exit(code).assert_says("harmless").assert_says("written");
                let bad = |letter: char| letter.is_control() && letter != '\n';
                assert!(!outcome.stdout.contains(bad) && !outcome.stderr.contains(bad), "{outcome:?}");
            }
        }
    }
    lab.assert_nothing_left();
}

#[test]
fn a_last_line_without_an_end_is_told_like_any_other() {
    needs_engine!();
    check_fails("write /app/words 'half a line'\ncat /app/words\nexit 5", &[5], &["exit code 5"], "half a line");
}

#[test]
fn processes_that_a_script_leaves_behind_hold_nothing_up() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("background 120\ncopy /tmp/src /app\nprint 'prepared'"));
    let source = lab.source(&[("index.txt", "hello")]);
    for strategy in STRATEGIES {
        let outcome = lab.build(&source, &builder, "app", &["--strategy", strategy]);
        outcome.assert_success().assert_says("prepared");
        assert!(outcome.time < Duration::from_mins(1), "{outcome}");
        assert_eq!(lab.run("app").output.stdout, "hello");
    }
    lab.assert_nothing_left();
}

#[test]
fn a_failing_save_artifacts_ends_the_build_and_the_earlier_product_stays() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("copy /tmp/src /app").save("eprint 'disk on fire'\nexit 9"));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["--strategy", "commit"]).assert_success();
    let earlier = lab.image_id("app");
    for strategy in STRATEGIES {
        let outcome = lab.build(&source, &builder, "app", &["--strategy", strategy, "--json"]);
        outcome.assert_error(1, "save-artifacts-failed", &["save-artifacts", "exit code 9"]).assert_says("disk on fire");
        assert_eq!(lab.image_id("app"), earlier);
    }
    lab.assert_nothing_left();
}
