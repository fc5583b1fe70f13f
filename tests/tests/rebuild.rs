//! `sti rebuild`: what labels record is built again, what the user says counts more, and labels give nothing away that is the user's own.
#![expect(clippy::disallowed_methods, reason = "a test makes its surroundings")]

use std::{fs, path::Path, process::Command};

use sti_test_server::Server;
use sti_tests::{Builder, Lab, Outcome, needs_engine, run};

fn builder() -> Builder {
    Builder::new().user("1001").by_assemble().s2i("assemble", "copy /tmp/src /app\nenv A /app/a").s2i("run", "cat /app/index.txt")
}

/// `sti` in another directory than the lab's own.
fn within(lab: &Lab, directory: &str, arguments: &[&str]) -> Outcome {
    let mut command: Command = lab.command();
    command.current_dir(directory).args(arguments);
    lab.run_command(command)
}

fn label(lab: &Lab, name: &str, label: &str) -> Option<String> {
    lab.config(name)["Labels"][label].as_str().map(str::to_owned)
}

/// An image that says of itself whatever is wanted.
fn saying(lab: &Lab, labels: &[(&str, &str)]) -> String {
    let image = labels.iter().fold(Builder::new(), |image, (name, value)| image.config(&format!("LABEL {name}={value}")));
    lab.builder(image)
}

#[test]
fn a_product_is_built_again_as_it_was() {
    needs_engine!();
    let lab = Lab::new();
    let (image, runtime) = (lab.builder(builder()), lab.builder(Builder::new().user("1001").s2i("run", "cat /app/index.txt")));
    let source = lab.source(&[("index.txt", "first"), ("part/index.txt", "of a part")]);
    let flags = ["-m", "commit", "-e", "A=1,2 3", "-e", "B=x", "--label", "team=blue", "--network", "none", "--incremental"];
    lab.build(&source, &image, "app", &flags).assert_success();
    fs::write(Path::new(&source).join("index.txt"), "second").unwrap();
    let again = within(&lab, &source, &["rebuild", &lab.tag("app")]);
    again.assert_success().assert_says("building again: sti build --strategy=commit").assert_says("--network=none");
    again.assert_says("with variables as the image has them: A, B").assert_silent_about("1,2 3");
    assert_eq!(lab.run("app").output.stdout, "second");
    assert_eq!(lab.product_file("app", "/app/a").as_deref(), Some("1,2 3"));
    for (name, value) in [
        ("team", "blue"),
        ("io.sti.build.strategy", "commit"),
        ("io.sti.build.network", "none"),
        ("io.sti.build.incremental", "wanted"),
        ("io.sti.build.environment", r#"["A","B"]"#),
        ("io.sti.build.labels", r#"["team"]"#),
    ] {
        assert_eq!(label(&lab, "app", name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(label(&lab, "app", "io.sti.build.builder-id"), lab.image_id(&image));
    let extended = ["--runtime", &runtime, "--runtime-artifact", "/app/index.txt:app", "-m", "commit"];
    lab.build(&source, &image, "extended", &extended).assert_success();
    let again = within(&lab, &source, &["rebuild", &lab.tag("extended"), &lab.tag("other")]);
    again.assert_success().assert_says("--runtime-artifact=/app/index.txt:app");
    assert_eq!(lab.config("other")["Cmd"], lab.config("extended")["Cmd"]);
    lab.assert_nothing_left();
}

#[test]
fn what_the_user_says_counts_more() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder());
    let (source, elsewhere) = (lab.source(&[("index.txt", "here")]), lab.source(&[("index.txt", "elsewhere")]));
    lab.build(&source, &image, "app", &["-m", "commit", "-e", "A=1", "--label", "team=blue"]).assert_success();
    let first = lab.image_id("app");
    let tag = lab.tag("other");
    let more = ["-e", "A=2", "--label=team=red", "-m", "dockerfile", "--source", &elsewhere, "--quiet"];
    let again = lab.sti([&["rebuild", &lab.tag("app"), &tag], more.as_slice()].concat());
    again.assert_success();
    assert_eq!(again.stdout.trim_end(), lab.image_id("other").unwrap());
    assert_eq!(lab.image_id("app"), first, "the other name alone is given");
    assert_eq!(lab.run("other").output.stdout, "elsewhere");
    assert_eq!(lab.product_file("other", "/app/a").as_deref(), Some("2"));
    assert_eq!(label(&lab, "other", "team").as_deref(), Some("red"));
    assert_eq!(label(&lab, "other", "io.sti.build.strategy").as_deref(), Some("dockerfile"));
    lab.assert_nothing_left();
}

#[test]
fn a_directory_elsewhere_needs_the_users_word() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(builder());
    let (source, elsewhere) = (lab.source(&[("index.txt", "here")]), lab.source(&[]));
    lab.build(&source, &image, "app", &["-m", "commit"]).assert_success();
    let (first, tag) = (lab.image_id("app"), lab.tag("app"));
    let refused = within(&lab, &elsewhere, &["rebuild", &tag, "--json"]);
    refused.assert_error(
        2,
        "invalid-argument",
        &["not in the current directory", &format!("--source {source}"), "--trust-labels"],
    );
    assert_eq!(lab.image_id("app"), first);
    within(&lab, &elsewhere, &["rebuild", &tag, "--source", &source]).assert_success();
    within(&lab, &elsewhere, &["rebuild", "--trust-labels", &tag]).assert_success();
    within(&lab, &elsewhere, &["rebuild", &tag, "--trust-labels", "--clean"]).assert_success();
    fs::remove_dir_all(&source).unwrap();
    let gone = within(&lab, &elsewhere, &["rebuild", &tag, "--json"]);
    gone.assert_error(2, "invalid-argument", &[&format!("it was built from `{source}`"), "--source SOURCE"]);
    lab.assert_nothing_left();
}

#[test]
fn an_image_that_nobody_built_so_is_told_which_label_it_lacks() {
    needs_engine!();
    let lab = Lab::new();
    let plain = lab.builder(Builder::new());
    let refused = lab.sti(["rebuild", &plain, "--json"]);
    refused.assert_error(2, "invalid-argument", &["no label `io.openshift.s2i.build.image`", "sti build SOURCE"]);
    let half = saying(&lab, &[("io.openshift.s2i.build.image", "builder")]);
    lab.sti(["rebuild", &half, "--json"]).assert_error(2, "invalid-argument", &["build.source-location"]);
    let nowhere = lab.sti(["rebuild", "sti-test/nowhere", "--pull", "never", "--json"]);
    nowhere.assert_error(5, "no-such-image", &["sti-test/nowhere"]);
    lab.sti(["rebuild", &plain, "--no-such-flag"]).assert_exit(2).assert_says("--no-such-flag");
    lab.sti(["rebuild"]).assert_exit(2);
    lab.assert_nothing_left();
}

#[test]
fn what_s2i_has_built_is_built_again() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (lab.builder(builder()), lab.source(&[("index.txt", "hello")]));
    let labels = [
        ("io.openshift.s2i.build.image", builder.as_str()),
        ("io.openshift.s2i.build.source-location", &source),
        ("io.openshift.s2i.build.commit.ref", "main"),
        ("io.openshift.s2i.build.source-context-dir", "."),
    ];
    let earlier = saying(&lab, &labels);
    within(&lab, &source, &["rebuild", &earlier, &lab.tag("app"), "-m", "commit"]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "hello");
    lab.assert_nothing_left();
}

#[test]
fn labels_give_nothing_away_that_is_the_users_own() {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let labels = |more: (&'static str, &'static str)| {
        saying(&lab, &[("io.openshift.s2i.build.image", "builder"), ("io.openshift.s2i.build.source-location", &source), more])
    };
    for (label, value, told) in [
        ("io.sti.build.assemble-user", "root", "may be root"),
        ("io.sti.build.assemble-user", "0:1001", "may be root"),
        ("io.sti.build.assemble-runtime-user", "app", "may be root"),
        ("io.sti.build.scripts-url", "http://169.254.169.254/x", "has scripts taken from"),
        ("io.sti.build.strategy", "/tmp/evil.wasm", "names a file"),
        ("io.sti.build.fetcher", "evil.wasm", "names a file"),
        ("io.sti.build.component", "sha256:00", "component of a file"),
        ("io.sti.build.settings", "not-json", "cannot be read"),
        ("io.sti.build.network", "host", "invalid value"),
        ("io.sti.build.network", "--policy=/tmp/x", "invalid value"),
    ] {
        let image = labels((label, value));
        let refused = within(&lab, &source, &["rebuild", &image, "--json"]);
        refused.assert_exit(2).assert_says(told);
    }
    // A name that looks like a flag is none.
    let image =
        saying(&lab, &[("io.openshift.s2i.build.image", "--policy=/x"), ("io.openshift.s2i.build.source-location", &source)]);
    within(&lab, &source, &["rebuild", &image, "--json"]).assert_error(2, "invalid-reference", &["--policy=/x"]);
    lab.assert_nothing_left();
}

#[test]
fn a_server_of_a_label_is_reached_as_a_strangers() {
    needs_engine!();
    let lab = Lab::new();
    let web = lab.root().join("web");
    let project = web.join("app");
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("index.txt"), "of the server").unwrap();
    run(&project, "git", &["init", "-q", "-b", "main", "."]);
    run(&project, "git", &["add", "-A"]);
    run(&project, "git", &["commit", "-q", "-m", "first"]);
    run(&web, "git", &["clone", "-q", "--bare", "app", "app.git"]);
    let server = Server::start(&web, None);
    let (image, address) = (lab.builder(builder()), format!("{}/app.git#main", server.url));
    lab.build(&address, &image, "app", &["-m", "commit", "--no-cache"]).assert_success();
    let _before = server.asked_since();
    let (tag, host) = (lab.tag("app"), server.url.trim_start_matches("http://").to_owned());
    let refused = lab.sti(["rebuild", &tag, "--json"]);
    refused.assert_error(3, "not-granted", &["may not reach", "127.0.0.1", &format!("--allow-host {host}")]);
    assert_eq!(server.asked(), Vec::<String>::new(), "nobody asked it anything");
    lab.sti(["rebuild", &tag, "--allow-host", &host]).assert_success().assert_says("--ref=main");
    lab.sti(["rebuild", &tag, "--trust-labels"]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "of the server");
    lab.assert_nothing_left();
}
