//! The crate `sti` used as a library: its example, which is the one of its documentation, builds and fails as the program does.

use sti_tests::{Builder, Lab, Outcome, built_example, needs_engine};

fn run_example(lab: &Lab, arguments: &[&str]) -> Outcome {
    let mut command = lab.command_of(&built_example("build"));
    command.args(arguments);
    lab.run_command(command)
}

#[test]
fn the_example_of_the_library_builds_and_collects_what_happened() {
    needs_engine!();
    let lab = Lab::new();
    let builder =
        lab.builder(Builder::new().user("1001").prepare("print prepared\ncopy /tmp/src /app").run("cat /app/index.txt"));
    let source = lab.source(&[("index.txt", "hello")]);
    let built = run_example(&lab, &[&source, &builder, &lab.tag("app")]);
    built.assert_success();
    let image = lab.image_id("app").expect("a product");
    assert_eq!(built.stdout, format!("{} is {image}\n| prepared\n", lab.tag("app")));
    assert_eq!(built.stderr, "", "a library prints nothing");
    assert_eq!(lab.run("app").output.stdout, "hello");
    lab.assert_nothing_left();
}

#[test]
fn an_error_of_the_library_is_known_by_its_condition() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(Builder::new().prepare("print before\nexit 7").run("print run"));
    let source = lab.source(&[("index.txt", "hello")]);
    let failed = run_example(&lab, &[&source, &builder, &lab.tag("app")]);
    failed.assert_success().assert_says("build-failed: ").assert_says("7").assert_says("| before");
    assert_eq!((lab.image_id("app"), failed.stderr.as_str()), (None, ""));
    lab.assert_nothing_left();
}
