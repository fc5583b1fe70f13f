//! A strategy and a fetcher of third parties, built from manifests of their own with nothing of ours but the SDK, make real images.
#![expect(clippy::disallowed_methods, reason = "a test looks at processes and files by itself")]

use std::{fs, os::unix::fs::PermissionsExt};

use sti_tests::{Builder, Lab, built_plugin, needs_engine};

fn builder() -> Builder {
    // Two arguments: the program is given the place of the files.
    Builder::new().user("1001").prepare("exit 1").run("cat /site/index.txt").directory("/site", 0o755)
}

#[test]
fn a_third_partys_strategy_makes_an_image_from_its_file_and_settings() {
    needs_engine!();
    let lab = Lab::new();
    let plugin = built_plugin("label-layers", "");
    let plugin = plugin.to_str().expect("a plain path");
    let builder = lab.builder(builder());
    let source = lab.source(&[("index.txt", "hello"), ("pages/one.md", "1"), ("pages/two.md", "2")]);
    let more = ["--strategy", plugin, "--set", "at=/site", "--set", "count=**/*.md", "-e", "COLOUR=blue"];
    lab.build(&source, &builder, "app", &more).assert_success().assert_says("label-layers");
    let config = lab.config("app");
    assert_eq!(config["Labels"]["com.example.label-layers.files"], "2");
    assert_eq!(config["User"], "1001");
    assert!(config["Env"].to_string().contains("COLOUR=blue"));
    assert_eq!(lab.product_file("app", "/site/index.txt").as_deref(), Some("hello"));
    assert_eq!(lab.product_file("app", "/usr/share/label-layers/index.txt").as_deref(), Some("pages/one.md\npages/two.md\n"));
    assert_eq!(lab.run("app").output.stdout, "hello");
    lab.assert_nothing_left();
}

#[test]
fn a_third_partys_settings_and_problems_are_told_as_its_own() {
    needs_engine!();
    let lab = Lab::new();
    let plugin = built_plugin("label-layers", "");
    let plugin = plugin.to_str().expect("a plain path");
    let builder = lab.builder(builder());
    let source = lab.source(&[("index.txt", "hello")]);
    let build = |setting| lab.build(&source, &builder, "app", &["--strategy", plugin, "--set", setting, "--json"]);
    build("colour=blue").assert_error(2, "invalid-argument", &["`colour`", "`at`", "`count`", "`serve`"]);
    build("at=").assert_error(1, "validation-failed", &["label-layers", "`at` is empty", "leave it out"]);
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

#[test]
fn a_third_partys_plugin_is_listed_with_its_digest_and_needs() {
    let lab = Lab::new();
    let plugin = built_plugin("label-layers", "");
    let path = plugin.to_str().expect("a plain path");
    let outcome = lab.sti(["plugins", path, "--json"]);
    outcome.assert_success();
    let listed = &outcome.events()[0]["plugins"][0];
    assert_eq!(listed["card"]["name"], "label-layers");
    assert!(listed["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:") && digest.len() == 71), "{listed}");
    assert!(fs::metadata(plugin).unwrap().len() < 200_000, "a third party's component is small");
}

#[test]
fn a_third_partys_fetcher_serves_a_scheme_that_the_host_has_never_heard_of() {
    needs_engine!();
    let lab = Lab::new();
    let plugin = built_plugin("outline", "");
    let plugin = plugin.to_str().expect("a plain path");
    let outlines = lab.source(&[
        ("site.txt", "=== index.txt\nhello\n=== pages/one.md\n# One\n"),
        ("hostile.txt", "=== ../escaped\nx\n"),
        ("odd.txt", "no mark\n"),
    ]);
    let fetch = |name: &str, more: &[&str]| {
        let _gone = fs::remove_dir_all(lab.root().join("out"));
        let address = format!("outline:{outlines}/{name}");
        lab.sti([&["fetch", &address, "out", "--fetcher", plugin], more].concat())
    };
    fetch("site.txt", &["--fetch-set", "mode=640"]).assert_success().assert_says("outline: 2 files");
    let page = lab.root().join("out/pages/one.md");
    assert_eq!(fs::read_to_string(&page).unwrap(), "# One\n");
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o7777, 0o640);
    fetch("odd.txt", &["--json"]).assert_error(1, "source-invalid", &["=== PATH", "no mark"]);
    fetch("none.txt", &["--json"]).assert_error(2, "source-not-found", &["none.txt"]);
    fetch("site.txt", &["--fetch-set", "colour=1", "--json"]).assert_error(
        2,
        "invalid-argument",
        &["fetcher `outline`", "`mode`"],
    );
    fetch("hostile.txt", &["--json"]).assert_error(1, "source-invalid", &["../escaped"]);
    assert!(!lab.root().join("escaped").exists());

    let builder = lab.builder(Builder::new().prepare("copy /tmp/src /app").run("cat /app/index.txt"));
    lab.build(&format!("outline:{outlines}/site.txt"), &builder, "app", &["--fetcher", plugin]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "hello\n");
    lab.assert_nothing_left();
}
