//! What `dockerfile` decides by the contract `assemble`.

use sti_dockerfile::Dockerfile;
use sti_plugin::{
    Incremental,
    testing::{FakeImage, JobBuilder, MemoryTree},
};

fn image(name: &str) -> FakeImage {
    let image = FakeImage::new(name).user("1001").label("io.openshift.s2i.scripts-url", "image:///usr/libexec/s2i");
    ["assemble", "run", "save-artifacts"]
        .iter()
        .fold(image, |image, script| image.executable(&format!("/usr/libexec/s2i/{script}")))
}

#[test]
fn adds_what_the_scripts_need_and_runs_them() {
    let source = MemoryTree::new().file(".s2i/bin/assemble", "#!/bin/sh\n").file(".s2i/environment", "A=1\n");
    let job = JobBuilder::new("python", "app:1").source(source).image(image("python")).image(image("app:1"));
    let decision = job.incremental(Incremental::Wanted).assemble_user("7").decide::<Dockerfile>();
    assert_eq!(
        decision.expect_plan().to_text(),
        "\
1. run `save artifacts of app:1` on app:1
   command /usr/libexec/s2i/save-artifacts
   user 7
   capture standard output
   tolerate failure
2. build `build` on python
   copy source at /tmp/src for 7
   copy standard output of step 1 at /tmp/artifacts for 7
   copy files assemble at /tmp/scripts for 7
   environment A=1
   user 7
   run /tmp/scripts/assemble
   user 1001
   image command /usr/libexec/s2i/run
product app: step 2
"
    );
}

#[test]
fn refuses_what_a_dockerfile_cannot_say() {
    let job = JobBuilder::new("python", "app:1").image(image("python"));
    let problem = |job: &JobBuilder| job.decide::<Dockerfile>().expect_problem().code().to_owned();
    assert_eq!(problem(&job.clone().environment("A", "1\n2")), "value-has-newline");
    let triggered = JobBuilder::new("python", "app:1").image(image("python").triggers(&["RUN make"]));
    assert_eq!(problem(&triggered), "triggers-unasked");
}

#[test]
fn builds_the_runtime_image_of_what_a_container_of_the_builder_left() {
    let runtime = FakeImage::new("slim").user("1001").working_directory("/srv");
    let runtime =
        ["assemble-runtime", "run"].iter().fold(runtime, |image, script| image.executable(&format!("/usr/libexec/s2i/{script}")));
    let job = JobBuilder::new("python", "app:1").image(image("python")).image(runtime).runtime_image("slim");
    let job = job.runtime_artifact("/opt/app").assemble_runtime_user("8").incremental(Incremental::Wanted);
    assert_eq!(
        job.decide::<Dockerfile>().expect_plan().to_text(),
        "\
1. run `assemble` on python
   command /usr/libexec/s2i/assemble
   transient /tmp
   mount source at /tmp/src
   capture /opt
   commit
2. build `build in runtime image` on slim
   copy app of /opt after step 1 at /srv/app for 8
   user 8
   run /usr/libexec/s2i/assemble-runtime
   user 1001
   image command /usr/libexec/s2i/run
product build: step 1
product app: step 2
"
    );
}
