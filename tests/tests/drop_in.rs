//! The program called as `s2i`: its command line, by that of `OpenShift`'s source-to-image.
#![expect(clippy::disallowed_methods, reason = "a test makes and looks at files by itself")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use sti_tests::{Builder, Lab, Outcome, built_sti, needs_engine, run};

/// A link that calls the program by the other name.
fn link(lab: &Lab) -> PathBuf {
    let link = lab.root().join("s2i");
    if !link.exists() {
        symlink(built_sti(), &link).expect("a link of a new name");
    }
    link
}

fn s2i_in(lab: &Lab, directory: &Path, words: &[&str]) -> Outcome {
    let mut command = lab.command_of(&link(lab));
    command.current_dir(directory).args(words);
    lab.run_command(command)
}

fn s2i(lab: &Lab, words: &[&str]) -> Outcome {
    s2i_in(lab, lab.root(), words)
}

fn image() -> Builder {
    let assemble = "copy /tmp/src /app\nenv A /app/a";
    Builder::new().user("1001").by_assemble().s2i("assemble", assemble).s2i("run", "cat /app/index.txt")
}

#[test]
fn a_build_is_understood_as_s2i_has_it() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let source = lab.source(&[("index.txt", "hello")]);
    let tag = lab.tag("app");
    let built = s2i(
        &lab,
        &[
            "--loglevel=5",
            "build",
            "-eA=1,B=2",
            &source,
            "--copy",
            &builder,
            "-p",
            "never",
            "--rm=false",
            "--ref=",
            &tag,
            "--incremental",
        ],
    );
    built.assert_success().assert_says("`--copy` of s2i is not needed").assert_says("`--loglevel` of s2i is not needed");
    built.assert_says("clean build: there is no earlier");
    assert_eq!(lab.product_file("app", "/app/a").as_deref(), Some("1,B=2"));
    assert_eq!(lab.layers("app"), lab.layers(&builder) + 1);
    assert_eq!(lab.run("app").output.stdout, "hello");
    let quiet = s2i(&lab, &["build", &source, &builder, &tag, "-cq"]);
    quiet.assert_success();
    assert_eq!((quiet.stderr.as_str(), quiet.stdout.trim()), ("", lab.image_id("app").unwrap().as_str()));
    lab.assert_nothing_left();
}

#[test]
fn our_own_flags_stand_beside_those_of_s2i() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let source = lab.source(&[("index.txt", "hello")]);
    let planned = s2i(&lab, &["build", &source, &builder, &lab.tag("app"), "--json", "--strategy", "dockerfile", "-c"]);
    planned.assert_success();
    let noted = planned.events().iter().any(|event| event.to_string().contains("`--copy` of s2i is not needed"));
    assert!(noted, "{planned}");
    assert!(lab.layers("app") > lab.layers(&builder) + 1, "{planned}");
    lab.assert_nothing_left();
}

#[test]
fn a_revision_of_a_work_tree_is_what_was_committed() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let source = lab.source(&[("index.txt", "committed")]);
    let directory = Path::new(&source);
    for words in [&["init", "--quiet", "-b", "main"][..], &["add", "."], &["commit", "--quiet", "-m", "1"], &["tag", "v1"]] {
        run(directory, "git", words);
    }
    fs::write(directory.join("index.txt"), "on the disk").unwrap();
    let address = format!("file://{source}");
    for (words, shown) in [
        (&[source.as_str()][..], "on the disk"),
        (&[&source, "--ref", "v1"], "committed"),
        (&[&address], "committed"),
        (&[&address, "--copy"], "on the disk"),
    ] {
        let tag = lab.tag("app");
        let (source, flags) = words.split_first().unwrap();
        let built = s2i(&lab, &[&["build", source, &builder, &tag][..], flags].concat());
        built.assert_success();
        assert_eq!(lab.run("app").output.stdout, shown, "{built}");
    }
    lab.assert_nothing_left();
}

/// A command line, and words that the error must have.
type Row<'a> = (&'a [&'a str], &'a [&'a str]);

#[test]
fn what_is_not_understood_is_an_error_with_what_to_do() {
    let lab = Lab::new();
    let rows: &[Row<'_>] = &[
        (&["build", "."], &["`<source> <image> [<tag>]`", "1 words"]),
        (&["build", ".", "img"], &["the product needs a name", "s2i build . img TAG"]),
        (&["build", ".", "img", "app", "-v", "/a:/b"], &["`--volume`", "--inject SRC:DEST"]),
        (&["build", ".", "img", "app", "--cap-drop=ALL"], &["`--cap-drop`"]),
        (&["build", ".", "img", "app", "--exclude", ""], &["`--exclude`", ".s2iignore"]),
        (&["build", ".", "img", "app", "--network", "host"], &["`--network`", "bridge or none"]),
        (&["build", ".", "img", "app", "-p", "sometimes"], &["`sometimes`", "if-not-present"]),
        (&["build", ".", "img", "app", "--tlsverify"], &["`--tlsverify`", "DOCKER_CERT_PATH=DIRECTORY"]),
        (&["build", ".", "img", "app", "--pull-polcy=never"], &["`--pull-polcy`", "--pull-policy"]),
        (&["build", ".", "img", "app", "-e", "A"], &["`A`"]),
        (&["version", "--rm"], &["`s2i version` has no flag `--rm`"]),
        (&["plan", ".", "img", "app"], &["`s2i plan`", "sti plan"]),
        (&["generate", "img", "Dockerfile"], &["`s2i generate`", "--as-dockerfile"]),
    ];
    for (words, wanted) in rows {
        let refused = s2i(&lab, &[words, &["--json"][..]].concat());
        let condition = refused.error()["condition"].as_str().unwrap_or_default().to_owned();
        assert!(["invalid-argument", "invalid-environment"].contains(&condition.as_str()), "{refused}");
        refused.assert_error(2, &condition, wanted);
    }
}

#[test]
fn every_command_of_s2i_has_a_page() {
    let lab = Lab::new();
    let front = s2i(&lab, &["--help"]);
    front.assert_success();
    insta::assert_snapshot!("s2i_help", front.stdout);
    assert_eq!(s2i(&lab, &[]).assert_exit(2).stdout, front.stdout);
    let build = s2i(&lab, &["build", "--help"]);
    build.assert_success();
    insta::assert_snapshot!("s2i_help_build", build.stdout);
    assert_eq!(s2i(&lab, &["help", "build"]).stdout, build.stdout);
    for command in ["rebuild", "usage", "create", "version"] {
        s2i(&lab, &[command, "-h"]).assert_success().assert_says(&format!("Usage: s2i {command}"));
        front.assert_says(&format!("\n  s2i {command}"));
    }
}

#[test]
fn versions_and_skeletons_are_there_by_the_other_name() {
    let lab = Lab::new();
    s2i(&lab, &["version", "-U", "unix:///nowhere/engine.sock"]).assert_success().assert_says("engine none: ");
    s2i(&lab, &["create", "team/pages", "pages"]).assert_success();
    assert!(lab.root().join("pages/s2i/bin/assemble").is_file());
}
