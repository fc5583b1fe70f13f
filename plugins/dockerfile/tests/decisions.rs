//! What `dockerfile` decides: the instructions of each kind of build, word by word, and what it says and refuses.

use sti_dockerfile::Dockerfile;
use sti_plugin::{
    Strategy,
    log::Level,
    testing::{FakeImage, JobBuilder, MemoryTree},
};

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
    let decision = job.decide::<Dockerfile>();
    assert_eq!(decision.expect_plan().to_text(), text);
    assert!(decision.says(Level::Info, said), "nothing of `{said}` in {:?}", decision.log);
}

fn check_refuses(job: &JobBuilder, code: &str) {
    let decision = job.decide::<Dockerfile>();
    assert_eq!(decision.expect_problem().code(), code);
    assert!(decision.plan.steps.is_empty(), "something was planned before the refusal");
}

#[test]
fn introduces_itself_by_both_names() {
    let card = Dockerfile::card();
    assert_eq!((card.name(), card.aliases()), ("dockerfile", &["build".to_owned()][..]));
}

#[test]
fn adds_the_source_sets_the_environment_and_prepares_when_the_build_is_clean() {
    check_plans(
        &job().image(image("builder")).environment("MODE", "a b"),
        "\
1. build `build` on builder
   copy source at /tmp/src
   environment MODE=a b
   run /usr/bin/prepare
   image command /usr/bin/run
product app: step 1
",
        "clean build: there is no earlier `app:1`",
    );
}

#[test]
fn adds_saved_artifacts_when_a_previous_image_exists() {
    check_plans(
        &job().image(image("builder")).image(saving("app:1")),
        "\
1. run `save artifacts of app:1` on app:1
   command /usr/bin/save-artifacts
   mount empty at /tmp/artifacts
   capture /tmp/artifacts
2. build `build` on builder
   copy source at /tmp/src
   copy /tmp/artifacts after step 1 at /tmp/artifacts
   run /usr/bin/prepare
   image command /usr/bin/run
product app: step 2
",
        "incremental build: reuses what `app:1` saves",
    );
}

#[test]
fn gives_the_runtime_image_nothing_but_the_result_of_the_builder() {
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
2. build `build in runtime image` on runtime
   copy /tmp/build after step 1 at /tmp/src
   environment A=1
   run /usr/bin/prepare
   image command /usr/bin/run
product build: step 1
product app: step 2
",
        "clean build: there is no earlier `app:1-build`",
    );
}

#[test]
fn takes_artifacts_of_an_extended_build_from_the_earlier_builder() {
    let images = job().image(saving("builder")).image(image("runtime")).image(saving("app:1-build"));
    check_plans(
        &images.runtime_image("runtime"),
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
3. build `build in runtime image` on runtime
   copy /tmp/build after step 2 at /tmp/src
   run /usr/bin/prepare
   image command /usr/bin/run
product build: step 2
product app: step 3
",
        "incremental build: reuses what `app:1-build` saves",
    );
}

#[test]
fn builds_clean_and_says_so_when_that_is_asked_for() {
    let decision = job().image(image("builder")).image(saving("app:1")).clean().decide::<Dockerfile>();
    assert_eq!(decision.expect_plan().steps.len(), 1);
    assert!(decision.says(Level::Info, "clean build: asked for"));
}

#[test]
fn keeps_the_entrypoint() {
    let decision = job().image(image("builder").entrypoint(&["/entry"])).decide::<Dockerfile>();
    assert_eq!(decision.expect_plan().steps[0].changes.entrypoint, None);
}

#[test]
fn refuses_a_variable_of_several_lines_and_names_the_strategy_that_takes_it() {
    for value in ["a\nb", "a\n", "a\rb", "a\u{1b}b", &"$".repeat(33_000)] {
        let job = job().image(image("builder")).image(saving("app:1")).environment("A", "1").environment("KEY", value);
        check_refuses(&job, "value-has-newline");
        let decision = job.decide::<Dockerfile>();
        let problem = decision.expect_problem();
        assert_eq!(
            problem.message(),
            "the value of `KEY` has several lines, control characters or 64 KiB, which a Dockerfile cannot say"
        );
        assert_eq!(problem.hinted(), Some("--strategy commit"));
    }
}

#[test]
fn refuses_instructions_that_an_image_brings_along() {
    let with_triggers = |name: &str| saving(name).triggers(&["RUN make", "COPY . /x"]);
    check_refuses(&job().image(with_triggers("builder")), "triggers-unasked");
    let extended = job().image(saving("builder")).image(with_triggers("runtime")).runtime_image("runtime");
    check_refuses(&extended, "triggers-unasked");
    let decision = extended.decide::<Dockerfile>();
    assert!(decision.expect_problem().message().ends_with("which would be carried out: `RUN make`, `COPY . /x`"));
    let allowed = job().image(with_triggers("builder")).allow_triggers().decide::<Dockerfile>();
    assert_eq!(allowed.expect_plan().steps[0].triggers_context.as_deref(), Some("source"));
}

#[test]
fn refuses_before_anything_is_planned() {
    check_refuses(&job(), "no-such-builder-image");
    check_refuses(&job().image(FakeImage::new("builder").executable("/usr/bin/run")), "prepare-missing");
    check_refuses(&job().image(image("builder").file("/usr/bin/run", 0o600, 7, 7)), "run-not-executable");
    check_refuses(&job().image(image("builder")).image(image("runtime")).runtime_image("runtime"), "save-artifacts-missing");
    check_refuses(&job().image(image("builder")).contract("assemble"), "assemble-missing");
}

#[test]
fn refuses_what_would_leave_a_trace() {
    let image = ["prepare", "run"]
        .iter()
        .fold(FakeImage::new("builder"), |image, script| image.executable(&format!("/usr/bin/{script}")));
    let job = || JobBuilder::new("builder", "app").image(image.clone());
    for (job, flag) in [
        (job().build_environment("A", "1"), "--build-env"),
        (job().secret("token"), "--secret"),
        (job().injected("inject:/opt/keys", "/opt/keys"), "--inject"),
    ] {
        let decision = job.decide::<Dockerfile>();
        let problem = decision.expect_problem();
        assert_eq!((problem.code(), problem.hinted()), ("trace-in-instructions", Some("--strategy commit")), "{flag}");
        assert!(problem.message().contains(flag), "{problem}");
    }
}
