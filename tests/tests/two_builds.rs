//! Two builds of one tag at once, and tags that move meanwhile: what bears the name is one build's product, never a mixture.

use sti_tests::{Builder, Lab, Running, needs_engine};

fn builder_that(prepare: &str) -> Builder {
    Builder::new().user("1001").prepare(prepare).run("cat /app/index.txt").save("copy /app /tmp/artifacts")
}

fn start(lab: &Lab, source: &str, builder: &str, more: &[&str]) -> Running {
    lab.start([&["build", source, builder, &lab.tag("app")], more].concat())
}

#[test]
fn two_builds_of_one_tag_both_succeed_and_the_tag_is_one_of_the_two() {
    needs_engine!();
    for strategy in ["commit", "dockerfile"] {
        let lab = Lab::new();
        let builder = lab.builder(builder_that("print working\nsleep 2\ncopy /tmp/src /app"));
        let sources = ["one", "two"].map(|text| lab.source(&[("index.txt", text), ("again.txt", text)]));
        let running = sources.each_ref().map(|source| start(&lab, source, &builder, &["--strategy", strategy, "--json"]));
        let mut ids = Vec::new();
        for running in running {
            let outcome = lab.finish(running);
            outcome.assert_success();
            let built = outcome.events().into_iter().find(|event| event["event"] == "built").expect("it was built");
            ids.push(built["image"].as_str().expect("an id").to_owned());
        }
        assert!(ids.contains(&lab.image_id("app").expect("the tag is there")), "{ids:?}");
        let (first, second) = (lab.product_file("app", "/app/index.txt"), lab.product_file("app", "/app/again.txt"));
        assert!(first == second && ["one", "two"].contains(&first.unwrap().as_str()));
        // The loser's product was a product once, and bears no name any more; all else is gone.
        for id in ids {
            lab.engine().remove_image(&id).unwrap();
        }
        lab.assert_nothing_left();
    }
}

#[test]
fn two_extended_builds_at_once_leave_two_names_that_work() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("copy /tmp/src /tmp/build"));
    let runtime = lab.builder(Builder::new().user("1001").prepare("sleep 1\ncopy /tmp/src /app").run("cat /app/index.txt"));
    let sources = ["one", "two"].map(|text| lab.source(&[("index.txt", text)]));
    let running = sources.each_ref().map(|source| start(&lab, source, &builder, &["-R", &runtime, "--strategy", "commit"]));
    for running in running {
        lab.finish(running).assert_success();
    }
    assert!(["one", "two"].contains(&lab.run("app").output.stdout.as_str()));
    let build_image = lab.tag("app") + "-build";
    assert!(lab.engine().find(&format!("/images/{build_image}/json")).unwrap().is_some());
}

#[test]
fn a_tag_that_moved_during_a_build_moves_on_to_the_product() {
    needs_engine!();
    let lab = Lab::new();
    let quick = lab.builder(builder_that("copy /tmp/src /app"));
    let slow = lab.builder(builder_that("print working\nsleep 4\ncopy /tmp/src /app"));
    let (old, new) = (lab.source(&[("index.txt", "old")]), lab.source(&[("index.txt", "new")]));
    for strategy in ["commit", "dockerfile"] {
        let mut running = start(&lab, &new, &slow, &["--strategy", strategy]);
        running.wait_until_it_says("| working");
        lab.build(&old, &quick, "app", &["--strategy", "commit"]).assert_success();
        assert_eq!(lab.run("app").output.stdout, "old");
        lab.finish(running).assert_success();
        assert_eq!(lab.run("app").output.stdout, "new");
    }
}

#[test]
fn a_failing_build_leaves_a_tag_that_moved_meanwhile_where_it_moved_to() {
    needs_engine!();
    let lab = Lab::new();
    let quick = lab.builder(builder_that("copy /tmp/src /app"));
    let failing = lab.builder(builder_that("print working\nsleep 4\nexit 1"));
    let source = lab.source(&[("index.txt", "moved")]);
    let mut running = start(&lab, &source, &failing, &["--strategy", "commit"]);
    running.wait_until_it_says("| working");
    lab.build(&source, &quick, "app", &["--strategy", "commit"]).assert_success();
    let moved = lab.image_id("app");
    lab.finish(running).assert_exit(1);
    assert_eq!(lab.image_id("app"), moved);
    lab.assert_nothing_left();
}

#[test]
fn an_image_that_saved_artifacts_is_removed_by_rm_previous() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("copy /tmp/src /app"));
    let (one, two) = (lab.source(&[("index.txt", "one")]), lab.source(&[("index.txt", "two")]));
    lab.build(&one, &builder, "app", &["--strategy", "commit"]).assert_success();
    let earlier = lab.image_id("app").unwrap();
    let built = lab.build(&two, &builder, "app", &["--strategy", "commit", "--rm-previous"]);
    built.assert_success().assert_says("incremental build").assert_says("removed the previous image");
    assert!(lab.engine().find(&format!("/images/{earlier}/json")).unwrap().is_none());
}

#[test]
fn an_image_that_others_use_is_kept_by_rm_previous() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(builder_that("copy /tmp/src /app"));
    let (one, two) = (lab.source(&[("index.txt", "one")]), lab.source(&[("index.txt", "two")]));
    lab.build(&one, &builder, "app", &["--strategy", "commit"]).assert_success();
    let earlier = lab.image_id("app").unwrap();
    let request = serde_json::json!({ "Image": earlier, "Cmd": ["/usr/bin/run"] });
    let container = lab.engine().create_container(&request).unwrap();
    lab.build(&two, &builder, "app", &["--strategy", "commit", "--rm-previous", "--clean"]).assert_success().assert_says("kept");
    assert_eq!(lab.engine().start_and_wait(&container).unwrap().output.stdout, "one");
    lab.engine().remove_container(&container).unwrap();
    assert_eq!(lab.run("app").output.stdout, "two");
}
