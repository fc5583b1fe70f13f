//! What `commit` decides by the contract `assemble`.

mod common;

use sti_commit::Commit;
use sti_plugin::{
    Incremental,
    log::Level,
    testing::{FakeImage, JobBuilder, MemoryTree},
};

use common::check_refuses;

const LABEL: &str = "io.openshift.s2i.scripts-url";

/// An image whose label says where its scripts are.
fn image(name: &str) -> FakeImage {
    let image = FakeImage::new(name).user("1001").label(LABEL, "image:///usr/libexec/s2i");
    ["assemble", "run", "save-artifacts"]
        .iter()
        .fold(image, |image, script| image.executable(&format!("/usr/libexec/s2i/{script}")))
}

fn job(source: MemoryTree) -> JobBuilder {
    JobBuilder::new("python", "app:1").source(source.file("main.py", "print(1)"))
}

fn check_plans(job: &JobBuilder, text: &str, said: &[&str]) {
    let decision = job.decide::<Commit>();
    assert_eq!(decision.expect_plan().to_text(), text);
    for said in said {
        assert!(decision.says(Level::Info, said), "nothing of `{said}` in {:?}", decision.log);
    }
}

#[test]
fn assembles_where_the_source_can_be_moved() {
    check_plans(
        &job(MemoryTree::new()).image(image("python")).environment("A", "1"),
        "\
1. run `assemble` on python
   command /usr/libexec/s2i/assemble
   environment A=1
   transient /tmp
   mount source at /tmp/src
   labels from /tmp/.s2i/image_metadata.json
   commit
   image command /usr/libexec/s2i/run
   image environment A=1
product app: step 1
",
        &[
            "contract `assemble`: `python` says that its scripts are at image:///usr/libexec/s2i",
            "clean build: with --incremental it could reuse what the earlier one saves",
        ],
    );
}

#[test]
fn hands_the_tar_of_the_earlier_product_over_where_that_is_asked_for() {
    let incremental = "\
1. run `save artifacts of app:1` on app:1
   command /usr/libexec/s2i/save-artifacts
   capture standard output
   tolerate failure
2. run `assemble` on python
   command /usr/libexec/s2i/assemble
   transient /tmp
   mount source at /tmp/src
   mount standard output of step 1 at /tmp/artifacts
   labels from /tmp/.s2i/image_metadata.json
   commit
   image command /usr/libexec/s2i/run
product app: step 2
";
    let job = job(MemoryTree::new()).image(image("python")).image(image("app:1"));
    let said = ["incremental build: reuses what `app:1` saves"];
    check_plans(&job.clone().incremental(Incremental::Wanted), incremental, &said);
    let required = incremental.replace("   tolerate failure\n", "");
    check_plans(&job.incremental(Incremental::Required), &required, &said);
}

#[test]
fn makes_a_clean_build_of_what_cannot_be_incremental_unless_that_is_refused() {
    let without = FakeImage::new("app:1").label(LABEL, "image:///usr/libexec/s2i");
    let unable = FakeImage::new("python").label(LABEL, "image:///usr/libexec/s2i");
    let unable = unable.executable("/usr/libexec/s2i/assemble").executable("/usr/libexec/s2i/run");
    let cases = [
        (job(MemoryTree::new()).image(image("python")), "there is no earlier `app:1`"),
        (
            job(MemoryTree::new()).image(image("python")).image(without),
            "the earlier `app:1` has no `/usr/libexec/s2i/save-artifacts`",
        ),
        (job(MemoryTree::new()).image(unable).image(image("app:1")), "there is no script `save-artifacts`"),
    ];
    for (job, why) in cases {
        let decision = job.clone().incremental(Incremental::Wanted).decide::<Commit>();
        assert_eq!(decision.expect_plan().steps.len(), 1);
        assert!(decision.says(Level::Info, &format!("clean build: {why}")), "{:?}", decision.log);
        check_refuses(&job.incremental(Incremental::Required), "incremental-not-possible", &[why]);
    }
}

#[test]
fn takes_scripts_of_the_source_before_those_of_the_image() {
    let source = MemoryTree::new().file(".s2i/bin/run", "#!/bin/sh\n").file(".sti/bin/assemble", "#!/bin/bash\n");
    let decision = job(source).image(image("python")).decide::<Commit>();
    assert_eq!(
        decision.expect_plan().to_text(),
        "\
1. run `assemble` on python
   command /tmp/scripts/assemble
   transient /tmp
   mount source at /tmp/src
   mount files assemble, run at /tmp/scripts
   labels from /tmp/.s2i/image_metadata.json
   commit
2. build `add the run script of the source` on step 1
   copy files run at /tmp/scripts
   image command /tmp/scripts/run
product app: step 2
"
    );
    assert_eq!(decision.plan.files["assemble"], (0o755, b"#!/bin/bash\n".to_vec()));
}

#[test]
fn saves_artifacts_by_a_script_of_the_source() {
    let source = MemoryTree::new().file(".s2i/bin/save-artifacts", "#!/bin/sh\n");
    let job = job(source).image(image("python")).image(FakeImage::new("app:1")).incremental(Incremental::Wanted);
    let plan = job.decide::<Commit>().expect_plan().to_text();
    let save = "\
1. run `save artifacts of app:1` on app:1
   command /tmp/scripts/save-artifacts
   mount files save-artifacts at /tmp/scripts
   capture standard output
   tolerate failure
";
    assert!(plan.starts_with(save), "{plan}");
}

#[test]
fn looks_for_scripts_where_the_user_says_first() {
    let image = image("python").executable("/opt/mine/assemble");
    let job = job(MemoryTree::new().file(".s2i/bin/assemble", "")).image(image).scripts_url("image:///opt/mine/");
    let plan = job.decide::<Commit>();
    assert_eq!(plan.expect_plan().steps[0].command, ["/opt/mine/assemble"]);
    assert_eq!(plan.expect_plan().steps[0].changes.command, Some(vec!["/usr/libexec/s2i/run".to_owned()]));
    check_refuses(&job.scripts_url("ftp://x/y"), "invalid-scripts-url", &["ftp://x/y"]);
}

#[test]
fn names_a_script_that_is_nowhere_and_where_it_was_looked_for() {
    let bare = FakeImage::new("python").label(LABEL, "image:///usr/libexec/s2i").executable("/usr/libexec/s2i/assemble");
    check_refuses(&job(MemoryTree::new()).image(bare), "run-missing", &["`.s2i/bin`", "`/usr/libexec/s2i` of `python`"]);
    let elsewhere = FakeImage::new("python").label(LABEL, "https://example.com/scripts");
    check_refuses(&job(MemoryTree::new()).image(elsewhere), "assemble-missing", &["https://example.com/scripts"]);
    let closed = image("python").file("/usr/libexec/s2i/run", 0o600, 7, 7);
    check_refuses(&job(MemoryTree::new()).image(closed), "run-not-executable", &["`/usr/libexec/s2i/run`"]);
    let link = MemoryTree::new().symlink(".s2i/bin/assemble", "../../build.sh");
    check_refuses(&job(link).image(image("python")), "brought-not-a-file", &["`.s2i/bin/assemble`"]);
}

#[test]
fn puts_variables_of_the_source_below_those_of_the_user() {
    let source = MemoryTree::new().file(".s2i/environment", "# comment\nA=1\nB=2\n\nA=3\n");
    let job = job(source).image(image("python")).environment("B", "user").environment("C", "x=y");
    let plan = job.decide::<Commit>();
    let step = &plan.expect_plan().steps[0];
    let written: Vec<String> = step.environment.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["A=3", "B=user", "C=x=y"]);
    assert_eq!(step.changes.environment, step.environment);
    for (text, line) in [("A=1\nB\n", ":2`"), ("=1\n", ":1`"), ("A B=1\n", ":1`")] {
        let source = MemoryTree::new().file(".s2i/environment", text);
        let job = JobBuilder::new("python", "app:1").source(source).image(image("python"));
        check_refuses(&job, "invalid-environment", &["`.s2i/environment", line]);
    }
}

#[test]
fn runs_scripts_as_the_user_of_the_flag_or_of_the_label() {
    let labelled =
        || job(MemoryTree::new()).image(image("python").label("io.openshift.s2i.assemble-user", "7")).image(image("app:1"));
    let users = |job: JobBuilder| {
        let decision = job.incremental(Incremental::Wanted).decide::<Commit>();
        decision.expect_plan().steps.iter().map(|step| step.user.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(users(labelled()), ["7", "7"]);
    assert_eq!(users(labelled().assemble_user("8:0")), ["8:0", "8:0"]);
    assert_eq!(labelled().decide::<Commit>().expect_plan().steps[0].changes.user, None);
}

#[test]
fn keeps_what_lies_where_the_image_has_files_of_its_own() {
    let image = image("python").label("io.openshift.s2i.destination", "/opt/app").working_directory("/opt/app/src");
    check_plans(
        &job(MemoryTree::new()).image(image),
        "\
1. run `assemble` on python
   command /usr/libexec/s2i/assemble
   copy source at /opt/app/src
   labels from /tmp/.s2i/image_metadata.json
   commit
   image command /usr/libexec/s2i/run
product app: step 1
",
        &["what the scripts leave of the source in /opt/app stays in the product"],
    );
    let is_transient = |job: JobBuilder| !job.decide::<Commit>().expect_plan().steps[0].transient.is_empty();
    let image = || self::image("python");
    assert!(is_transient(job(MemoryTree::new()).image(image())));
    assert!(is_transient(
        job(MemoryTree::new()).image(image().label("io.openshift.s2i.destination", "").working_directory("/tmpfs"))
    ));
    assert!(!is_transient(job(MemoryTree::new()).image(image()).destination("/var/tmp")));
    assert!(!is_transient(job(MemoryTree::new()).image(image().environment("STI_LOCATION", "/opt/sti"))));
    assert!(!is_transient(job(MemoryTree::new()).image(image().working_directory("/tmp/"))));
    assert!(!is_transient(job(MemoryTree::new()).image(image().environment("HOME", "/tmp/src"))));
    for destination in ["tmp", "/", "/a/../b"] {
        check_refuses(
            &job(MemoryTree::new()).image(self::image("python")).destination(destination),
            "invalid-destination",
            &[destination],
        );
    }
}

/// An image in which what the builder made is deployed.
fn runtime() -> FakeImage {
    let image = FakeImage::new("slim").user("1001").working_directory("/srv").label(LABEL, "image:///opt/s2i");
    image.executable("/opt/s2i/run")
}

fn extended(source: MemoryTree) -> JobBuilder {
    job(source).image(image("python")).runtime_image("slim").runtime_artifact("/opt/out/app:bin;/opt/data/")
}

#[test]
fn deploys_what_the_builder_left_and_puts_it_together_there() {
    let runtime = runtime().executable("/opt/s2i/assemble-runtime").label("io.openshift.s2i.assemble-runtime-user", "7");
    check_plans(
        &extended(MemoryTree::new()).image(runtime).environment("A", "1"),
        "\
1. run `assemble` on python
   command /usr/libexec/s2i/assemble
   environment A=1
   transient /tmp
   mount source at /tmp/src
   capture /opt/out
   capture /opt
2. run `assemble in runtime image` on slim
   command /opt/s2i/assemble-runtime
   environment A=1
   user 7
   copy app of /opt/out after step 1 at /srv/bin/app
   copy data of /opt after step 1 at /srv/data
   labels from /tmp/.s2i/image_metadata.json
   commit
   image command /opt/s2i/run
   image environment A=1
product app: step 2
",
        &["clean build"],
    );
}

#[test]
fn deploys_without_running_anything_where_the_runtime_image_has_no_script() {
    let source = MemoryTree::new().file(".s2i/bin/run", "#!/bin/sh\n");
    let plan = extended(source).image(runtime()).incremental(Incremental::Wanted).decide::<Commit>();
    assert_eq!(
        plan.expect_plan().to_text(),
        "\
1. run `assemble` on python
   command /usr/libexec/s2i/assemble
   transient /tmp
   mount source at /tmp/src
   capture /opt/out
   capture /opt
   commit
2. build `deploy into runtime image` on slim
   copy app of /opt/out after step 1 at /srv/bin/app
   copy data of /opt after step 1 at /srv/data
   copy files run at /tmp/scripts
   image command /tmp/scripts/run
product build: step 1
product app: step 2
"
    );
    assert!(plan.says(Level::Info, "clean build: there is no earlier `app:1-build`"), "{:?}", plan.log);
}

#[test]
fn asks_what_is_to_be_deployed() {
    let job = || job(MemoryTree::new()).image(image("python")).runtime_image("slim");
    check_refuses(&job().image(runtime()), "runtime-artifact-missing", &["`slim`"]);
    check_refuses(&job().image(runtime()).runtime_artifact("/opt/*/x.jar"), "invalid-runtime-artifact", &["/opt/*/x.jar"]);
    let picked = job().image(runtime()).runtime_artifact("/opt/*.jar").runtime_artifact("/opt/a.war:=b.war").decide::<Commit>();
    let copied = "   copy *.jar of /opt after step 1 at /srv\n   copy a.war of /opt after step 1 at /srv/b.war\n";
    assert!(picked.expect_plan().to_text().contains(copied), "{}", picked.plan.to_text());
    check_refuses(&job().image(FakeImage::new("slim")).runtime_artifact("/opt/x"), "run-missing", &["`slim`"]);
    check_refuses(&job().runtime_artifact("/opt/x"), "no-such-runtime-image", &["`slim`"]);
    let labelled = || job().image(runtime().label("io.openshift.s2i.assemble-input-files", "/opt/x"));
    assert_eq!(labelled().decide::<Commit>().expect_plan().steps[1].instructions.len(), 1);
    check_refuses(&labelled().environment("A", "1\n2"), "value-has-newline", &["`A`"]);
    let triggered = job().image(runtime().triggers(&["RUN make"])).runtime_artifact("/opt/x");
    check_refuses(&triggered, "triggers-unasked", &["`slim`", "RUN make"]);
    let allowed = triggered.allow_triggers().decide::<Commit>();
    assert_eq!(allowed.expect_plan().steps[1].triggers_context.as_deref(), Some("source"));
}

#[test]
fn builds_on_what_the_instructions_of_the_image_make() {
    let job = job(MemoryTree::new()).image(image("python").triggers(&["COPY . /app"])).allow_triggers();
    let decision = job.decide::<Commit>();
    let text = decision.expect_plan().to_text();
    let begins = "1. build `carry out the ONBUILD instructions of python` on python\n   carry out ONBUILD with source\n2. run `assemble` on step 1\n";
    assert!(text.starts_with(begins), "{text}");
}

#[test]
fn takes_scripts_where_the_user_says() {
    let given = || job(MemoryTree::new()).image(image("python")).scripts_url("https://example.com/scripts");
    let decision = given().script("assemble", "#!/bin/sh\n").decide::<Commit>();
    let plan = decision.expect_plan();
    assert_eq!(plan.steps[0].command, ["/tmp/scripts/assemble"]);
    assert_eq!(plan.files["assemble"].1, b"#!/bin/sh\n");
    assert_eq!(plan.steps[0].changes.command.as_deref(), Some(&["/usr/libexec/s2i/run".to_owned()][..]));
    for page in ["<!doctype html>", "\n <HTML>", " \n", ""] {
        check_refuses(&given().script("assemble", page), "script-is-a-page", &["https://example.com/scripts", "`assemble`"]);
    }
    let missing =
        self::job(MemoryTree::new()).image(FakeImage::new("python")).scripts_url("file:///scripts").contract("assemble");
    check_refuses(&missing, "assemble-missing", &["file:///scripts"]);
}

#[test]
fn judges_no_script_that_is_not_run() {
    let unfit = || image("python").file("/usr/libexec/s2i/save-artifacts", 0o644, 7, 7);
    let job = || job(MemoryTree::new()).image(unfit()).image(image("app:1"));
    assert_eq!(job().decide::<Commit>().expect_plan().steps.len(), 1);
    let clean = job().incremental(Incremental::Wanted).decide::<Commit>();
    assert_eq!(clean.expect_plan().steps.len(), 1);
    assert!(
        clean.says(Level::Info, "clean build: `/usr/libexec/s2i/save-artifacts` in `python` may not be executed"),
        "{:?}",
        clean.log
    );
    check_refuses(&job().incremental(Incremental::Required), "incremental-not-possible", &["save-artifacts"]);
    // Who is named may be the one who may.
    let closed = || self::job(MemoryTree::new()).image(image("python").file("/usr/libexec/s2i/assemble", 0o700, 2002, 7));
    check_refuses(&closed(), "assemble-not-executable", &["`python`"]);
    assert_eq!(closed().assemble_user("2002").decide::<Commit>().expect_plan().steps.len(), 1);
}
