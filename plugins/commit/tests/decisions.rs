//! What `commit` decides: the plan of each kind of build, word by word, and what it says and refuses.

mod common;

use sti_commit::Commit;
use sti_plugin::{
    Incremental, PathKind, Problem, ProblemKind, Strategy,
    log::Level,
    testing::{Decision, FakeImage, JobBuilder, MemoryTree},
};

use common::check_refuses;

/// An image with the scripts that every build needs.
fn image(name: &str) -> FakeImage {
    FakeImage::new(name).user("431").executable("/usr/bin/prepare").executable("/usr/bin/run")
}

/// An image that can also hand over artifacts.
fn saving(name: &str) -> FakeImage {
    image(name).executable("/usr/bin/save-artifacts")
}

fn job() -> JobBuilder {
    JobBuilder::new("builder", "app:1").source(MemoryTree::new().file("main.py", "print(1)"))
}

fn check_plans(job: &JobBuilder, text: &str, said: &str) {
    let decision = job.decide::<Commit>();
    assert_eq!(decision.expect_plan().to_text(), text);
    assert!(decision.says(Level::Info, said), "nothing of `{said}` in {:?}", decision.log);
}

fn warnings(decision: &Decision) -> Vec<&str> {
    decision.log.iter().filter(|line| line.level == Level::Warning).map(|line| line.text.as_str()).collect()
}

#[test]
fn introduces_itself_by_both_names() {
    let card = Commit::card();
    assert_eq!((card.name(), card.aliases()), ("commit", &["run".to_owned()][..]));
}

#[test]
fn prepares_in_the_builder_and_commits_it_when_there_is_no_earlier_product() {
    check_plans(
        &job().image(image("builder")).environment("MODE", "a b").environment("EMPTY", ""),
        "\
1. run `prepare` on builder
   command /usr/bin/prepare
   environment MODE=a b
   environment EMPTY=
   mount source at /tmp/src
   commit
   image command /usr/bin/run
   image environment MODE=a b
   image environment EMPTY=
product app: step 1
",
        "clean build: there is no earlier `app:1`",
    );
}

#[test]
fn reuses_saved_artifacts_when_a_previous_image_exists() {
    check_plans(
        &job().image(image("builder")).image(saving("app:1")).environment("A", "1"),
        "\
1. run `save artifacts of app:1` on app:1
   command /usr/bin/save-artifacts
   mount empty at /tmp/artifacts
   capture /tmp/artifacts
2. run `prepare` on builder
   command /usr/bin/prepare
   environment A=1
   mount source at /tmp/src
   mount /tmp/artifacts after step 1 at /tmp/artifacts
   commit
   image command /usr/bin/run
   image environment A=1
product app: step 2
",
        "incremental build: reuses what `app:1` saves",
    );
}

#[test]
fn prepares_twice_and_keeps_the_builder_when_there_is_a_runtime_image() {
    check_plans(
        &job().image(saving("builder")).image(image("runtime")).runtime_image("runtime").environment("A", "1"),
        "\
1. run `prepare` on builder
   command /usr/bin/prepare
   environment A=1
   mount source at /tmp/src
   mount empty at /tmp/artifacts
   mount empty at /tmp/build
   capture /tmp/build
   commit
2. run `prepare in runtime image` on runtime
   command /usr/bin/prepare
   environment A=1
   mount /tmp/build after step 1 at /tmp/src
   commit
   image command /usr/bin/run
   image environment A=1
product build: step 1
product app: step 2
",
        "clean build: there is no earlier `app:1-build`",
    );
}

#[test]
fn takes_artifacts_of_an_extended_build_from_the_earlier_builder_only() {
    let extended = job().image(saving("builder")).image(image("runtime")).runtime_image("runtime");
    check_plans(
        &extended.clone().image(saving("app:1")).image(saving("app:1-build")),
        "\
1. run `save artifacts of app:1-build` on app:1-build
   command /usr/bin/save-artifacts
   mount empty at /tmp/artifacts
   capture /tmp/artifacts
2. run `prepare` on builder
   command /usr/bin/prepare
   mount source at /tmp/src
   mount /tmp/artifacts after step 1 at /tmp/artifacts
   mount empty at /tmp/build
   capture /tmp/build
   commit
3. run `prepare in runtime image` on runtime
   command /usr/bin/prepare
   mount /tmp/build after step 2 at /tmp/src
   commit
   image command /usr/bin/run
product build: step 2
product app: step 3
",
        "incremental build: reuses what `app:1-build` saves",
    );
    let decision = extended.image(saving("app:1")).decide::<Commit>();
    assert_eq!(decision.expect_plan().steps.len(), 2, "the product itself is no source of artifacts here");
}

#[test]
fn says_why_a_build_is_clean() {
    let cases = [
        (job().image(image("builder")).image(saving("app:1")).clean(), "clean build: asked for"),
        (
            job().image(image("builder")).image(image("app:1")),
            "clean build: the earlier `app:1` has no `/usr/bin/save-artifacts`",
        ),
        (job().image(image("builder")).image(saving("app:1").only_in_registry()), "clean build: there is no earlier `app:1`"),
    ];
    for (job, said) in cases {
        let decision = job.decide::<Commit>();
        assert_eq!(decision.expect_plan().steps.len(), 1, "{said}");
        assert!(decision.says(Level::Info, said), "nothing of `{said}` in {:?}", decision.log);
    }
}

#[test]
fn sets_exactly_the_run_script_and_keeps_the_entrypoint() {
    let decision = job().image(image("builder").entrypoint(&["/bin/tini", "--"])).decide::<Commit>();
    let changes = &decision.expect_plan().steps[0].changes;
    assert_eq!(changes.command.as_deref(), Some(&["/usr/bin/run".to_owned()][..]));
    assert_eq!((&changes.entrypoint, &changes.user), (&None, &None));
    assert_eq!(warnings(&decision), [""; 0], "a validator warns of entrypoints, whatever the strategy");
}

#[test]
fn refuses_a_builder_without_save_artifacts_before_an_extended_build_runs_anything() {
    let extended = job().image(image("builder")).image(image("runtime")).image(saving("app:1-build")).runtime_image("runtime");
    check_refuses(&extended, "save-artifacts-missing", &["builder", "/usr/bin/save-artifacts", "extended build"]);
}

#[test]
fn refuses_images_without_fit_scripts_and_names_image_and_path() {
    let lone_run = FakeImage::new("builder").executable("/usr/bin/run");
    check_refuses(&job().image(lone_run), "prepare-missing", &["`builder`", "`/usr/bin/prepare`"]);
    let lone_prepare = FakeImage::new("builder").executable("/usr/bin/prepare");
    check_refuses(&job().image(lone_prepare), "run-missing", &["`builder`", "`/usr/bin/run`"]);
    let directory = image("builder").other("/usr/bin/prepare", PathKind::Directory);
    check_refuses(&job().image(directory), "prepare-not-a-file", &["`/usr/bin/prepare`"]);
    let locked = image("builder").file("/usr/bin/prepare", 0o750, 7, 7);
    check_refuses(&job().image(locked), "prepare-not-executable", &["`431`", "0750"]);
    let runtime = job().image(saving("builder")).image(FakeImage::new("runtime")).runtime_image("runtime");
    check_refuses(&runtime, "prepare-missing", &["`runtime`"]);
}

#[test]
fn names_the_image_that_is_nowhere() {
    check_refuses(&job(), "no-such-builder-image", &["`builder`"]);
    check_refuses(&job().image(saving("builder")).runtime_image("runtime"), "no-such-runtime-image", &["`runtime`"]);
}

#[test]
fn hands_on_what_the_host_refuses() {
    let denied = Problem::new(ProblemKind::Denied, "not-granted", "`builder` is not granted").hint("grant it");
    check_refuses(&job().image(image("builder").failing(denied)), "not-granted", &["`builder`"]);
}

#[test]
fn follows_the_contract_that_is_forced() {
    check_refuses(&job().image(image("builder")).contract("assemble"), "assemble-missing", &["`builder`", "/usr/libexec/s2i"]);
    let labelled = image("builder").label("io.openshift.s2i.scripts-url", "image:///usr/libexec/s2i");
    check_refuses(&job().image(labelled.clone()), "assemble-missing", &["`builder`"]);
    let forced = job().image(labelled).contract("prepare").decide::<Commit>();
    assert_eq!(forced.expect_plan().products.len(), 1);
}

#[test]
fn refuses_what_is_said_of_the_other_contract() {
    let job = || job().image(image("builder"));
    for job in [job().scripts_url("image:///opt"), job().destination("/opt"), job().assemble_user("7")] {
        check_refuses(&job, "flag-of-other-contract", &["`prepare`"]);
    }
    check_refuses(&job().incremental(Incremental::Required), "incremental-not-possible", &["there is no earlier `app:1`"]);
}
