//! Labels that scripts leave in `/tmp/.s2i/image_metadata.json`, and those of the user, that are too long or something else.

use std::{fs, os::unix::fs::symlink, path::Path};

use serde_json::json;
use sti_tests::{Lab, needs_engine};

use crate::{image, source};

const FILE: &str = "/tmp/.s2i/image_metadata.json";

#[test]
fn a_metadata_file_that_is_something_else_fails_the_build() {
    needs_engine!();
    let lab = Lab::new();
    // The source says what is left.
    let builder =
        lab.builder(image().s2i("assemble", &format!("mkdir /tmp/.s2i\ncopy /tmp/src/left {FILE}\ncopy /tmp/src /app")));
    let of = |value: usize| format!(r#"{{"labels": [{{"a": "{}"}}]}}"#, "x".repeat(value)).into_bytes();
    let nested = [&[b'['; 5000][..], &[b']'; 5000]].concat();
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "EOF"),
        (b"no json".to_vec(), "expected"),
        (b"null".to_vec(), "expected"),
        (b"[]".to_vec(), ""),
        (b"{}".to_vec(), "labels"),
        (br#"{"labels": "a=b"}"#.to_vec(), "invalid type"),
        (br#"{"labels": ["a=b"]}"#.to_vec(), "invalid type"),
        (br#"{"labels": [{"a": 1}]}"#.to_vec(), "invalid type"),
        (br#"{"labels": [{"a": null}]}"#.to_vec(), "invalid type"),
        (br#"{"labels": [{"a": "1"}]} and more"#.to_vec(), "trailing"),
        (br#"{"labels": [{"a": "1"}]"#.to_vec(), "EOF"),
        (br#"{"labels": [{"": "1"}]}"#.to_vec(), "names of labels"),
        (br#"{"labels": [{"a b": "1"}]}"#.to_vec(), "names of labels"),
        (br#"{"labels": [{"a\nb": "1"}]}"#.to_vec(), "names of labels"),
        (br#"{"labels": [{"a": "b\u0000c"}]}"#.to_vec(), "NUL"),
        (br#"{"labels": [{"sti.build": "1"}]}"#.to_vec(), "the host's own"),
        (b"\xff\xfe{\0}\0".to_vec(), "expected"),
        (br#"{"labels": [{"a": "#.iter().copied().chain(*b"\"\xff\"}]}").collect(), "unicode"),
        (nested, "recursion|invalid type"),
        (of(10_240), "10240"),
        (of(2 << 20), "10240"),
    ];
    for (left, words) in rows {
        let source = source(&lab);
        fs::write(format!("{source}/left"), &left).unwrap();
        let failed = lab.build(&source, &builder, "app", &["-m", "commit", "--json"]);
        failed.assert_error(1, "build-failed", &[&format!("`{FILE}`")]);
        assert!(words.split('|').any(|word| failed.stdout.contains(word)), "{words}\n{failed}");
        assert!(failed.stdout.len() < 64 << 10, "{} bytes of output", failed.stdout.len());
    }
    // A directory, a link that leads nowhere, and one to itself.
    for target in [None, Some("/nowhere/at/all"), Some("image_metadata.json")] {
        let source = source(&lab);
        let left = Path::new(&source).join("left");
        target.map_or_else(|| fs::create_dir(&left), |target| symlink(target, &left)).unwrap();
        let failed = lab.build(&source, &builder, "app", &["-m", "commit", "--json"]);
        failed.assert_error(1, "build-failed", &[&format!("`{FILE}`"), "no file"]);
    }
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

#[test]
fn a_metadata_file_of_the_longest_and_behind_a_link_is_read() {
    needs_engine!();
    let lab = Lab::new();
    let assemble = format!("mkdir /tmp/.s2i\ncopy /tmp/src /app\nlink /app/left {FILE}");
    let builder = lab.builder(image().s2i("assemble", &assemble));
    let value = "x".repeat(10_240 - r#"{"labels":[{"a":""}]}"#.len());
    let source = lab.source(&[("index.txt", "hello"), ("left", &format!(r#"{{"labels":[{{"a":"{value}"}}]}}"#))]);
    lab.build(&source, &builder, "app", &["-m", "commit"]).assert_success();
    assert_eq!(lab.config("app")["Labels"]["a"], json!(value));
    // The other strategy runs the script for itself, and takes no labels of it.
    lab.build(&source, &builder, "app", &["-m", "dockerfile"]).assert_success();
    assert_eq!(lab.config("app")["Labels"].get("a"), None);
    lab.assert_nothing_left();
}

#[test]
fn labels_of_the_user_are_kept_whole_or_refused() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (lab.builder(image()), source(&lab));
    let label = |name: &str, length: usize| format!("{name}={}", "x".repeat(length));
    let build = |strategy: &str, labels: &[String]| {
        let flags = labels.iter().flat_map(|label| ["--label", label]);
        lab.build(&source, &builder, "app", &["-m", strategy, "--json"].into_iter().chain(flags).collect::<Vec<_>>())
    };
    // What Linux lets a single word of a command line be.
    let (long, longest) = (label("long", 60_000), label("longest", 128 * 1024 - 10));
    build("commit", &[longest.clone(), long.clone()]).assert_success();
    let length = |name: &str| lab.config("app")["Labels"][name].as_str().map(str::len);
    assert_eq!((length("long"), length("longest")), (Some(60_000), Some(128 * 1024 - 10)));
    build("dockerfile", std::slice::from_ref(&long)).assert_success();
    assert_eq!((length("long"), length("longest")), (Some(60_000), None));
    let earlier = lab.image_id("app");
    let refused = build("dockerfile", &[longest]);
    refused.assert_exit(5).assert_says("`longest`").assert_says("--strategy commit");
    let many: Vec<_> = (0..12).map(|number| label(&format!("long{number}"), 100_000)).collect();
    for strategy in ["commit", "dockerfile"] {
        build(strategy, &many).assert_error(3, "not-granted", &["bytes of titles, arguments, variables and labels", "1048576"]);
    }
    assert_eq!(lab.image_id("app"), earlier);
    lab.assert_nothing_left();
}
