//! An engine that goes away, refuses, is full, old or slow at any request: exit 5, nothing tagged, and the rest is swept by the next build.
#![expect(clippy::unwrap_used, reason = "a test ends by a panic")]

use std::time::Duration;

use sti_tests::{Builder, Fault, Lab, Outcome, Proxy, When, needs_engine};

struct Scene {
    lab: Lab,
    proxy: Proxy,
    builder: String,
    source: String,
}

fn scene() -> Scene {
    let lab = Lab::new();
    let proxy = Proxy::before_engine(lab.engine(), &lab.root().join("proxy.sock"));
    let save = "copy /app /tmp/artifacts";
    let builder =
        Builder::new().user("1001").prepare("copy /tmp/src /app\nprint 'prepared'").run("cat /app/index.txt").save(save);
    let builder = lab.builder(builder);
    let source = lab.source(&[("index.txt", "hello")]);
    Scene { lab, proxy, builder, source }
}

impl Scene {
    fn build(&self, strategy: &str, faults: impl IntoIterator<Item = (When, Fault)>, more: &[&str]) -> Outcome {
        self.proxy.begin(faults);
        let arguments = [&["--strategy", strategy, "--json", "-U", self.proxy.url()], more].concat();
        self.lab.build(&self.source, &self.builder, "app", &arguments)
    }

    /// An engine that failed in the middle of a build answers again: nothing was tagged, and the next build removes the rest.
    fn check_failed_and_swept(&self, outcome: &Outcome) {
        assert_eq!(self.lab.image_id("app"), None, "{outcome}\n{:#?}", self.proxy.requests());
        self.sweep();
    }

    fn sweep(&self) {
        self.proxy.begin([]);
        self.lab.sti(["gc", "-U", self.proxy.url()]).assert_success();
        self.lab.assert_nothing_left();
        let again = self.lab.sti(["gc", "-U", self.proxy.url()]);
        again.assert_success().assert_says("removed 0 things");
    }

    fn forget_product(&self) {
        self.lab.engine().remove_image(&self.lab.tag("app")).unwrap();
    }
}

/// Whether a build was told as built, so that what failed came behind the answer.
fn is_built(outcome: &Outcome) -> bool {
    outcome.events().iter().any(|event| event["event"] == "built")
}

#[test]
fn an_engine_that_goes_away_at_any_request_tags_nothing_and_is_swept() {
    needs_engine!();
    let scene = scene();
    for strategy in ["commit", "dockerfile"] {
        scene.build(strategy, [], &[]).assert_success();
        let requests = scene.proxy.requests().len();
        scene.forget_product();
        for number in 1..=requests {
            let outcome = scene.build(strategy, [(When::From(number), Fault::Cut)], &[]);
            if is_built(&outcome) {
                outcome.assert_success();
                scene.sweep();
                scene.forget_product();
                continue;
            }
            outcome.assert_error(5, "connection-failed", &[scene.proxy.url()]);
            scene.check_failed_and_swept(&outcome);
        }
    }
}

#[test]
fn an_answer_that_gets_lost_at_any_request_ends_well_or_tags_nothing() {
    needs_engine!();
    let scene = scene();
    scene.build("commit", [], &[]).assert_success();
    let requests = scene.proxy.requests().len();
    scene.forget_product();
    for number in 1..=requests {
        let outcome = scene.build("commit", [(When::Number(number), Fault::LoseAnswer)], &[]);
        if is_built(&outcome) {
            outcome.assert_success();
            scene.sweep();
            scene.forget_product();
            continue;
        }
        outcome.assert_error(5, "connection-failed", &[scene.proxy.url()]);
        scene.check_failed_and_swept(&outcome);
    }
}

#[test]
fn the_next_build_sweeps_what_a_lost_engine_still_holds() {
    needs_engine!();
    let scene = scene();
    // The first one learns about the image, so that the others send the same requests.
    for _ in [1, 2] {
        scene.build("commit", [], &["--clean"]).assert_success();
    }
    let start = scene.proxy.requests().iter().position(|request| request.contains("/start")).expect("something is started");
    scene.forget_product();
    scene.build("commit", [(When::From(start + 1), Fault::Cut)], &["--clean"]).assert_error(5, "connection-failed", &[]);
    assert!(!scene.lab.leftovers().unwrap().is_empty(), "a container is left where nobody answers");
    scene.build("commit", [], &[]).assert_success().assert_says("dead build");
    scene.lab.assert_nothing_left();
}

#[test]
fn questions_are_asked_again_and_deeds_are_not() {
    needs_engine!();
    let scene = scene();
    let outcome = scene.build("commit", [(When::Number(2), Fault::Cut)], &[]);
    outcome.assert_success();
    assert!(scene.proxy.requests()[1].starts_with("GET "), "{:?}", scene.proxy.requests());
    scene.forget_product();
    for deed in ["/start", "POST /commit", "PUT /containers/"] {
        let outcome = scene.build("commit", [(When::Holds(deed), Fault::Cut)], &[]);
        outcome.assert_error(5, "connection-failed", &[scene.proxy.url()]);
        let times = scene.proxy.requests().iter().filter(|request| request.contains(deed)).count();
        assert_eq!(times, 1, "{deed} is sent once: {:#?}", scene.proxy.requests());
        scene.check_failed_and_swept(&outcome);
    }
}

#[test]
fn a_full_disk_is_told_as_such_wherever_it_is_met() {
    needs_engine!();
    let scene = scene();
    let full = || Fault::Answer(500, r#"{"message":"write /var/lib/x: no space left on device"}"#.to_owned());
    let rows = [
        ("commit", "POST /containers/create"),
        ("commit", "PUT /containers/"),
        ("commit", "/start"),
        ("commit", "POST /commit"),
        ("commit", "/tag"),
        ("dockerfile", "POST /build"),
    ];
    for (strategy, request) in rows {
        let outcome = scene.build(strategy, [(When::Holds(request), full())], &[]);
        outcome.assert_error(5, "no-space", &["no space left on device", "sti gc"]);
        scene.check_failed_and_swept(&outcome);
    }
}

#[test]
fn what_an_engine_refuses_is_told_by_what_was_being_done() {
    needs_engine!();
    let scene = scene();
    let refuse = || Fault::Answer(500, r#"{"message":"the engine has a headache"}"#.to_owned());
    let rows = [
        ("commit", "POST /containers/create", "create-container-failed"),
        ("commit", "PUT /containers/", "create-container-failed"),
        ("commit", "/start", "create-container-failed"),
        ("commit", "POST /commit", "commit-failed"),
        ("commit", "/tag", "engine-failed"),
        ("dockerfile", "POST /build", "commit-failed"),
    ];
    for (strategy, request, condition) in rows {
        let outcome = scene.build(strategy, [(When::Holds(request), refuse())], &[]);
        outcome.assert_error(5, condition, &["the engine has a headache"]);
        scene.check_failed_and_swept(&outcome);
    }
}

#[test]
fn an_engine_that_is_too_old_is_told_before_anything_is_asked_of_it() {
    needs_engine!();
    let scene = scene();
    let old = r#"{"Version":"1.12.6","ApiVersion":"1.24","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"}"#.to_owned();
    let outcome = scene.build("commit", [(When::Holds("/version"), Fault::Answer(200, old))], &[]);
    outcome.assert_error(5, "connection-failed", &["1.24", "1.40", "update"]);
    assert_eq!(scene.proxy.requests().len(), 1, "{:?}", scene.proxy.requests());
}

#[test]
fn an_engine_that_talks_nonsense_is_told() {
    needs_engine!();
    let scene = scene();
    let outcome = scene.build("commit", [(When::All, Fault::Answer(200, "[1, 2".to_owned()))], &[]);
    outcome.assert_exit(5);
    let outcome = scene.build("commit", [(When::Holds("/version"), Fault::Answer(200, "{}".to_owned()))], &[]);
    outcome.assert_exit(5);
}

#[test]
fn a_slow_engine_is_waited_for() {
    needs_engine!();
    let scene = scene();
    let slow = [(When::All, Fault::Delay(Duration::from_millis(300)))];
    scene.build("commit", slow, &[]).assert_success();
    assert_eq!(scene.lab.run("app").output.stdout, "hello");
    scene.lab.assert_nothing_left();
}

#[test]
fn all_products_are_tagged_or_none() {
    needs_engine!();
    let scene = scene();
    let runtime = scene.lab.builder(Builder::new().user("1001").prepare("copy /tmp/src /app").run("cat /app/index.txt"));
    let refuse = || Fault::Answer(500, r#"{"message":"no more names"}"#.to_owned());
    let last = || [(When::HoldsAgain("/tag?"), refuse())];
    let more = ["-R", &runtime, "--clean"];
    scene.build("commit", [], &more).assert_success();
    let tags: Vec<_> = scene.proxy.requests().into_iter().filter(|request| request.contains("/tag?")).collect();
    assert_eq!(tags.len(), 2, "{tags:?}");
    for name in ["-build", ""] {
        scene.lab.engine().remove_image(&format!("{}{name}", scene.lab.tag("app"))).unwrap();
    }
    let nothing = scene.lab.names_and_ids();
    scene.build("commit", last(), &more).assert_error(5, "engine-failed", &["no more names"]);
    assert_eq!(scene.lab.names_and_ids(), nothing, "the first name was taken back");
    scene.lab.assert_nothing_left();
    scene.build("commit", [], &more).assert_success();
    let earlier = scene.lab.names_and_ids();
    let outcome = scene.build("commit", last(), &more);
    outcome.assert_error(5, "engine-failed", &["no more names"]);
    assert_eq!(scene.lab.names_and_ids(), earlier, "both names are where they were");
}
