//! `sti plan`: says what a build would do, does none of it, and is kept to by the build.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};
use sti_core::Plan;
use sti_tests::{Body, Builder, Lab, Outcome, needs_engine};

const CREATED: &str = "org.opencontainers.image.created";

fn builder() -> Builder {
    Builder::new()
        .user("1001")
        .prepare("copy /tmp/src /app\ncopy /tmp/src /tmp/build")
        .run("cat /app/index.txt")
        .save("print saved")
}

fn source(lab: &Lab) -> String {
    lab.source(&[("index.txt", "hello")])
}

fn plan(lab: &Lab, source: &str, builder: &str, further: &[&str]) -> Outcome {
    lab.sti([&["plan", source, builder, &lab.tag("app")], further].concat())
}

/// A plan as JSON, without the one label that tells the time. A reader of the library understands it and says the same again.
fn parsed(json: &str) -> Value {
    let mut value: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let read: Plan = serde_json::from_value(value.clone()).expect("a plan");
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
    take_times_away(&mut value);
    value
}

fn take_times_away(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.retain(|value| value["name"] != json!(CREATED));
            values.iter_mut().for_each(take_times_away);
        }
        Value::Object(members) => members.values_mut().for_each(take_times_away),
        _ => {}
    }
}

fn titles(plan: &Value) -> Vec<String> {
    plan["steps"].as_array().unwrap().iter().map(|step| step["title"].as_str().unwrap().to_owned()).collect()
}

/// The titles of the steps that a build told of, in any order: some run side by side.
fn steps_done(built: &Outcome) -> BTreeSet<String> {
    let events = built.events();
    let started = events.iter().filter(|event| event["event"] == "step-started");
    started.map(|event| event["title"].as_str().unwrap().to_owned()).collect()
}

/// How many containers were started from images of the lab.
fn started(lab: &Lab) -> usize {
    let filters = format!("{{\"event\":[\"start\"],\"label\":[\"{}\"]}}", lab.label());
    let escaped = filters.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let path = format!("/events?since={}&until={now}&filters={escaped}", now - 600);
    let mut answer = lab.engine().send("GET", &path, Body::None).unwrap().good().unwrap();
    answer.text().unwrap().lines().count()
}

fn check_that_a_build_keeps_to_its_plan(strategy: &str) {
    let lab = Lab::new();
    let (builder, runtime) = (lab.builder(builder()), lab.builder(builder()));
    let source = source(&lab);
    let dir = lab.root().join("generated").to_str().unwrap().to_owned();
    let extended = ["-R", runtime.as_str()];
    for kind in [&[][..], &[], &extended, &extended] {
        let arguments = [&["-m", strategy, "-e", "A=1", "--label", "team=web"], kind].concat();
        let planned = plan(&lab, &source, &builder, &[&arguments[..], &["--json"]].concat());
        planned.assert_success();
        let planned = parsed(&planned.stdout);
        let built = lab.build(&source, &builder, "app", &[&arguments[..], &["--dir", &dir, "--json"]].concat());
        built.assert_success();
        assert_eq!(parsed(&fs::read_to_string(format!("{dir}/plan.json")).unwrap()), planned);
        assert_eq!(steps_done(&built), titles(&planned).into_iter().collect());
    }
    lab.assert_nothing_left();
}

#[test]
fn a_build_by_commit_keeps_to_its_plan() {
    needs_engine!();
    check_that_a_build_keeps_to_its_plan("commit");
}

#[test]
fn a_build_by_dockerfile_keeps_to_its_plan() {
    needs_engine!();
    check_that_a_build_keeps_to_its_plan("dockerfile");
}

#[test]
fn planning_starts_nothing_and_leaves_nothing() {
    needs_engine!();
    for strategy in ["commit", "dockerfile"] {
        let lab = Lab::new();
        let builder = lab.builder(builder());
        let source = source(&lab);
        let before = lab.names_and_ids();
        plan(&lab, &source, &builder, &["-m", strategy]).assert_success();
        plan(&lab, &source, &builder, &["-m", strategy, "--json"]).assert_success();
        assert_eq!(lab.names_and_ids(), before);
        assert_eq!(started(&lab), 0);
        lab.assert_nothing_left();
        lab.build(&source, &builder, "app", &["-m", "commit"]).assert_success();
        assert!(started(&lab) > 0, "a started container would have been seen");
    }
}

#[test]
fn the_same_request_gives_the_same_plan() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder());
    let source = source(&lab);
    for strategy in ["commit", "dockerfile"] {
        let further = ["-m", strategy, "-e", "B=2", "-e", "A=1", "--label", "z=1", "--label", "a=2", "--json"];
        let plans = [(); 2].map(|()| plan(&lab, &source, &builder, &further).stdout);
        let lines = |text: &str| text.lines().filter(|line| !line.contains("Z\"")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(&plans[0]), lines(&plans[1]));
        assert_eq!(parsed(&plans[0]), parsed(&plans[1]));
    }
    lab.assert_nothing_left();
}

#[test]
fn a_plan_reads_well() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, runtime) = (lab.builder(builder()), lab.builder(builder().user("2002")));
    let source = source(&lab);
    lab.build(&source, &builder, "app", &["-m", "commit", "-R", &runtime]).assert_success();
    for strategy in ["commit", "dockerfile"] {
        let planned = plan(&lab, &source, &builder, &["-m", strategy, "-R", &runtime, "-e", "A=1", "--network", "none"]);
        planned.assert_success();
        insta::assert_snapshot!(format!("plan_by_{strategy}"), without_what_changes(&lab.scrub(&planned.stdout)));
    }
    lab.assert_nothing_left();
}

/// The time of the build is in a label, and the digest of the plugin changes with every line of it.
fn without_what_changes(text: &str) -> String {
    let line = |line: &str| match line.split_once(CREATED) {
        Some((before, _)) => format!("{before}{CREATED} [time]"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_would_fail_before_the_first_step_fails_in_a_plan_too() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(Builder::new().run("print run"));
    plan(&lab, &source(&lab), &builder, &["--json"]).assert_condition(1, "validation-failed");
    plan(&lab, "/no/such/source", &builder, &["--json"]).assert_condition(2, "source-not-found");
    let absent = lab.tag("absent");
    plan(&lab, &source(&lab), &absent, &["--json", "--pull", "never"]).assert_condition(5, "no-such-builder-image");
    lab.assert_nothing_left();
}
