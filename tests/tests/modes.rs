//! The four kinds of build (clean, incremental, extended, extended incremental) by both strategies: what the scripts see, what the
//! products hold, which names exist afterwards.

use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

by_each_strategy! {
    a_clean_build_sees_the_source_and_no_artifacts
    an_incremental_build_sees_what_the_previous_product_saved
    an_extended_build_deploys_what_the_builder_left
    an_extended_incremental_build_reuses_what_the_build_image_saved
    a_build_that_is_asked_to_be_clean_reuses_nothing
    a_previous_image_without_the_script_makes_a_clean_build
    saving_nothing_is_an_empty_directory
    a_failing_save_fails_the_build_and_keeps_the_earlier_product
    artifacts_belong_to_the_user_of_the_image_that_gets_them
    a_failing_runtime_image_tags_neither
    an_extended_build_needs_a_builder_that_can_save
}

/// What a builder's `prepare` does here: it writes down all that is below /tmp, and takes the source over.
const LOOK: &str = "list /tmp /app/seen.txt\ncopy /tmp/src /app\n";

fn plain() -> Builder {
    Builder::new().user("1001:7").prepare(LOOK).run("cat /app/index.txt")
}

fn saving() -> Builder {
    plain().save("write /tmp/artifacts/cache/note.txt kept\nwhoami /tmp/artifacts/who.txt")
}

/// A builder of extended builds: its result is the source and one more file.
fn extending() -> Builder {
    saving().prepare("list /tmp /app/seen.txt\ncopy /tmp/src /tmp/build\nwrite /tmp/build/made.txt made")
}

fn runtime() -> Builder {
    Builder::new().user("2002:8").prepare(LOOK).run("cat /app/made.txt")
}

/// What `prepare` wrote down, without what it found in /tmp before: lines of kind, mode, owner, size and name.
fn seen(lab: &Lab, name: &str) -> Vec<String> {
    let seen = lab.product_file(name, "/app/seen.txt").expect("prepare wrote down what it saw");
    seen.lines().filter(|line| !line.ends_with(" .")).map(str::to_owned).collect()
}

/// The names in `seen`, without sizes.
fn names(seen: &[String]) -> Vec<&str> {
    seen.iter().filter_map(|line| line.rsplit(' ').next()).collect()
}

fn assert_all_belong_to(seen: &[String], owner: &str) {
    assert!(seen.iter().all(|line| line.contains(&format!(" {owner} "))), "not all belongs to {owner}: {seen:#?}");
}

/// The commit strategy leaves at most empty mount points in what it makes.
fn assert_holds_nothing_mounted(lab: &Lab, strategy: &str, name: &str) {
    if strategy == "commit" {
        let left = lab.listed(name, "/tmp");
        let is_mount_point = |line: &str| [" .", " src", " artifacts", " build"].iter().any(|point| line.ends_with(point));
        assert!(left.lines().all(|line| line.starts_with('d') && is_mount_point(line)), "{name} holds\n{left}");
    }
}

fn build_image(lab: &Lab) -> String {
    format!("{}-build", lab.tag("app"))
}

fn a_clean_build_sees_the_source_and_no_artifacts(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(saving());
    let source = lab.source(&[("index.txt", "hello"), ("sub/file.txt", "1"), ("empty/", "")]);
    let built = lab.build(&source, &builder, "app", &["-m", strategy]);
    built.assert_success().assert_says(&format!("clean build: there is no earlier `{}`", lab.tag("app")));
    let seen = seen(&lab, "app");
    assert_eq!(names(&seen), ["src", "src/empty", "src/index.txt", "src/sub", "src/sub/file.txt"]);
    assert_all_belong_to(&seen, "1001:7");
    assert_eq!(lab.run("app").output.stdout, "hello");
    assert_holds_nothing_mounted(&lab, strategy, "app");
    assert_eq!(lab.image_id(&build_image(&lab)), None);
    lab.assert_nothing_left();
}

fn an_incremental_build_sees_what_the_previous_product_saved(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(saving());
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let again = lab.build(&source, &builder, "app", &["-m", strategy]);
    again.assert_success().assert_says(&format!("incremental build: reuses what `{}` saves", lab.tag("app")));
    let seen = seen(&lab, "app");
    let expected = ["artifacts", "artifacts/cache", "artifacts/cache/note.txt", "artifacts/who.txt", "src", "src/index.txt"];
    assert_eq!(names(&seen), expected);
    assert_all_belong_to(&seen, "1001:7");
    assert_holds_nothing_mounted(&lab, strategy, "app");
    if strategy == "commit" {
        assert_eq!(lab.layers("app"), lab.layers(&builder) + 1, "a build never stands on the one before");
    }
    lab.assert_nothing_left();
}

fn an_extended_build_deploys_what_the_builder_left(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let (builder, runtime) = (lab.builder(extending()), lab.builder(runtime()));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy, "-R", &runtime]).assert_success().assert_says("clean build");
    let by_builder = seen(&lab, &build_image(&lab));
    assert_eq!(names(&by_builder), ["artifacts", "build", "src", "src/index.txt"]);
    assert_all_belong_to(&by_builder, "1001:7");
    let by_runtime = seen(&lab, "app");
    assert_eq!(names(&by_runtime), ["src", "src/index.txt", "src/made.txt"]);
    assert_all_belong_to(&by_runtime, "2002:8");
    assert_eq!(lab.run("app").output.stdout, "made");
    assert_holds_nothing_mounted(&lab, strategy, "app");
    // Neither strategy leaves anything in the builder of an extended build.
    assert_holds_nothing_mounted(&lab, "commit", &build_image(&lab));
    lab.assert_nothing_left();
}

fn an_extended_incremental_build_reuses_what_the_build_image_saved(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let (builder, runtime) = (lab.builder(extending()), lab.builder(runtime()));
    let source = lab.source(&[("index.txt", "hello")]);
    let arguments = ["-m", strategy, "-R", &runtime];
    lab.build(&source, &builder, "app", &arguments).assert_success();
    let again = lab.build(&source, &builder, "app", &arguments);
    again.assert_success().assert_says(&format!("incremental build: reuses what `{}` saves", build_image(&lab)));
    let by_builder = seen(&lab, &build_image(&lab));
    let expected =
        ["artifacts", "artifacts/cache", "artifacts/cache/note.txt", "artifacts/who.txt", "build", "src", "src/index.txt"];
    assert_eq!(names(&by_builder), expected);
    assert_all_belong_to(&by_builder, "1001:7");
    assert_eq!(names(&seen(&lab, "app")), ["src", "src/index.txt", "src/made.txt"], "the runtime image gets no artifacts");
    lab.assert_nothing_left();
}

fn a_build_that_is_asked_to_be_clean_reuses_nothing(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(saving());
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let again = lab.build(&source, &builder, "app", &["-m", strategy, "--clean"]);
    again.assert_success().assert_says("clean build: asked for");
    assert_eq!(names(&seen(&lab, "app")), ["src", "src/index.txt"]);
    lab.assert_nothing_left();
}

fn a_previous_image_without_the_script_makes_a_clean_build(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let again = lab.build(&source, &builder, "app", &["-m", strategy]);
    again
        .assert_success()
        .assert_says(&format!("clean build: the earlier `{}` has no `/usr/bin/save-artifacts`", lab.tag("app")));
    lab.assert_nothing_left();
}

fn saving_nothing_is_an_empty_directory(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().save("print 'nothing to save'"));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success().assert_says("incremental build");
    let seen = seen(&lab, "app");
    assert_eq!(names(&seen), ["artifacts", "src", "src/index.txt"]);
    assert_all_belong_to(&seen, "1001:7");
    lab.assert_nothing_left();
}

fn a_failing_save_fails_the_build_and_keeps_the_earlier_product(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().save("eprint 'no room'\nexit 9"));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let before = lab.image_id("app");
    let failed = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
    failed.assert_condition(1, "save-artifacts-failed").assert_says("no room");
    assert_eq!(lab.image_id("app"), before);
    lab.assert_nothing_left();
}

fn artifacts_belong_to_the_user_of_the_image_that_gets_them(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let save = "write /tmp/artifacts/secret.txt kept\nchmod 600 /tmp/artifacts/secret.txt\nchmod 700 /tmp/artifacts";
    let first = lab.builder(saving().save(save));
    let reads =
        "list /tmp /app/seen.txt\nappend /tmp/artifacts/secret.txt ' and written'\ncopy /tmp/artifacts/secret.txt /app/index.txt";
    let second = lab.builder(saving().user("3003:9").prepare(reads));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &first, "app", &["-m", strategy]).assert_success();
    lab.build(&source, &second, "app", &["-m", strategy]).assert_success().assert_says("incremental build");
    assert_all_belong_to(&seen(&lab, "app"), "3003:9");
    assert_eq!(lab.run("app").output.stdout, "kept and written");
    lab.assert_nothing_left();
}

fn a_failing_runtime_image_tags_neither(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(extending());
    let failing = lab.builder(runtime().prepare("eprint 'cannot deploy'\nexit 3"));
    let source = lab.source(&[("index.txt", "hello")]);
    let failed = lab.build(&source, &builder, "app", &["-m", strategy, "-R", &failing, "--json"]);
    failed.assert_condition(1, "build-failed").assert_says("cannot deploy");
    assert_eq!((lab.image_id("app"), lab.image_id(&build_image(&lab))), (None, None));
    lab.assert_nothing_left();
}

fn an_extended_build_needs_a_builder_that_can_save(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let (builder, runtime) = (lab.builder(plain()), lab.builder(runtime()));
    let source = lab.source(&[("index.txt", "hello")]);
    let refused = lab.build(&source, &builder, "app", &["-m", strategy, "-R", &runtime, "--json"]);
    refused.assert_condition(1, "validation-failed").assert_says("save-artifacts").assert_silent_about("step-started");
    assert_eq!((lab.image_id("app"), lab.image_id(&build_image(&lab))), (None, None));
    lab.assert_nothing_left();
}
