//! The product as an image: its command and configuration, its variables and labels, its layers, and what becomes of the one before.
#![expect(clippy::unwrap_used, reason = "a test ends by a panic")]

use serde_json::{Value, json};
use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

by_each_strategy! {
    everything_but_the_command_is_kept_as_the_builder_has_it
    an_entrypoint_is_passed_by_in_the_build_and_kept_with_a_warning
    variables_reach_prepare_and_stay_in_the_product
    variables_of_a_file_yield_to_those_of_the_command_line
    an_extended_product_is_made_of_the_runtime_image
    labels_tell_where_a_product_came_from
}

fn plain() -> Builder {
    Builder::new().user("1001").prepare("copy /tmp/src /app").run("cat /app/index.txt")
}

fn source(lab: &Lab) -> String {
    lab.source(&[("index.txt", "hello")])
}

/// The members of a configuration that a build may not change. The engine writes none of something in different ways.
fn kept(config: &Value) -> Vec<(&'static str, Value)> {
    const KEPT: [&str; 6] = ["Entrypoint", "User", "WorkingDir", "ExposedPorts", "Volumes", "Healthcheck"];
    let none =
        |value: &Value| value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty);
    KEPT.map(|name| (name, if none(&config[name]) { Value::Null } else { config[name].clone() })).to_vec()
}

fn variable<'a>(config: &'a Value, name: &str) -> Option<&'a str> {
    let mut all = config["Env"].as_array().into_iter().flatten().filter_map(Value::as_str);
    all.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn everything_but_the_command_is_kept_as_the_builder_has_it(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let rich = plain()
        .directory("/data", 0o755)
        .config("ENV PATH=/usr/bin")
        .config("ENV COLOUR=blue")
        .config("ENV SENTENCE=\"two words, 'quoted' = $HOME\"")
        .config("WORKDIR /app")
        .config("EXPOSE 8080/tcp")
        .config("VOLUME /data")
        .config("LABEL team=web")
        .config(r#"HEALTHCHECK --interval=30s CMD ["/usr/bin/fixture", "print", "well"]"#)
        .config(r#"CMD ["/nothing"]"#);
    let builder = lab.builder(rich);
    lab.build(&source(&lab), &builder, "app", &["-m", strategy]).assert_success();
    let (before, after) = (lab.config(&builder), lab.config("app"));
    assert_eq!(after["Cmd"], json!(["/usr/bin/run"]));
    assert_eq!(kept(&after), kept(&before));
    assert_eq!(after["Env"], before["Env"]);
    assert_eq!(after["Labels"]["team"], "web");
    assert_eq!(lab.run("app").output.stdout, "hello");
    if strategy == "commit" {
        assert_eq!(lab.layers("app"), lab.layers(&builder) + 1);
    }
    lab.assert_nothing_left();
}

fn an_entrypoint_is_passed_by_in_the_build_and_kept_with_a_warning(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let entry = plain().script("entry", "print 'the entrypoint speaks'").config(r#"ENTRYPOINT ["/usr/bin/entry"]"#);
    let builder = lab.builder(entry.save("write /tmp/artifacts/kept.txt kept"));
    for kind in ["clean build", "incremental build"] {
        let built = lab.build(&source(&lab), &builder, "app", &["-m", strategy]);
        built.assert_success().assert_says(kind).assert_silent_about("the entrypoint speaks");
        let warnings = built.stderr.lines().filter(|line| line.contains("warning:")).collect::<Vec<_>>();
        assert!(warnings.len() == 1 && warnings[0].contains("/usr/bin/entry"), "one warning of the entrypoint\n{built}");
    }
    let config = lab.config("app");
    assert_eq!((&config["Entrypoint"], &config["Cmd"]), (&json!(["/usr/bin/entry"]), &json!(["/usr/bin/run"])));
    assert_eq!(lab.run("app").output.stdout, "the entrypoint speaks\n");
    assert_eq!(lab.product_file("app", "/app/index.txt").as_deref(), Some("hello"));
    lab.assert_nothing_left();
}

fn variables_reach_prepare_and_stay_in_the_product(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let names = ["A", "B", "LIST", "OPTS", "EMPTY", "TEXT", "BASE"];
    let prepare = names.map(|name| format!("env {name} /app/{name}")).join("\n");
    let builder = lab.builder(plain().prepare(&prepare).config("ENV BASE=old").config("ENV OTHER=other"));
    let text = "$HOME `id` \"q\" 'q' \\n #x ${A} \\";
    let built = lab.sti([
        "build",
        &source(&lab),
        &builder,
        &lab.tag("app"),
        "-m",
        strategy,
        "-e",
        "A=1,B=2",
        "-e",
        "LIST=1,2,3",
        "-e",
        "OPTS=-Xa,-Db=c",
        "-e",
        "EMPTY=",
        "-e",
        &format!("TEXT={text}"),
        "-e",
        "BASE=new",
    ]);
    built.assert_success();
    let config = lab.config("app");
    let expected =
        [("A", "1"), ("B", "2"), ("LIST", "1,2,3"), ("OPTS", "-Xa,-Db=c"), ("EMPTY", ""), ("TEXT", text), ("BASE", "new")];
    for (name, value) in expected {
        assert_eq!(lab.product_file("app", &format!("/app/{name}")).as_deref(), Some(value), "prepare saw {name}");
        assert_eq!(variable(&config, name), Some(value), "the product has {name}");
    }
    assert_eq!(variable(&config, "OTHER"), Some("other"));
    lab.assert_nothing_left();
}

fn variables_of_a_file_yield_to_those_of_the_command_line(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let file = lab.source(&[("vars", "# variables\n\nFIRST=file\nSECOND=file,THIRD=three\n  FOURTH=a#b \n")]) + "/vars";
    let built = lab.build(&source(&lab), &builder, "app", &["-m", strategy, "-E", &file, "-e", "FIRST=line"]);
    built.assert_success();
    let config = lab.config("app");
    for (name, value) in [("FIRST", "line"), ("SECOND", "file"), ("THIRD", "three"), ("FOURTH", "a#b")] {
        assert_eq!(variable(&config, name), Some(value), "{name}");
    }
    lab.assert_nothing_left();
}

fn an_extended_product_is_made_of_the_runtime_image(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder =
        plain().prepare("copy /tmp/src /tmp/build\nenv MODE /tmp/build/mode").save("print nothing").config("ENV SIDE=builder");
    let runtime = plain()
        .user("2002")
        .prepare("copy /tmp/src /app\nenv MODE /app/mode-here")
        .config("ENV SIDE=runtime")
        .config("EXPOSE 9090/tcp");
    let (builder, runtime) = (lab.builder(builder), lab.builder(runtime));
    lab.build(&source(&lab), &builder, "app", &["-m", strategy, "-R", &runtime, "-e", "MODE=fast"]).assert_success();
    let config = lab.config("app");
    assert_eq!(kept(&config), kept(&lab.config(&runtime)));
    assert_eq!(config["Cmd"], json!(["/usr/bin/run"]));
    assert_eq!((variable(&config, "SIDE"), variable(&config, "MODE")), (Some("runtime"), Some("fast")));
    for path in ["/app/mode", "/app/mode-here"] {
        assert_eq!(lab.product_file("app", path).as_deref(), Some("fast"), "{path}");
    }
    if strategy == "commit" {
        assert_eq!(lab.layers("app"), lab.layers(&runtime) + 1);
    }
    lab.assert_nothing_left();
}

fn labels_tell_where_a_product_came_from(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().config("LABEL team=web"));
    let source = source(&lab);
    let labels = ["--label", "team=shop", "--label", "note=a, b = \"c\" $HOME"];
    lab.build(&source, &builder, "app", &[&["-m", strategy], &labels[..]].concat()).assert_success();
    let labels = &lab.config("app")["Labels"];
    let builder_image = labels["io.openshift.s2i.build.image"].as_str().unwrap();
    assert!(builder_image.ends_with(&builder), "{builder_image}");
    assert_eq!(labels["io.openshift.s2i.build.source-location"], *source);
    assert_eq!(labels["org.opencontainers.image.source"], *source);
    let created = labels["org.opencontainers.image.created"].as_str().unwrap();
    assert!(created.len() == "2026-01-01T00:00:00Z".len() && created.ends_with('Z'), "{created}");
    assert_eq!((&labels["team"], &labels["note"]), (&json!("shop"), &json!("a, b = \"c\" $HOME")));
    assert_eq!(labels.get("sti.build"), None, "a product is nothing that a clean-up may find");
    lab.assert_nothing_left();
}

#[test]
fn a_variable_of_several_lines_is_kept_or_refused_but_never_changed() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().prepare("copy /tmp/src /app\nenv TEXT /app/text"));
    let build = |strategy: &str| lab.build(&source(&lab), &builder, "app", &["-m", strategy, "-e", "TEXT=one\ntwo"]);
    let refused = build("dockerfile");
    refused.assert_exit(1).assert_says("TEXT").assert_says("--strategy commit").assert_silent_about("==> ");
    assert_eq!(lab.image_id("app"), None);
    build("commit").assert_success();
    assert_eq!(lab.product_file("app", "/app/text").as_deref(), Some("one\ntwo"));
    assert_eq!(variable(&lab.config("app"), "TEXT"), Some("one\ntwo"));
    lab.assert_nothing_left();
}

#[test]
fn the_previous_image_stays_unless_its_removal_is_asked_for() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain().prepare("copy /tmp/src /app\nenv ROUND /app/round"));
    let source = source(&lab);
    let build = |round: &str, further: &[&str]| {
        let variable = format!("ROUND={round}");
        lab.build(&source, &builder, "app", &[&["-m", "commit", "-e", &variable], further].concat()).assert_success();
        lab.image_id("app").unwrap()
    };
    let exists = |id: &str| lab.engine().find(&format!("/images/{id}/json")).unwrap().is_some();
    let (first, second) = (build("1", &[]), build("2", &[]));
    assert!(exists(&first) && exists(&second));
    let third = build("3", &["--rm-previous"]);
    assert!(exists(&first) && !exists(&second) && exists(&third));
    lab.assert_nothing_left();
}

#[test]
fn a_previous_image_that_has_another_name_keeps_it() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let source = source(&lab);
    lab.build(&source, &builder, "app", &["-m", "commit"]).assert_success();
    let first = lab.image_id("app").unwrap();
    let other = lab.tag("other");
    let (name, tag) = other.rsplit_once(':').unwrap();
    lab.engine().post(&format!("/images/{first}/tag?repo={name}&tag={tag}"), &Value::Null).unwrap();
    lab.build(&source, &builder, "app", &["-m", "commit", "--rm-previous", "-e", "ROUND=2"]).assert_success();
    assert_eq!(lab.image_id("other"), Some(first));
    lab.assert_nothing_left();
}
