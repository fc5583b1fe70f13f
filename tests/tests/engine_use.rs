//! What a build asks of its engine: how many requests, and which network.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

use std::{net::TcpListener, thread};

use serde_json::{Value, json};
use sti_tests::{Builder, Lab, Outcome, needs_engine};

fn requests(outcome: &Outcome) -> usize {
    outcome.assert_success();
    outcome.events().iter().filter(|event| event["event"] == "engine-request").count()
}

fn build(lab: &Lab, source: &str, builder: &str, further: &[&str]) -> Outcome {
    lab.build(source, builder, "app", &[&["--json", "--debug"], further].concat())
}

#[test]
fn a_warm_build_needs_few_requests() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(
        Builder::new().account("worker", 431, 433).user("worker").prepare("copy /tmp/src /app").run("cat /app/index.txt"),
    );
    let source = lab.source(&[("index.txt", "hello")]);
    for strategy in ["commit", "dockerfile"] {
        let further = ["-m", strategy, "--clean"];
        build(&lab, &source, &builder, &further).assert_success();
        let warm = build(&lab, &source, &builder, &further);
        assert!((1..=12).contains(&requests(&warm)), "{strategy}: {}\n{warm}", requests(&warm));
    }
    lab.assert_nothing_left();
}

#[test]
fn an_incremental_build_needs_a_few_more() {
    needs_engine!();
    let lab = Lab::new();
    let prepare = "copy /tmp/src /app\nwrite /app/cache 1";
    let builder = lab.builder(
        Builder::new().user("431:433").prepare(prepare).run("cat /app/index.txt").save("copy /app/cache /tmp/artifacts/cache"),
    );
    let source = lab.source(&[("index.txt", "hello")]);
    for strategy in ["commit", "dockerfile"] {
        let further = ["-m", strategy];
        build(&lab, &source, &builder, &further).assert_success();
        let warm = build(&lab, &source, &builder, &further);
        assert!((1..=20).contains(&requests(&warm)), "{strategy}: {}\n{warm}", requests(&warm));
    }
    lab.assert_nothing_left();
}

/// The host as containers see it.
fn address_of_the_host(lab: &Lab) -> String {
    let image = lab.builder(Builder::new());
    let container =
        lab.engine().create_container(&json!({ "Image": image, "Cmd": ["/usr/bin/fixture", "sleep", "60"] })).unwrap();
    lab.engine().post(&format!("/containers/{container}/start"), &Value::Null).unwrap();
    let found = lab.engine().get(&format!("/containers/{container}/json")).unwrap();
    lab.engine().remove_container(&container).unwrap();
    found["NetworkSettings"]["Gateway"].as_str().expect("a container on the bridge").to_owned()
}

#[test]
fn scripts_reach_the_network_only_where_it_was_given() {
    needs_engine!();
    let lab = Lab::new();
    let listener = TcpListener::bind((address_of_the_host(&lab), 0)).unwrap();
    let prepare = format!("connect {}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(drop));
    let builder = lab.builder(Builder::new().user("431").prepare(&prepare).run("print hello"));
    let source = lab.source(&[("index.txt", "hello")]);
    for strategy in ["commit", "dockerfile"] {
        let with = lab.build(&source, &builder, "app", &["-m", strategy]);
        with.assert_success();
        let without = lab.build(&source, &builder, "closed", &["-m", strategy, "--network", "none"]);
        without.assert_exit(1).assert_says("fixture: connect");
        assert_eq!(lab.image_id("closed"), None);
    }
    lab.assert_nothing_left();
}
