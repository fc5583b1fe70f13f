//! Builds that were killed: the next build and `sti gc` remove what they left, and touch nothing of those that live or are another's.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use sti_tests::{Builder, Fault, Lab, Proxy, Running, Signal, When, needs_engine};

/// Far more than removing a container takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn builder_that(prepare: &str) -> Builder {
    Builder::new().user("1001").prepare(prepare).run("cat /app/index.txt")
}

/// A lab with a builder that takes its time, one that does not, and a source.
struct Scene {
    lab: Lab,
    slow: String,
    quick: String,
    source: String,
}

fn scene(slow: &str) -> Scene {
    let lab = Lab::new();
    let slow = lab.builder(builder_that(slow));
    let quick = lab.builder(builder_that("copy /tmp/src /app"));
    let source = lab.source(&[("index.txt", "hello")]);
    Scene { lab, slow, quick, source }
}

impl Scene {
    fn start(&self, builder: &str, more: &[&str]) -> Running {
        self.lab.start([&["build", &self.source, builder, &self.lab.tag("slow")], more].concat())
    }

    fn kill(&self, running: Running) {
        running.signal(Signal::KILL);
        let outcome = self.lab.finish(running);
        assert_eq!(outcome.status.code(), None, "{outcome}");
    }

    fn build(&self, more: &[&str]) -> sti_tests::Outcome {
        let outcome = self.lab.build(&self.source, &self.quick, "quick", &[&["--strategy", "commit"], more].concat());
        outcome.assert_success();
        outcome
    }
}

#[test]
fn the_next_build_removes_what_a_killed_one_left() {
    needs_engine!();
    let scene = scene("print 'working'\nsleep 60");
    for strategy in ["commit", "dockerfile"] {
        let mut running = scene.start(&scene.slow, &["--strategy", strategy]);
        running.wait_until_it_says("| working");
        scene.kill(running);
        assert!(!scene.lab.leftovers().unwrap().is_empty(), "{strategy}: there is something to remove");
        scene.build(&[]).assert_says("dead build");
        scene.lab.assert_nothing_left();
        assert_eq!(scene.lab.image_id("slow"), None);
    }
}

#[test]
fn gc_removes_what_a_killed_build_left() {
    needs_engine!();
    let scene = scene("print 'working'\nsleep 60");
    let mut running = scene.start(&scene.slow, &["--strategy", "commit"]);
    running.wait_until_it_says("| working");
    scene.kill(running);
    assert!(!scene.lab.leftovers().unwrap().is_empty());
    scene.lab.sti(["gc"]).assert_success().assert_says("1 dead build");
    scene.lab.assert_nothing_left();
    scene.lab.sti(["gc"]).assert_success().assert_says("removed 0 things");
}

#[test]
fn a_build_killed_at_any_request_is_swept() {
    needs_engine!();
    let scene = scene("copy /tmp/src /app");
    let proxy = Proxy::before_engine(scene.lab.engine(), &scene.lab.root().join("proxy.sock"));
    for held in ["POST /containers/create", "PUT /containers/", "/start", "/wait", "POST /commit", "/tag"] {
        proxy.begin([(When::Holds(held), Fault::Hold)]);
        let running = scene.start(&scene.slow, &["--strategy", "commit", "-U", proxy.url()]);
        proxy.wait_for(held);
        scene.kill(running);
        proxy.begin([]);
        scene.build(&["-U", proxy.url()]);
        scene.lab.assert_nothing_left();
        assert_eq!(scene.lab.image_id("slow"), None, "{held}");
    }
}

#[test]
fn a_build_killed_while_the_engine_commits_leaves_no_image() {
    needs_engine!();
    let scene = scene("fill /app/big 100000000");
    let proxy = Proxy::before_engine(scene.lab.engine(), &scene.lab.root().join("proxy.sock"));
    let running = scene.start(&scene.slow, &["--strategy", "commit", "-U", proxy.url()]);
    proxy.wait_for("POST /commit");
    scene.kill(running);
    std::thread::sleep(std::time::Duration::from_secs(3));
    scene.build(&["-U", proxy.url()]);
    scene.lab.assert_nothing_left();
}

#[test]
fn a_living_build_is_touched_by_neither() {
    needs_engine!();
    let scene = scene("print 'working'\nsleep 6\ncopy /tmp/src /app");
    let mut running = scene.start(&scene.slow, &["--strategy", "commit"]);
    running.wait_until_it_says("| working");
    scene.build(&[]).assert_silent_about("dead build");
    scene.lab.sti(["gc"]).assert_success().assert_says("removed 0 things");
    scene.lab.finish(running).assert_success();
    assert_eq!(scene.lab.run("slow").output.stdout, "hello");
    scene.lab.assert_nothing_left();
}

#[test]
fn what_belongs_to_another_machine_or_to_nobody_is_left_alone() {
    needs_engine!();
    let scene = scene("print never");
    let labels =
        [json!({ "sti.build": "0123456789abcdef", "sti.owner": "another-machine" }), json!({ "sti.build": "fedcba9876543210" })];
    let ids = labels.map(|labels| {
        let request = json!({ "Image": scene.quick, "Cmd": ["/usr/bin/run"], "Labels": labels });
        scene.lab.engine().create_container(&request).unwrap()
    });
    scene.lab.sti(["gc"]).assert_success().assert_says("removed 0 things");
    scene.build(&[]);
    for id in ids {
        assert!(scene.lab.engine().find(&format!("/containers/{id}/json")).unwrap().is_some());
        scene.lab.engine().remove_container(&id).unwrap();
    }
    scene.lab.assert_nothing_left();
}

#[test]
fn a_build_that_is_not_to_wait_has_its_remains_removed_in_the_background() {
    needs_engine!();
    let scene = scene("copy /tmp/src /app");
    let built = scene.build(&["--no-wait-cleanup", "--json", "--debug"]);
    assert!(built.events().iter().any(|event| event["event"] == "built"), "{built}");
    built.assert_no_request("DELETE /containers");
    assert_eq!(scene.lab.run("quick").output.stdout, "hello");
    let begun = Instant::now();
    while !scene.lab.leftovers().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "still there: {:?}", scene.lab.leftovers());
        thread::sleep(Duration::from_millis(50));
    }
    scene.lab.sti(["gc"]).assert_success().assert_says("removed 0 things of 0 dead builds");
    for other in ["--rm-previous", "--run"] {
        let refused = scene.lab.sti(["build", &scene.source, &scene.quick, "x", "--no-wait-cleanup", other]);
        refused.assert_exit(2).assert_says(other);
    }
}

#[test]
fn a_build_that_fails_is_always_waited_for() {
    needs_engine!();
    let scene = scene("exit 3");
    let failed = scene.lab.build(&scene.source, &scene.slow, "slow", &["--strategy", "commit", "--no-wait-cleanup"]);
    failed.assert_exit(1);
    scene.lab.assert_nothing_left();
}
