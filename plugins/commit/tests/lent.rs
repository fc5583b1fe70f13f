//! What `commit` does with what the user lends to scripts only.

mod common;

use sti_commit::Commit;
use sti_plugin::{
    Incremental,
    testing::{FakeImage, JobBuilder, MemoryTree},
};

use common::check_refuses;

fn prepare(name: &str) -> FakeImage {
    ["prepare", "run", "save-artifacts"]
        .iter()
        .fold(FakeImage::new(name).user("1001"), |image, script| image.executable(&format!("/usr/bin/{script}")))
}

fn assemble(name: &str) -> FakeImage {
    let image = FakeImage::new(name).user("1001").label("io.openshift.s2i.scripts-url", "image:///usr/libexec/s2i");
    ["assemble", "run", "save-artifacts", "assemble-runtime"]
        .iter()
        .fold(image, |image, script| image.executable(&format!("/usr/libexec/s2i/{script}")))
}

fn job() -> JobBuilder {
    let job = JobBuilder::new("builder", "app").runtime_image("runtime").incremental(Incremental::Wanted);
    job.build_environment("PROXY", "http://a").secret("token").injected("inject:keys", "keys")
}

/// Every step runs with all of it, and no image keeps a variable.
fn check_lends(job: &JobBuilder, steps: usize) {
    let decision = job.decide::<Commit>();
    let plan = decision.expect_plan();
    assert_eq!(plan.steps.len(), steps, "{}", plan.to_text());
    for step in &plan.steps {
        let text = plan.to_text();
        assert!(step.environment.iter().any(|variable| variable.name == "PROXY"), "{}: {text}", step.title);
        for (content, at) in [("secret token", "/run/secrets/token"), ("secret inject:keys", "/srv/keys")] {
            let is_there = step.places.iter().any(|place| place.content == content && place.at == at);
            assert!(is_there, "{content} of {}: {text}", step.title);
        }
        assert!(step.changes.environment.iter().all(|variable| variable.name != "PROXY"), "{}: {text}", step.title);
    }
}

#[test]
fn all_scripts_of_both_contracts_are_lent_it() {
    let images =
        |image: fn(&str) -> FakeImage| ["builder", "runtime", "app-build"].map(|name| image(name).working_directory("/srv"));
    let by_prepare = images(prepare).into_iter().fold(job(), JobBuilder::image);
    check_lends(&by_prepare, 3);
    let by_assemble = images(assemble).into_iter().fold(job().runtime_artifact("/opt/out"), JobBuilder::image);
    check_lends(&by_assemble, 3);
}

#[test]
fn a_variable_stays_or_does_not() {
    let source = MemoryTree::new().file(".s2i/environment", "PROXY=http://b\n");
    let job = JobBuilder::new("builder", "app").image(assemble("builder")).source(source).build_environment("PROXY", "http://a");
    check_refuses(&job, "variable-lent-and-kept", &["`PROXY`"]);
}

#[test]
fn nothing_is_injected_over_what_the_scripts_work_with() {
    for at in [".", "/", "/srv", "..", "../x", "/run", "/run/secrets"] {
        let image = prepare("builder").working_directory("/srv/app");
        let decision = JobBuilder::new("builder", "app").image(image).injected("inject:x", at).decide::<Commit>();
        assert_eq!(decision.expect_problem().code(), "invalid-injection", "{at}");
    }
}
