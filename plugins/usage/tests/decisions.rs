//! What `usage` decides, image by image.

use sti_plugin::testing::{FakeImage, JobBuilder};
use sti_usage::Usage;

const SCRIPT: &str = "/usr/libexec/s2i/usage";

fn job(image: FakeImage) -> JobBuilder {
    JobBuilder::new("python", "python").image(image)
}

fn check_runs(job: &JobBuilder, script: &str) {
    let expected = format!("1. run `usage of python` on python\n   command {script}\n   network none\n");
    assert_eq!(job.decide::<Usage>().expect_plan().to_text(), expected);
}

fn check_refuses(job: &JobBuilder, code: &str, words: &[&str]) {
    let decision = job.decide::<Usage>();
    let problem = decision.expect_problem();
    assert_eq!((problem.code(), problem.hinted().is_some()), (code, true), "{problem:?}");
    for word in words {
        assert!(problem.message().contains(word), "nothing of `{word}` in {problem}");
    }
    assert!(decision.plan.steps.is_empty(), "something was planned before the refusal");
}

#[test]
fn runs_the_script_where_the_image_has_it() {
    check_runs(&job(FakeImage::new("python").user("1001").executable(SCRIPT)), SCRIPT);
    let label = |name: &str| FakeImage::new("python").label(name, "image:///opt/s2i").executable("/opt/s2i/usage");
    check_runs(&job(label("io.openshift.s2i.scripts-url")), "/opt/s2i/usage");
    check_runs(&job(label("io.s2i.scripts-url")), "/opt/s2i/usage");
    let both = FakeImage::new("python").executable(SCRIPT).executable("/other/usage");
    check_runs(&job(both).scripts_url("image:///other"), "/other/usage");
    let with_prepare = FakeImage::new("python").executable(SCRIPT).executable("/usr/bin/prepare");
    check_runs(&job(with_prepare), SCRIPT);
}

#[test]
fn says_why_there_is_nothing_to_run() {
    check_refuses(&job(FakeImage::new("python")), "usage-missing", &["`python` has no script `usage`", "/usr/libexec/s2i"]);
    let by_prepare = FakeImage::new("python").executable("/usr/bin/prepare");
    check_refuses(&job(by_prepare), "usage-missing", &["/usr/bin/prepare", "the contract `prepare` knows no such script"]);
    let labelled = FakeImage::new("python").label("io.openshift.s2i.scripts-url", "image:///opt/s2i");
    check_refuses(&job(labelled), "usage-missing", &["it says that its scripts are at image:///opt/s2i"]);
    let closed = FakeImage::new("python").user("1001").file(SCRIPT, 0o640, 7, 7);
    check_refuses(&job(closed), "usage-not-executable", &[SCRIPT, "mode 0640"]);
}
