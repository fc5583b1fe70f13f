//! Sources with everything that used to be lost on the way, and with files that are not what they should be.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use sti_tests::{Lab, by_each_strategy, needs_engine};

use crate::{image, listed_in, source};

by_each_strategy! {
    links_hard_links_and_empty_directories_arrive
    ignore_rules_never_look_above_the_source
    what_a_source_brings_must_be_what_it_should_be
}

fn links_hard_links_and_empty_directories_arrive(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().s2i("assemble", "list /tmp/src /app/seen\ncopy /tmp/src /app/src"));
    let source = lab.source(&[("index.txt", "hello"), ("a.txt", "hard"), ("empty/", ""), (".hidden", "dot"), ("tool", "#!")]);
    let top = Path::new(&source);
    fs::hard_link(top.join("a.txt"), top.join("b.txt")).unwrap();
    for (target, name) in [("a.txt", "link"), ("nowhere/at all", "dangling"), ("../../..", "above"), ("empty", "to-directory")] {
        symlink(target, top.join(name)).unwrap();
    }
    fs::set_permissions(top.join("tool"), fs::Permissions::from_mode(0o750)).unwrap();
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let expected = [
        "d 0755 1001:7 - empty",
        "f 0644 1001:7 3 .hidden",
        "f 0644 1001:7 4*2 a.txt",
        "f 0644 1001:7 4*2 b.txt",
        "f 0750 1001:7 2 tool",
        "l 0777 1001:7 ../../.. above",
        "l 0777 1001:7 a.txt link",
        "l 0777 1001:7 empty to-directory",
        "l 0777 1001:7 nowhere/at\\x20all dangling",
    ];
    let seen = listed_in(&lab, "/app/seen");
    for line in expected {
        assert!(seen.iter().any(|found| found == line), "no {line:?} in {seen:#?}");
    }
    for name in ["a.txt", "b.txt"] {
        assert_eq!(lab.product_file("app", &format!("/app/src/{name}")).as_deref(), Some("hard"));
    }
    lab.assert_nothing_left();
}

fn ignore_rules_never_look_above_the_source(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    fs::write(lab.root().join(".s2iignore"), "*\n").unwrap();
    let builder = lab.builder(image().s2i("assemble", "list /tmp/src /app/seen"));
    // All but the first are names of directories above the source.
    let rules = "*.log\nsti-lab-*\nsource-*\ntmp\n";
    let source = lab.source(&[(".s2iignore", rules), ("index.txt", "hello"), ("sub/a.log", "1"), ("sub/kept.txt", "1")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let seen = listed_in(&lab, "/app/seen");
    let names: Vec<_> = seen.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(names, [".s2iignore", "index.txt", "sub", "sub/kept.txt"]);
    lab.assert_nothing_left();
}

fn what_a_source_brings_must_be_what_it_should_be(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let decoy = lab.source(&[("secret", "A=from the decoy\n")]) + "/secret";
    let long = format!("A=1\nB={}\n", "x".repeat(2 << 20));
    let rows = [
        (&[(".s2i/environment", "A=1\nnonsense\n")][..], "`.s2i/environment:2`"),
        (&[(".s2i/environment", "A B=1\n")], "`.s2i/environment:1`"),
        (&[(".s2i/environment", "=1\n")], "`.s2i/environment:1`"),
        (&[(".s2i/environment", &long)], "environment"),
        (&[(".s2i/environment/", "")], "environment"),
        (&[(".s2i/bin/assemble/", "")], "assemble"),
        (&[(".s2i/bin/run/", "")], "run"),
    ];
    for (files, words) in rows {
        let source = lab.source(files);
        let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
        refused.assert_error(1, "validation-failed", &[words]);
    }
    for name in [".s2i/environment", ".s2i/bin/assemble", ".s2i/bin/run"] {
        let source = source(&lab);
        let path = Path::new(&source).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(&decoy, path).unwrap();
        let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
        refused.assert_error(1, "validation-failed", &[name]).assert_silent_about("from the decoy");
    }
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}
