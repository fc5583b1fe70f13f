//! What is wrong with a request or with images, one row each: exit code, condition, and the words that people need.

use std::{fs, os::unix::net::UnixListener, process::Command};

use sti_tests::{Builder, Lab, needs_engine};

/// One thing that is wrong: the arguments of `sti build`, the exit code, the condition, and words that the error must have.
type Row<'a> = (&'a [&'a str], i32, &'a str, &'a [&'a str]);

/// Provokes the error twice: for machines, to be held against the row, and for people. Answers the latter.
fn check(lab: &Lab, (arguments, exit, condition, words): &Row<'_>) -> String {
    let told = lab.sti([&["build"][..], arguments, &["--json", "--debug"]].concat());
    told.assert_error(*exit, condition, words).assert_no_request("POST /containers");
    assert_eq!(lab.image_id("app"), None, "{told}");
    let outcome = lab.sti([&["build"][..], arguments].concat());
    outcome.assert_exit(*exit);
    assert!(!outcome.stderr.contains('\u{1b}') && outcome.stdout.is_empty(), "{outcome}");
    let shown = arguments.iter().skip(1).copied().collect::<Vec<_>>().join(" ");
    lab.scrub(&format!("$ sti build SOURCE {shown}\n{}\n", outcome.stderr))
}

fn check_all(lab: &Lab, rows: &[Row<'_>]) -> String {
    let told = rows.iter().map(|row| check(lab, row)).collect();
    lab.assert_nothing_left();
    told
}

fn plain() -> Builder {
    Builder::new().user("1001").prepare("copy /tmp/src /app").run("cat /app/index.txt")
}

#[test]
fn a_malformed_request_is_refused_before_any_work_and_the_nearest_offered() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, tag) = (lab.builder(plain()), lab.tag("app"));
    let source = lab.source(&[("index.txt", "hello")]);
    let (s, b, t) = (source.as_str(), builder.as_str(), tag.as_str());
    let digest = format!("app@sha256:{}", "0".repeat(64));
    let rows: &[Row<'_>] = &[
        (&[s, b, t, "-e", "A"], 2, "invalid-environment", &["`A`", "-e A=VALUE"]),
        (&[s, b, t, "-e", "A B=1"], 2, "invalid-environment", &["`A B`", "-e A=VALUE"]),
        (&[s, b, t, "-e", "=1"], 2, "invalid-environment", &["-e NAME=VALUE"]),
        (&[s, b, t, "-E", "none.env"], 2, "invalid-environment", &["`none.env`", "-E FILE"]),
        (&[s, b, "App:1"], 2, "invalid-reference", &["`App:1`", "`app:1`"]),
        (&[s, b, "app:-1"], 2, "invalid-reference", &["`app:-1`"]),
        (&[s, "Builder//x", t], 2, "invalid-reference", &["`Builder//x`"]),
        (&[s, b, t, "-R", "Runtime"], 2, "invalid-reference", &["`Runtime`", "`runtime`"]),
        (&[s, b, &digest], 2, "invalid-argument", &["digest"]),
        (&[s, b, t, "--strategy", "comit"], 2, "invalid-strategy", &["`comit`", "`dockerfile`", "--strategy commit"]),
        (&[s, b, t, "--strategy", "none.wasm"], 2, "invalid-argument", &["`none.wasm`", "sti plugins"]),
        (&[s, b, t, "--set", "x"], 2, "invalid-argument", &["--set NAME=VALUE"]),
        (&[s, b, t, "--set", "x=1"], 2, "invalid-argument", &["`x`", "`dockerfile`", "no settings"]),
        (&[s, b, t, "--label", "x"], 2, "invalid-argument", &["--label NAME=VALUE"]),
        (&[s, b, t, "--ref", "main"], 2, "invalid-ref", &["--ref main", "git source"]),
        (&[s, b, t, "--strip-components", "1"], 2, "invalid-argument", &["--strip-components", "archive:FILE"]),
        (&[s, b, t, "--context-dir", "none"], 2, "source-not-found", &["`none`", "nothing of this name"]),
        (&[s, b, t, "--context-dir", "../up"], 2, "source-not-found", &["`../up`", "out of the source"]),
        (&[s, b, t, "--context-dir", "index.txt"], 2, "source-not-found", &["`index.txt`", "file"]),
        (&[s, b, t, "--engine", "embedded"], 2, "invalid-argument", &["embedded", "--engine docker"]),
        (&[s, b, t, "-U", "ftp://x"], 2, "invalid-argument", &["`ftp://x`", "`unix`"]),
        (&[s, b, t, "-U", "unix:///nowhere/none.sock"], 5, "connection-failed", &["unix:///nowhere/none.sock", "--url"]),
        (&[s, b, t, "-U", "tcp://127.0.0.1:1"], 5, "connection-failed", &["tcp://127.0.0.1:1", "refused"]),
    ];
    insta::assert_snapshot!("malformed_requests", check_all(&lab, rows));
}

#[test]
fn a_source_that_cannot_be_built_is_named_before_any_container() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, tag) = (lab.builder(plain()), lab.tag("app"));
    let (b, t) = (builder.as_str(), tag.as_str());
    let with_fifo = lab.source(&[("sub/index.txt", "hello")]);
    let fifo = format!("{with_fifo}/sub/pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo is there").success());
    let with_socket = lab.source(&[("index.txt", "hello")]);
    let socket = format!("{with_socket}/sock");
    let _listener = UnixListener::bind(&socket).expect("a socket of a new name");
    let bad_rules = lab.source(&[(".s2iignore", "ok\n[z-a]\n"), ("index.txt", "hello")]);
    let rows: &[Row<'_>] = &[
        (&["./none", b, t], 2, "source-not-found", &["`./none`", "directory or a file"]),
        (&["", b, t], 2, "invalid-argument", &["SOURCE"]),
        (&["/dev/null", b, t], 2, "source-not-found", &["`/dev/null`", "device"]),
        (&[&fifo, b, t], 2, "source-not-found", &["pipe`", "FIFO"]),
        (&[&with_fifo, b, t], 2, "source-not-found", &["sub/pipe`", "FIFO", ".s2iignore"]),
        (&[&socket, b, t], 2, "source-not-found", &["sock`", "socket"]),
        (&[&with_socket, b, t], 2, "source-not-found", &["sock`", "socket", ".s2iignore"]),
        (&[&bad_rules, b, t], 2, "source-not-found", &[".s2iignore`, line 2"]),
        (&["nope:app", b, t], 2, "invalid-argument", &["`nope:app`", "--fetcher"]),
        (&["archive:none.tar.gz", b, t], 2, "source-not-found", &["no file `none.tar.gz`"]),
        (&["archive:.", b, t], 2, "source-not-found", &["`.` is a directory"]),
        (&["git:none", b, t], 2, "source-not-found", &["none"]),
        (&["http://127.0.0.1:1/app.git", b, t], 5, "fetch-failed", &["127.0.0.1:1"]),
    ];
    insta::assert_snapshot!("bad_sources", check_all(&lab, rows));
}

#[test]
fn images_that_are_nowhere_or_cannot_take_part_are_told_apart() {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let (plain_image, tag) = (lab.builder(plain()), lab.tag("app"));
    let without_prepare = lab.builder(Builder::new().run("print hello"));
    let closed =
        lab.builder(Builder::new().user("1001").run("print hello").file("/usr/bin/prepare", 0o644, "#!/usr/bin/fixture\n"));
    let bringing_along = lab.builder(plain().config("ONBUILD RUN [\"/usr/bin/fixture\"]"));
    let (s, t, p) = (source.as_str(), tag.as_str(), plain_image.as_str());
    let never: &[&str] = &["`localhost:1/none:1`", "--pull never"];
    let rows: &[Row<'_>] = &[
        (&[s, "localhost:1/none:1", t, "--pull", "never"], 5, "no-such-builder-image", never),
        (&[s, p, t, "-R", "localhost:1/none:1", "--pull", "never"], 5, "no-such-runtime-image", never),
        (&[s, "localhost:1/none:1", t], 5, "pull-failed", &["`localhost:1/none:1`", "refused", "--pull never"]),
        (&[s, &without_prepare, t], 1, "validation-failed", &[&without_prepare, "/usr/bin/prepare"]),
        (&[s, &closed, t], 1, "validation-failed", &[&closed, "/usr/bin/prepare", "executable"]),
        (&[s, p, t, "-R", p], 1, "validation-failed", &[p, "save-artifacts"]),
        (&[s, &bringing_along, t], 1, "validation-failed", &[&bringing_along, "ONBUILD", "--allow-onbuild"]),
        (&[s, p, t, "--contract", "assemble"], 1, "validation-failed", &["`assemble`", ".s2i/bin", "/usr/libexec/s2i"]),
        (&[s, p, t, "--destination", "/opt", "--contract", "prepare"], 1, "validation-failed", &["--destination", "`prepare`"]),
        (&[s, p, t, "--scripts-url", "/opt"], 1, "validation-failed", &["--scripts-url /opt", "image:///"]),
        (&[s, p, t, "--assemble-user", ""], 2, "invalid-argument", &["--assemble-user"]),
        (&[s, p, t, "--incremental=require"], 1, "validation-failed", &["there is no earlier"]),
    ];
    let told: String = rows.iter().map(|row| check_with_looking(&lab, row)).collect();
    lab.assert_nothing_left();
    insta::assert_snapshot!("bad_images", told);
}

/// Looking into an image takes a container, which is never started.
fn check_with_looking(lab: &Lab, (arguments, exit, condition, words): &Row<'_>) -> String {
    let told = lab.sti([&["build"][..], arguments, &["--json", "--debug"]].concat());
    told.assert_error(*exit, condition, words).assert_no_request("/start").assert_no_request("POST /build");
    assert_eq!(lab.image_id("app"), None, "{told}");
    let outcome = lab.sti([&["build"][..], arguments].concat());
    outcome.assert_exit(*exit);
    let shown = arguments.iter().skip(1).copied().collect::<Vec<_>>().join(" ");
    lab.scrub(&format!("$ sti build SOURCE {shown}\n{}\n", outcome.stderr))
}

#[test]
fn a_script_of_a_wrong_format_is_named_by_either_strategy() {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let builder = lab.builder(Builder::new().run("print hello").file("/usr/bin/prepare", 0o755, "\u{7f}no program at all"));
    for strategy in ["commit", "dockerfile"] {
        let outcome = lab.build(&source, &builder, "app", &["--strategy", strategy, "--json"]);
        outcome.assert_error(1, "build-failed", &["/usr/bin/prepare", "format"]);
        assert_eq!(lab.image_id("app"), None);
    }
    lab.assert_nothing_left();
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_2_and_helps_on() {
    let lab = Lab::new();
    lab.sti(["buidl"]).assert_exit(2).assert_says("build");
    lab.sti(["build", "."]).assert_exit(2).assert_says("BUILDER_IMAGE");
    lab.sti(["build", ".", "b", "t", "--pul", "never"]).assert_exit(2).assert_says("--pull");
    lab.sti(["build", "--json", "."]).assert_error(2, "invalid-argument", &["required"]);
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(plain());
    let source = lab.source(&[("index.txt", "hello"), ("sub/secret.txt", "no")]);
    let as_somebody = sti_tests::Stranger::of(&lab);
    fs::set_permissions(format!("{source}/sub/secret.txt"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let outcome = as_somebody.sti(&lab, ["build", &source, &builder, &lab.tag("app"), "--json", "--debug"]);
    outcome.assert_error(2, "source-not-found", &["sub/secret.txt`", "denied", ".s2iignore"]).assert_no_request("/containers");
    fs::set_permissions(&source, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let outcome = as_somebody.sti(&lab, ["build", &source, &builder, &lab.tag("app"), "--json"]);
    outcome.assert_error(2, "source-not-found", &[&source, "denied"]);
    fs::set_permissions(&source, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}
