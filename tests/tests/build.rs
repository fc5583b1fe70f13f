//! Building: the plain way from a source to a running image.

use sti_tests::{Builder, Lab, needs_engine};

/// A builder that keeps the source and what it was told.
fn plain() -> Builder {
    Builder::new().user("1001").prepare("copy /tmp/src /app\nwhoami /app/who.txt\nprint 'prepared'").run("cat /app/index.txt")
}

#[test]
fn a_directory_becomes_an_image_that_runs() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let source = lab.source(&[("index.txt", "hello"), ("empty/", "")]);
    lab.sti(["build", &source, &builder, &lab.tag("app"), "--strategy", "commit"]).assert_success().assert_says("prepared");
    assert_eq!(lab.run("app").output.stdout, "hello");
    assert!(lab.product_file("app", "/app/who.txt").unwrap().contains("uid=1001"));
    assert_eq!(
        lab.run_verbs("app", "absent /tmp/src/index.txt then ensure /app/empty").code,
        0,
        "the source is no part of the product"
    );
    lab.assert_nothing_left();
}

#[test]
fn a_failing_prepare_ends_the_build_and_tags_nothing() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().prepare("eprint 'no such module'\nexit 7"));
    let source = lab.source(&[("index.txt", "hello")]);
    let outcome = lab.sti(["build", &source, &builder, &lab.tag("app"), "--strategy", "commit"]);
    outcome.assert_exit(1).assert_says("no such module").assert_says("7");
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}
