//! `ONBUILD` instructions of images: refused with what they would do, or carried out as the engine's own builder does it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;
use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

by_each_strategy! {
    they_are_refused_unless_they_are_allowed
    they_see_the_source_and_come_before_the_scripts
    an_error_in_one_of_them_is_an_error_of_the_build
    they_run_as_whom_they_name
    they_are_the_whole_build_of_an_image_without_scripts
}

fn image() -> Builder {
    let assemble = "list /app /app/seen.txt\ncopy /tmp/src /app/made";
    Builder::new().user("1001:7").by_assemble().s2i("assemble", assemble).s2i("run", "cat /app/made/index.txt")
}

fn they_are_refused_unless_they_are_allowed(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let instruction = r#"RUN ["/usr/bin/fixture", "write", "/app/trigger.txt", "ran"]"#;
    let builder = lab.builder(image().config(&format!("ONBUILD {instruction}")));
    let prepared = Builder::new().user("1001:7").prepare("copy /tmp/src /app").run("cat /app/index.txt");
    let prepared = lab.builder(prepared.config(&format!("ONBUILD {instruction}")));
    let source = lab.source(&[("index.txt", "hello")]);
    for (builder, app) in [(&builder, "app"), (&prepared, "prepared")] {
        let refused = lab.build(&source, builder, app, &["-m", strategy, "--json"]);
        refused.assert_error(1, "validation-failed", &["ONBUILD", "/app/trigger.txt", "--allow-onbuild"]);
        assert_eq!(lab.image_id(app), None);
        lab.build(&source, builder, app, &["-m", strategy, "--allow-onbuild"]).assert_success();
        assert_eq!(lab.product_file(app, "/app/trigger.txt").as_deref(), Some("ran"));
        assert_eq!(lab.run(app).output.stdout, "hello");
        assert_eq!(lab.config(app)["OnBuild"].as_array().map_or(0, Vec::len), 0, "they are for one build");
    }
    lab.assert_nothing_left();
}

fn they_see_the_source_and_come_before_the_scripts(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().config("ONBUILD COPY . /app/copied").config("ONBUILD ENV TRIGGERED=yes"));
    let source = lab.source(&[
        ("index.txt", "hello"),
        ("sub/file.txt", "1"),
        (".hidden", "2"),
        (".dockerignore", "left-out\n"),
        ("left-out", "3"),
    ]);
    let flags = ["-m", strategy, "--allow-onbuild"];
    let planned = lab.sti(["plan", &source, &builder, &lab.tag("app"), "-m", strategy, "--allow-onbuild"]);
    planned.assert_success().assert_says("COPY . /app/copied");
    lab.build(&source, &builder, "app", &flags).assert_success();
    let seen = lab.product_file("app", "/app/seen.txt").unwrap_or_default();
    let names: Vec<&str> =
        seen.lines().filter_map(|line| line.rsplit(' ').next()).filter(|name| name.starts_with("copied")).collect();
    assert_eq!(names, ["copied", "copied/.hidden", "copied/index.txt", "copied/sub", "copied/sub/file.txt"], "{seen}");
    let variables = lab.config("app")["Env"].clone();
    assert!(variables.as_array().into_iter().flatten().any(|variable| *variable == "TRIGGERED=yes"), "{variables}");
    assert_eq!(lab.config("app")["Cmd"], json!(["/usr/libexec/s2i/run"]));
    lab.assert_nothing_left();
}

fn an_error_in_one_of_them_is_an_error_of_the_build(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().config(r#"ONBUILD RUN ["/usr/bin/fixture", "exit", "9"]"#));
    let source = lab.source(&[("index.txt", "hello")]);
    let failed = lab.build(&source, &builder, "app", &["-m", strategy, "--allow-onbuild", "--json"]);
    failed.assert_error(1, "build-failed", &["exit code 9"]);
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

fn they_run_as_whom_they_name(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let who = r#"ONBUILD RUN ["/usr/bin/fixture", "whoami", "/root.txt"]"#;
    let builder = lab.builder(image().config("ONBUILD USER 0").config(who).config("ONBUILD USER 1001:7"));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy, "--allow-onbuild"]).assert_success();
    let root = lab.product_file("app", "/root.txt").unwrap_or_default();
    assert!(root.starts_with("uid=0 "), "{root}");
    assert_eq!(lab.config("app")["User"], "1001:7");
    let refused = lab.build(&source, &builder, "other", &["-m", strategy, "--allow-onbuild", "--allowed-uids", "1-", "--json"]);
    refused.assert_error(3, "not-granted", &["number is 0", "--allowed-uids"]);
    assert_eq!(lab.image_id("other"), None);
    lab.assert_nothing_left();
}

fn they_are_the_whole_build_of_an_image_without_scripts(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let image =
        Builder::new().user("1001:7").config("WORKDIR /app").config(r#"CMD ["/usr/bin/fixture", "cat", "/app/index.txt"]"#);
    let builder = lab.builder(image.config("ONBUILD COPY . /app"));
    let source = lab.source(&[("index.txt", "hello"), (".s2i/environment", "MODE=fast\n")]);
    let flags = ["-m", strategy, "--allow-onbuild"];
    let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
    refused.assert_error(1, "validation-failed", &["COPY . /app", "--allow-onbuild"]);
    let built = lab.build(&source, &builder, "app", &flags);
    built.assert_success().assert_says("has no scripts, so its ONBUILD instructions are all that is carried out");
    assert_eq!(lab.run("app").output.stdout, "hello");
    let config = lab.config("app");
    assert!(config["Env"].as_array().into_iter().flatten().any(|variable| *variable == "MODE=fast"), "{config}");
    assert_eq!(config["User"], "1001:7");
    let extended = lab.build(&source, &builder, "app", &[&flags[..], &["-R", &builder, "--json"]].concat());
    extended.assert_error(1, "validation-failed", &["an extended build needs scripts"]);

    let program = lab.source(&[("run", "print 'of the source'")]);
    fs::set_permissions(Path::new(&program).join("run"), fs::Permissions::from_mode(0o755)).expect("a file of the test");
    lab.build(&program, &builder, "other", &flags).assert_success().assert_says("the entrypoint is `./run` of the source");
    let config = lab.config("other");
    assert_eq!((&config["Entrypoint"], config["Cmd"].as_array().map_or(0, Vec::len)), (&json!(["./run"]), 0), "{config}");
    lab.assert_nothing_left();
}
