//! How a build is told: to people, to scripts by `-q`, to machines by `--json`; and what `--debug` counts.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::fs;

use serde_json::Value;
use sti_tests::{Builder, Lab, Outcome, by_each_strategy, needs_engine};

by_each_strategy! {
    quiet_prints_the_id_of_the_product_and_nothing_else
    json_is_one_event_a_line
    few_requests_are_sent_to_the_engine
    what_is_generated_is_kept_where_it_is_wanted
}

/// The most requests of a warm build, which is one that asks nothing of a builder image that an earlier build did not ask: a plain one, and
/// the first incremental one after it.
const MOST_REQUESTS: [(&str, usize); 2] = [("plain", 12), ("incremental", 20)];

fn plain() -> Builder {
    let prepare = "print 'out of prepare'\neprint 'error of prepare'\nwrite /app/index.txt hello";
    Builder::new().user("1001").prepare(prepare).run("cat /app/index.txt")
}

fn source(lab: &Lab) -> String {
    lab.source(&[("index.txt", "hello")])
}

fn quiet_prints_the_id_of_the_product_and_nothing_else(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let built = lab.build(&source(&lab), &builder, "app", &["-m", strategy, "-q"]);
    built.assert_success();
    assert_eq!((built.stdout.as_str(), built.stderr.as_str()), (&*format!("{}\n", lab.image_id("app").unwrap()), ""));
    lab.assert_nothing_left();
}

/// The events of one kind.
fn of_kind(events: &[Value], kind: &str) -> Vec<Value> {
    events.iter().filter(|event| event["event"] == kind).cloned().collect()
}

fn json_is_one_event_a_line(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let built = lab.build(&source(&lab), &builder, "app", &["-m", strategy, "--json"]);
    built.assert_success();
    assert_eq!(built.stderr, "");
    let events = built.events();
    assert!(events.iter().all(|event| event["event"].is_string()), "{built}");
    assert!(of_kind(&events, "engine-request").is_empty(), "requests are told with --debug only\n{built}");
    let (started, finished) = (of_kind(&events, "step-started"), of_kind(&events, "step-finished"));
    assert!(started.len() == 1 && finished.len() == 1 && started[0]["step"] == finished[0]["step"], "{built}");
    let lines: Vec<_> = of_kind(&events, "output").into_iter().map(|event| event["line"].clone()).collect();
    for line in ["out of prepare", "error of prepare"] {
        assert!(lines.iter().any(|found| found == line), "no {line:?} in {lines:?}");
    }
    let answers = of_kind(&events, "built");
    assert_eq!(answers.len(), 1, "{built}");
    assert_eq!(
        (answers[0]["tag"].as_str(), answers[0]["image"].as_str()),
        (Some(&*lab.tag("app")), lab.image_id("app").as_deref())
    );
    lab.assert_nothing_left();
}

/// How many requests were told, which is what the last one's number says too.
fn requests(built: &Outcome) -> usize {
    built.assert_success();
    let told = of_kind(&built.events(), "engine-request");
    let last = told.iter().filter_map(|request| request["number"].as_u64()).max().unwrap_or_default();
    assert_eq!(told.len() as u64, last, "every request is told\n{built}");
    assert!(last > 3, "requests are counted\n{built}");
    told.len()
}

fn few_requests_are_sent_to_the_engine(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().save("write /tmp/artifacts/kept.txt kept"));
    let source = source(&lab);
    let build = |name: &str| lab.build(&source, &builder, name, &["-m", strategy, "--json", "--debug"]);
    // What can be known of the builder image is learned in a build of another name.
    build("other").assert_success();
    let plain = build("app");
    for ((kind, most), built) in MOST_REQUESTS.into_iter().zip([plain, build("app")]) {
        assert_eq!(kind == "incremental", built.stdout.contains("incremental build"), "{built}");
        let sent = requests(&built);
        assert!(sent <= most, "{sent} requests for a build that is {kind}, more than {most}\n{built}");
    }
    lab.assert_nothing_left();
}

fn what_is_generated_is_kept_where_it_is_wanted(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let dir = lab.root().join("generated/below").to_str().unwrap().to_owned();
    for round in ["1", "2"] {
        let variable = format!("ROUND={round}");
        lab.build(&source(&lab), &builder, "app", &["-m", strategy, "--dir", &dir, "-e", &variable]).assert_success();
        let plan: Value = serde_json::from_str(&fs::read_to_string(format!("{dir}/plan.json")).unwrap()).unwrap();
        assert_eq!(plan["products"][0]["name"], "app");
        assert!(plan.to_string().contains(&format!(r#""name":"ROUND","value":"{round}"}}"#)), "{plan}");
        let dockerfile = fs::read_to_string(format!("{dir}/Dockerfile")).ok();
        assert_eq!(dockerfile.is_some(), strategy == "dockerfile");
        for line in [format!("FROM {builder}"), r#"CMD ["/usr/bin/run"]"#.to_owned()] {
            assert!(dockerfile.as_ref().is_none_or(|text| text.lines().any(|found| found == line)), "no {line}: {dockerfile:?}");
        }
    }
    lab.assert_nothing_left();
}

#[test]
fn people_read_the_story_on_standard_error_and_the_answer_on_standard_output() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().prepare("print 'out of prepare'\nprint 'and more'"));
    let built = lab.build(&source(&lab), &builder, "app", &["-m", "commit"]);
    built.assert_success();
    let id = lab.image_id("app").unwrap();
    assert!(built.stdout.starts_with(&format!("built {} {id} in ", lab.tag("app"))), "{built}");
    assert_eq!(built.stdout.lines().count(), 1, "{built}");
    insta::assert_snapshot!("story", lab.scrub(&built.stderr));
    lab.assert_nothing_left();
}

#[test]
fn no_escape_sequence_comes_through_a_pipe_unless_it_is_asked_for() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().prepare("escape\nprint 'after it'").config(r#"ENTRYPOINT ["/usr/bin/fixture"]"#));
    let failing = lab.builder(plain().prepare("escape\nexit 3"));
    let source = source(&lab);
    let has_escapes = |outcome: &Outcome| {
        [&outcome.stdout, &outcome.stderr].iter().any(|text| text.contains(['\u{1b}', '\u{9b}', '\u{8}', '\u{7}']))
    };
    // With `--debug` the container of a failed build would be kept.
    let shared = [&[][..], &["--color", "never"], &["--json"]];
    for (image, code, further) in [(&builder, 0, &["--debug"][..]), (&failing, 1, &["-q"])] {
        for further in shared.into_iter().chain([further]) {
            let outcome = lab.build(&source, image, "app", &[&["-m", "commit"], further].concat());
            outcome.assert_exit(code).assert_says("harmless");
            assert!(!has_escapes(&outcome), "{outcome:?}");
        }
        let coloured = lab.build(&source, image, "app", &["-m", "commit", "--color", "always"]);
        coloured.assert_exit(code);
        assert!(coloured.stderr.contains("\u{1b}["), "{coloured:?}");
        assert!(!coloured.stderr.contains("\u{1b}]0;") && !coloured.stderr.contains("\u{1b}[2J"), "{coloured:?}");
    }
    lab.assert_nothing_left();
}

/// Runs a build on a terminal of its own, made by script(1).
fn build_on_a_terminal(lab: &Lab, builder: &str, variables: &[(&str, &str)]) -> Outcome {
    let sti = lab.command();
    let line = format!("{} build {} {builder} {} -m commit", sti.get_program().display(), source(lab), lab.tag("app"));
    let mut command = lab.command_of("/usr/bin/script".as_ref());
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm").envs(variables.iter().copied());
    lab.run_command(command)
}

#[test]
fn a_terminal_gets_colours_unless_no_color_is_set() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let coloured = build_on_a_terminal(&lab, &builder, &[]);
    coloured.assert_success().assert_says("out of prepare");
    assert!(coloured.stdout.contains("\u{1b}[1m"), "{coloured:?}");
    let plain = build_on_a_terminal(&lab, &builder, &[("NO_COLOR", "1")]);
    plain.assert_success().assert_says("out of prepare");
    for colour in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[3"] {
        assert!(!plain.stdout.contains(colour), "{plain:?}");
    }
    lab.assert_nothing_left();
}
