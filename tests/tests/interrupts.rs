//! Signals at every moment of a build: the exit code tells which, within seconds, and nothing is left.
#![expect(clippy::disallowed_methods, reason = "a test looks at processes and files by itself")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sti_tests::{Builder, Fault, Lab, Proxy, Signal, When, needs_engine};

/// "Within seconds", on a machine that does other things too.
const SECONDS: Duration = Duration::from_secs(15);

fn builder_that(prepare: &str) -> Builder {
    Builder::new().user("1001").prepare(prepare).run("cat /app/index.txt")
}

/// A build through a proxy that holds the request with this text: the signal comes while the engine does not answer.
fn check_held(lab: &Lab, proxy: &Proxy, strategy: &str, held: &'static str, signal: Signal, code: i32) {
    let builder = lab.builder(builder_that("copy /tmp/src /app"));
    let source = lab.source(&[("index.txt", "hello")]);
    proxy.begin([(When::Holds(held), Fault::Hold)]);
    let running = lab.start(["build", &source, &builder, &lab.tag("app"), "--strategy", strategy, "-U", proxy.url()]);
    proxy.wait_for(held);
    let begun = Instant::now();
    running.signal(signal);
    let outcome = lab.finish(running);
    outcome.assert_exit(code);
    assert!(begun.elapsed() < SECONDS, "{held}\n{outcome}");
    assert_eq!(lab.image_id("app"), None, "{held}\n{outcome}");
    lab.assert_nothing_left();
    assert_no_lock(lab);
}

/// A build that was cleaned up is marked neither as living nor as dead.
fn assert_no_lock(lab: &Lab) {
    let locks = std::fs::read_dir(lab.root().join("home/.local/state/sti/builds")).expect("the directory of locks");
    // What is no build's own stays: whose builds these are, and whose turn it is.
    let is_lock = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "lock");
    let names: Vec<_> = locks.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(is_lock).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_signal_ends_a_build_at_each_request_that_the_engine_does_not_answer() {
    needs_engine!();
    let lab = Lab::new();
    let proxy = Proxy::before_engine(lab.engine(), &lab.root().join("proxy.sock"));
    let moments = [
        ("commit", "GET /version", Signal::INT, 130),
        ("commit", "GET /images/", Signal::TERM, 143),
        ("commit", "POST /containers/create", Signal::INT, 130),
        ("commit", "PUT /containers/", Signal::TERM, 143),
        ("commit", "/start", Signal::HUP, 129),
        ("commit", "/wait", Signal::INT, 130),
        ("commit", "POST /commit", Signal::TERM, 143),
        ("commit", "/tag", Signal::INT, 130),
        ("dockerfile", "POST /build", Signal::TERM, 143),
    ];
    for (strategy, held, signal, code) in moments {
        check_held(&lab, &proxy, strategy, held, signal, code);
    }
}

#[test]
fn signals_end_a_running_prepare_even_several_of_them() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("print 'working'\nsleep 120"));
    let source = lab.source(&[("index.txt", "hello")]);
    let rows: [(&str, &[Signal], i32); 5] = [
        ("commit", &[Signal::INT], 130),
        ("commit", &[Signal::TERM, Signal::TERM], 143),
        ("commit", &[Signal::HUP], 129),
        ("dockerfile", &[Signal::INT, Signal::TERM], 130),
        ("dockerfile", &[Signal::TERM], 143),
    ];
    for (strategy, signals, code) in rows {
        let mut running = lab.start(["build", &source, &builder, &lab.tag("app"), "--strategy", strategy]);
        running.wait_until_it_says("| working");
        let begun = Instant::now();
        for signal in signals {
            running.signal(*signal);
            std::thread::sleep(Duration::from_millis(30));
        }
        let outcome = lab.finish(running);
        outcome.assert_exit(code).assert_says("interrupted");
        assert!(begun.elapsed() < SECONDS, "{outcome}");
        assert_eq!(lab.image_id("app"), None, "{outcome}");
        lab.assert_nothing_left();
        assert_no_lock(&lab);
    }
}

#[test]
fn a_container_that_comes_after_the_signal_is_removed() {
    needs_engine!();
    let lab = Lab::new();
    let proxy = Proxy::before_engine(lab.engine(), &lab.root().join("proxy.sock"));
    let builder = lab.builder(builder_that("copy /tmp/src /app"));
    let source = lab.source(&[("index.txt", "hello")]);
    // The first is the one in which the image is looked into, before anything of the plan is done.
    let create = "POST /containers/create";
    proxy.begin([(When::Holds(create), Fault::Delay(Duration::from_millis(300)))]);
    let running = lab.start(["build", &source, &builder, &lab.tag("app"), "-U", proxy.url()]);
    proxy.wait_for(create);
    running.signal(Signal::INT);
    lab.finish(running).assert_exit(130);
    lab.assert_nothing_left();
}

#[test]
fn a_commit_that_the_engine_had_begun_leaves_no_image() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("fill /app/big 200000000"));
    let source = lab.source(&[("index.txt", "hello")]);
    let proxy = Proxy::before_engine(lab.engine(), &lab.root().join("proxy.sock"));
    let running = lab.start(["build", &source, &builder, &lab.tag("app"), "--strategy", "commit", "-U", proxy.url()]);
    proxy.wait_for("POST /commit");
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    lab.finish(running).assert_exit(130);
    assert_eq!(lab.image_id("app"), None);
    // An engine that goes on committing is seen to do so a little later.
    std::thread::sleep(Duration::from_secs(6));
    lab.assert_nothing_left();
}

#[test]
fn an_interrupted_rebuild_leaves_the_earlier_product_and_the_next_build_is_well() {
    needs_engine!();
    let lab = Lab::new();
    let quick = lab.builder(builder_that("copy /tmp/src /app"));
    let slow = lab.builder(builder_that("print 'working'\nsleep 120"));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &quick, "app", &["--strategy", "commit"]).assert_success();
    let earlier = lab.image_id("app");
    let mut running = lab.start(["build", &source, &slow, &lab.tag("app"), "--strategy", "commit", "--json"]);
    running.wait_until_it_says("working");
    running.signal(Signal::TERM);
    lab.finish(running).assert_error(143, "interrupted", &[]);
    assert_eq!(lab.image_id("app"), earlier);
    lab.build(&source, &quick, "app", &["--strategy", "commit"]).assert_success();
    lab.assert_nothing_left();
}
