//! Settings of a project: `sti.toml`, and `.s2ifile` of s2i.
#![expect(clippy::disallowed_methods, reason = "a test makes and looks at files by itself")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
};

use sti_tests::{Builder, Lab, Outcome, needs_engine, run};

/// Runs `sti` in a directory, which holds the settings.
fn sti_in(lab: &Lab, directory: &str, words: &[&str]) -> Outcome {
    let mut command = lab.command();
    command.current_dir(directory).args(words);
    lab.run_command(command)
}

fn image() -> Builder {
    let assemble = "copy /tmp/src /app\nenv A /app/a\nenv B /app/b";
    Builder::new().user("1001").by_assemble().s2i("assemble", assemble).s2i("run", "cat /app/index.txt")
}

/// A project that is built with what its `sti.toml` says, and this besides.
fn project(lab: &Lab, builder: &str, further: &str) -> String {
    let text = format!("source = 'src'\nbuilder-image = '{builder}'\ntag = '{}'\n{further}", lab.tag("app"));
    lab.source(&[("sti.toml", &text), ("src/index.txt", "hello"), ("other/index.txt", "other")])
}

#[test]
fn a_project_says_once_what_would_be_typed_each_time() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let project = project(
        &lab,
        &builder,
        "strategy = 'commit'\npull = 'never'\n[env]\nA = '1,B=2'\nB = 'b'\n[label]\n'example.com/team' = 'web'\n",
    );
    let built = sti_in(&lab, &project, &["build"]);
    built.assert_success().assert_says("settings of `sti.toml`: source, builder-image, tag, env, label, pull, strategy");
    assert_eq!(lab.run("app").output.stdout, "hello");
    assert_eq!(lab.product_file("app", "/app/a").as_deref(), Some("1,B=2"));
    assert_eq!(lab.config("app")["Labels"]["example.com/team"], "web");
    assert_eq!(lab.layers("app"), lab.layers(&builder) + 1);
    // What the command line says wins: words, values, single variables.
    let other = lab.tag("other");
    let built =
        sti_in(&lab, &project, &["build", "--use-config", "-e", "B=c", "--strategy=dockerfile", "other", &builder, &other]);
    built.assert_success().assert_says("settings of `sti.toml`: env, label, pull");
    assert_eq!(lab.run("other").output.stdout, "other");
    assert_eq!(lab.product_file("other", "/app/a").as_deref(), Some("1,B=2"));
    assert_eq!(lab.product_file("other", "/app/b").as_deref(), Some("c"));
    assert!(lab.layers("other") > lab.layers(&builder) + 1, "{built}");
    lab.assert_nothing_left();
}

#[test]
fn words_that_are_missing_are_those_of_the_file() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    // A flag that only `sti build` has is no mistake for `sti plan`.
    let project = project(&lab, &builder, "incremental = 'require'\nrm-previous = true\n");
    // Without an earlier product that is an error, unless the command line says otherwise.
    sti_in(&lab, &project, &["build", "--json"]).assert_error(1, "validation-failed", &["there is no earlier"]);
    sti_in(&lab, &project, &["build", "--use-config", "--clean", "other"]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "other");
    let planned = sti_in(&lab, &project, &["plan", "--clean", "--json"]);
    planned.assert_success().assert_says(&lab.tag("app"));
    lab.assert_nothing_left();
}

#[test]
fn a_file_is_not_looked_at_where_nobody_asks_for_it() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let source = lab.source(&[("sti.toml", "this is no TOML"), (".s2ifile", "nor JSON"), ("index.txt", "hello")]);
    sti_in(&lab, &source, &["build", ".", &builder, &lab.tag("app")]).assert_success().assert_silent_about("sti.toml");
    lab.assert_nothing_left();
}

#[test]
fn nothing_is_written() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let source = lab.source(&[("index.txt", "hello")]);
    let built = sti_in(&lab, &source, &["build", "--use-config", ".", &builder, &lab.tag("app"), "-e", "SECRET=1"]);
    built.assert_success().assert_says("there is no `sti.toml` here; `--use-config` reads one and writes none");
    assert_eq!(fs::read_dir(&source).unwrap().count(), 1);
    lab.assert_nothing_left();
}

fn check_refused(lab: &Lab, directory: &str, words: &[&str], wanted: &[&str]) {
    let refused = sti_in(lab, directory, &[words, &["--json"][..]].concat());
    refused.assert_error(2, "invalid-argument", wanted);
}

#[test]
fn what_makes_no_sense_is_told_with_its_line() {
    let lab = Lab::new();
    for (text, wanted) in [
        ("source = '.'\nbuilder-imge = 'x'\n", &["sti.toml:2", "`builder-imge`", "builder-image"][..]),
        ("source = '.'\ntag\n", &["sti.toml:2"]),
        ("url = 'tcp://127.0.0.1:1'\n", &["sti.toml:1", "`url`", "command line only"]),
        ("policy = 'p.toml'\n", &["sti.toml:1", "`policy`", "command line only"]),
        ("\n\nclean = 1\n", &["sti.toml:3", "`clean` takes true or false"]),
    ] {
        let directory = lab.source(&[("sti.toml", text)]);
        check_refused(&lab, &directory, &["build"], wanted);
        check_refused(&lab, &directory, &["plan", "--use-config", "."], wanted);
    }
    let nothing = lab.source(&[]);
    check_refused(&lab, &nothing, &["build", "--use-config"], &["neither `sti.toml` nor `.s2ifile`", "builder-image = "]);
    sti_in(&lab, &nothing, &["build"]).assert_exit(2).assert_says("<BUILDER_IMAGE>");
    // Words that the file leaves out as well.
    let half = lab.source(&[("sti.toml", "source = '.'\n")]);
    sti_in(&lab, &half, &["build"]).assert_exit(2).assert_says("<BUILDER_IMAGE>").assert_silent_about("<SOURCE>\n");
}

#[test]
fn settings_that_others_could_have_written_are_refused() {
    let lab = Lab::new();
    for name in ["sti.toml", ".s2ifile"] {
        let directory = lab.source(&[(name, "source = '.'\n")]);
        let file = Path::new(&directory).join(name);
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        check_refused(&lab, &directory, &["build"], &[name, "everybody can write in it (mode 0666)", "chmod o-w"]);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        // Only root can give a file away.
        if chown(&file, Some(12_345), None).is_ok() {
            check_refused(&lab, &directory, &["build"], &[name, "it belongs to user 12345"]);
        }
        fs::remove_file(&file).unwrap();
        run(Path::new(&directory), "mkfifo", &[name]);
        check_refused(&lab, &directory, &["build"], &[name, "it is no file"]);
    }
}

#[test]
fn what_s2i_kept_is_read_where_there_is_nothing_of_ours() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let kept = format!(
        r#"{{"source":"src","builderImage":"{builder}","tag":"{}","flags":{{"env-0":"A=1,B=2","env-1":"B=b","pull-policy":"never","copy":"true","url":"tcp://127.0.0.1:1","use-config":"true"}}}}"#,
        lab.tag("app")
    );
    let project = lab.source(&[(".s2ifile", &kept), ("src/index.txt", "hello")]);
    for words in [&["build"][..], &["build", "--use-config"]] {
        let built = sti_in(&lab, &project, words);
        built.assert_success().assert_says("settings of `.s2ifile`: source, builder-image, tag, pull");
        built.assert_says("`url` of `.s2ifile` is left out").assert_says("`--copy` of s2i is not needed");
        assert_eq!(lab.product_file("app", "/app/a").as_deref(), Some("1,B=2"));
        assert_eq!(lab.layers("app"), lab.layers(&builder) + 1);
    }
    fs::write(Path::new(&project).join("sti.toml"), "builder-image = 'x'\n").unwrap();
    sti_in(&lab, &project, &["build"]).assert_exit(2).assert_silent_about(".s2ifile");
    lab.assert_nothing_left();
}
