//! `sti usage`: what a builder image says of itself is the answer, and nothing else is on standard output.

use serde_json::Value;
use sti_tests::{Builder, Lab, needs_engine};

const SAYS: &str = "print 'Builds things.'\neprint 'a word beside'\nprint '  sti build . IMAGE TAG'\nwhoami /tmp/who";

fn explaining(verbs: &str) -> Builder {
    Builder::new().user("1001:7").by_assemble().s2i("usage", verbs)
}

#[test]
fn what_the_script_prints_is_the_answer() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(explaining(SAYS));
    let text = "Builds things.\n  sti build . IMAGE TAG\n";
    let said = lab.sti(["usage", &image]);
    said.assert_success();
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), (text, "a word beside\n"), "{said}");
    assert_eq!(lab.sti(["usage", &image, "--quiet"]).assert_success().stdout, text);
    let document = lab.sti(["usage", &image, "--json"]);
    let document: Value = serde_json::from_str(&document.assert_success().stdout).expect("one document");
    assert_eq!((document["image"].as_str(), document["usage"].as_str()), (Some(image.as_str()), Some(text)));
    assert_eq!(document["script"], "/usr/libexec/s2i/usage");
    lab.sti(["usage", &image, "--debug"]).assert_success().assert_says("==> usage of ");
    lab.assert_nothing_left();
}

#[test]
fn the_script_may_lie_elsewhere_and_control_sequences_are_left_out() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(Builder::new().user("1001").script("usage", "escape"));
    let said = lab.sti(["usage", &image, "--scripts-url", "image:///usr/bin"]);
    said.assert_success();
    assert!(said.stdout.contains("harmless") && !said.stdout.contains('\u{1b}'), "{said}");
    lab.assert_nothing_left();
}

#[test]
fn it_reaches_no_network() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(explaining("connect 127.0.0.1:1"));
    let network = lab.sti(["usage", &image, "--json"]);
    network.assert_error(1, "build-failed", &["/usr/libexec/s2i/usage"]);
    let image = lab.builder(explaining("list /sys/class/net -"));
    let said = lab.sti(["usage", &image]);
    said.assert_success();
    assert!(said.stdout.lines().any(|line| line.ends_with(" lo")), "{said}");
    assert!(!said.stdout.contains("eth0"), "{said}");
    lab.assert_nothing_left();
}

#[test]
fn an_image_that_cannot_explain_itself_is_told_why() {
    needs_engine!();
    let lab = Lab::new();
    let cases = [
        (Builder::new().by_assemble(), "it says that its scripts are at image:///usr/libexec/s2i"),
        (Builder::new(), "no label says where its scripts are"),
        (Builder::new().prepare("print never"), "the contract `prepare` knows no such script"),
    ];
    for (builder, why) in cases {
        let image = lab.builder(builder);
        let refused = lab.sti(["usage", &image, "--json"]);
        refused.assert_error(1, "validation-failed", &["has no script `usage`", why, "docker image inspect"]);
        assert_eq!(refused.error()["code"], "usage-missing");
    }
    lab.sti(["usage", "sti-test/nowhere", "--pull", "never", "--json"]).assert_error(5, "no-such-builder-image", &[]);
    lab.assert_nothing_left();
}

#[test]
fn a_script_that_fails_is_told_with_its_code_and_last_lines() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(explaining("print 'as far as here'\nexit 42"));
    let failed = lab.sti(["usage", &image, "--json"]);
    failed.assert_error(1, "build-failed", &["`/usr/libexec/s2i/usage` failed with exit code 42"]);
    assert_eq!((&failed.error()["script_exit"], &failed.error()["last_lines"][0]), (&42.into(), &"as far as here".into()));
    lab.assert_nothing_left();
}

#[test]
fn a_strategy_that_only_explains_builds_nothing() {
    needs_engine!();
    let lab = Lab::new();
    let image = lab.builder(explaining(SAYS).s2i("assemble", "print never").s2i("run", "print never"));
    let source = lab.source(&[("index.txt", "hello")]);
    let refused = lab.build(&source, &image, "app", &["-m", "usage", "--json"]);
    refused.assert_error(4, "plugin-problem", &["it planned no product `app`"]);
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}
