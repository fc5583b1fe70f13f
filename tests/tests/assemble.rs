//! Builds by the contract `assemble`, by both strategies: where scripts are, what they see and may do, what the product is.

use serde_json::json;
use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

by_each_strategy! {
    a_script_may_move_and_remove_what_it_was_given
    a_build_is_incremental_where_that_is_asked_for
    a_failing_save_makes_a_clean_build_unless_that_is_refused
    scripts_of_the_source_come_before_those_of_the_image
    variables_of_the_source_stay_in_the_product
    scripts_run_as_the_user_that_is_named
    a_script_that_says_not_found_fails_by_itself_and_once
    the_application_may_lie_where_the_source_arrives
    an_extended_build_deploys_what_was_left
    an_extended_build_takes_files_by_patterns_and_gives_them_other_names
}

/// Writes down what it finds, takes the source over and clears up behind itself, as such scripts do under `set -e`.
const ASSEMBLE: &str = "list /tmp /app/seen.txt\ncopy /tmp/src /app\nremove /tmp/src\nwrite /tmp/left 1";

fn image() -> Builder {
    Builder::new().user("1001:7").by_assemble().s2i("assemble", ASSEMBLE).s2i("run", "cat /app/index.txt")
}

fn saving() -> Builder {
    let assemble = "list /tmp /app/seen.txt\ncopy /tmp/src /app\nremove /tmp/src\nwrite /app/cache/sub/file cached\nlink file /app/cache/sub/link";
    image().s2i("assemble", assemble).s2i("save-artifacts", "tar /app/cache")
}

/// What `assemble` wrote down: lines of kind, mode, owner, size and name.
fn seen(lab: &Lab) -> Vec<String> {
    read(lab, "app", "/app/seen.txt").lines().filter(|line| !line.ends_with(" .")).map(str::to_owned).collect()
}

fn read(lab: &Lab, name: &str, path: &str) -> String {
    lab.product_file(name, path).unwrap_or_else(|| panic!("`{name}` has no {path}"))
}

fn names(seen: &[String]) -> Vec<&str> {
    seen.iter().filter_map(|line| line.rsplit(' ').next()).collect()
}

fn left_in_tmp(lab: &Lab) -> Vec<String> {
    let listed = lab.listed("app", "/tmp");
    listed.lines().filter(|line| !line.ends_with(" .")).map(str::to_owned).collect()
}

fn a_script_may_move_and_remove_what_it_was_given(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let source = lab.source(&[("index.txt", "hello"), ("sub/file.txt", "1"), (".hidden", "2"), ("empty/", "")]);
    let built = lab.build(&source, &builder, "app", &["-m", strategy]);
    built.assert_success().assert_says("contract `assemble`: ").assert_says("clean build: with --incremental");
    let seen = seen(&lab);
    assert_eq!(names(&seen), ["src", "src/.hidden", "src/empty", "src/index.txt", "src/sub", "src/sub/file.txt"]);
    assert!(seen.iter().all(|line| line.contains(" 1001:7 ")), "{seen:#?}");
    assert_eq!(lab.config("app")["Cmd"], json!(["/usr/libexec/s2i/run"]));
    assert_eq!(lab.config("app")["User"], "1001:7");
    assert_eq!(lab.run("app").output.stdout, "hello");
    if strategy == "commit" {
        assert_eq!(left_in_tmp(&lab), Vec::<String>::new());
        assert_eq!(lab.layers("app"), lab.layers(&builder) + 1);
    }
    lab.assert_nothing_left();
}

fn a_build_is_incremental_where_that_is_asked_for(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(saving());
    let source = lab.source(&[("index.txt", "hello")]);
    let incremental = ["-m", strategy, "--incremental"];
    let none = format!("there is no earlier `{}`", lab.tag("app"));
    let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--incremental=require", "--json"]);
    refused.assert_error(1, "validation-failed", &[&none]);
    lab.build(&source, &builder, "app", &incremental).assert_success().assert_says(&format!("clean build: {none}"));
    let again = lab.build(&source, &builder, "app", &incremental);
    again.assert_success().assert_says(&format!("incremental build: reuses what `{}` saves", lab.tag("app")));
    let seen = seen(&lab);
    let expected = ["artifacts", "artifacts/sub", "artifacts/sub/file", "artifacts/sub/link", "src", "src/index.txt"];
    assert_eq!(names(&seen), expected);
    assert!(seen.iter().all(|line| line.contains(" 1001:7 ")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.starts_with('l') && line.ends_with(" file artifacts/sub/link")), "{seen:#?}");
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success().assert_says("clean build");
    lab.assert_nothing_left();
}

fn a_failing_save_makes_a_clean_build_unless_that_is_refused(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    for (save, why) in [
        ("eprint 'no cache'\nexit 3", "failed with exit code 3"),
        ("print 'this is no tar'", "printed no archive that can be unpacked"),
        ("tar /app/cache\nexit 4", "failed with exit code 4"),
    ] {
        let builder = lab.builder(saving().s2i("save-artifacts", save));
        lab.build(&source, &builder, "app", &["-m", strategy, "--incremental"]).assert_success();
        let again = lab.build(&source, &builder, "app", &["-m", strategy, "--incremental"]);
        again.assert_success().assert_says("warning: the build goes on without what `save artifacts of ").assert_says(why);
        assert_eq!(names(&seen(&lab)), ["src", "src/index.txt"]);
        let before = lab.image_id("app");
        let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--incremental=require", "--json"]);
        refused.assert_error(1, "save-artifacts-failed", &[why]);
        assert_eq!(lab.image_id("app"), before);
    }
    lab.assert_nothing_left();
}

fn scripts_of_the_source_come_before_those_of_the_image(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    // Neither of these is marked as executable in the source.
    let assemble = "#!/usr/bin/fixture\ncopy /tmp/src /app\nwrite /app/by source\nremove /tmp/src\n";
    let run = "#!/usr/bin/fixture\nprint 'run by the source'\n";
    let source = lab.source(&[(".s2i/bin/assemble", assemble), (".s2i/bin/run", run), ("index.txt", "hello")]);
    for builder in [image(), Builder::new().user("1001:7")] {
        let builder = lab.builder(builder);
        lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
        assert_eq!(lab.product_file("app", "/app/by").as_deref(), Some("source"));
        assert_eq!(lab.config("app")["Cmd"], json!(["/tmp/scripts/run"]));
        assert_eq!(lab.run("app").output.stdout, "run by the source\n");
        if strategy == "commit" {
            let left = left_in_tmp(&lab);
            assert_eq!(names(&left), ["scripts", "scripts/run"], "{left:#?}");
        }
    }
    lab.assert_nothing_left();
}

fn variables_of_the_source_stay_in_the_product(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().s2i("assemble", "env A /app/a\nenv B /app/b").config("ENV B=image"));
    let source = lab.source(&[(".s2i/environment", "# of the source\nA=\"a $b\nB=source\nC=c\n")]);
    lab.build(&source, &builder, "app", &["-m", strategy, "-e", "C=user"]).assert_success();
    assert_eq!(lab.product_file("app", "/app/a").as_deref(), Some("\"a $b"));
    assert_eq!(lab.product_file("app", "/app/b").as_deref(), Some("source"));
    let variables = lab.config("app")["Env"].clone();
    for expected in ["A=\"a $b", "B=source", "C=user"] {
        let found = variables.as_array().into_iter().flatten().filter(|variable| **variable == *expected).count();
        assert_eq!(found, 1, "{expected} in {variables}");
    }
    let wrong = lab.source(&[(".s2i/environment", "A=1\nnonsense\n")]);
    let refused = lab.build(&wrong, &builder, "other", &["-m", strategy, "--json"]);
    refused.assert_error(1, "validation-failed", &["`.s2i/environment:2`"]);
    lab.assert_nothing_left();
}

fn scripts_run_as_the_user_that_is_named(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let open = saving().account("root", 0, 0).directory("/app/open", 0o777);
    let open =
        open.s2i("assemble", "whoami /app/open/who\nlist /tmp/src /app/open/source").s2i("save-artifacts", "tar /app/open");
    let labelled = lab.builder(open.clone().config("LABEL io.openshift.s2i.assemble-user=2002:8"));
    let source = lab.source(&[("index.txt", "hello")]);
    let flag = ["-m", strategy, "--assemble-user", "root"];
    for (flags, ids) in [(&flag[..2], "uid=2002 gid=8"), (&flag[..], "uid=0 gid=0")] {
        lab.build(&source, &labelled, "app", flags).assert_success();
        let who = read(&lab, "app", "/app/open/who");
        assert!(who.starts_with(ids), "{who}");
        let owner = ids.replace("uid=", "").replace(" gid=", ":");
        let source = read(&lab, "app", "/app/open/source");
        assert!(source.lines().all(|line| line.contains(&format!(" {owner} "))), "{source}");
        assert_eq!(lab.config("app")["User"], "1001:7");
    }
    // What the image says of root is not what the user says; and an empty label says nothing.
    let unset = lab.builder(open.clone().config("LABEL io.openshift.s2i.assemble-user= io.openshift.s2i.destination="));
    lab.build(&source, &unset, "app", &["-m", strategy]).assert_success();
    assert!(read(&lab, "app", "/app/open/who").starts_with("uid=1001 gid=7"));
    let root = lab.builder(open.config("LABEL io.openshift.s2i.assemble-user=0"));
    let refused = lab.build(&source, &root, "app", &["-m", strategy, "--json"]);
    refused.assert_error(3, "not-granted", &["root", "--assemble-user root"]);
    lab.assert_nothing_left();
}

fn a_script_that_says_not_found_fails_by_itself_and_once(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().s2i("assemble", "eprint '/bin/sh: tar: not found'\nexit 127"));
    let source = lab.source(&[("index.txt", "hello")]);
    let failed = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
    failed.assert_error(1, "build-failed", &["`/usr/libexec/s2i/assemble` failed with exit code 127"]);
    let said = failed.events().iter().filter(|event| event["line"] == "/bin/sh: tar: not found").count();
    assert_eq!(said, 1, "{failed}");
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

fn the_application_may_lie_where_the_source_arrives(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let in_place = image().s2i("assemble", "write /app/src/made 1").s2i("run", "cat /app/src/index.txt");
    let builder = lab.builder(in_place.config("LABEL io.openshift.s2i.destination=/app").config("WORKDIR /app"));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "hello");
    assert_eq!(lab.product_file("app", "/app/src/made").as_deref(), Some("1"));
    lab.assert_nothing_left();
}

fn an_extended_build_deploys_what_was_left(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let assemble =
        "list /tmp /app/seen.txt\ncopy /tmp/src /app/out\nremove /tmp/src\nwrite /app/cache/file cached\nwrite /tmp/late 2";
    let builder = lab.builder(image().s2i("assemble", assemble).s2i("save-artifacts", "tar /app/cache"));
    let runtime = || Builder::new().user("2002:8").by_assemble().config("WORKDIR /app").s2i("run", "cat /app/web/out/index.txt");
    let source = lab.source(&[("index.txt", "hello"), ("sub/tool", "1")]);
    let artifacts = ["-a", "/app/out:web", "-a", "/tmp/late"];
    let flags = |runtime: &str, further: &[&str]| {
        [&["-m", strategy, "-R", runtime], &artifacts[..], further]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let build = |runtime: &str, further: &[&str]| {
        let flags = flags(runtime, further);
        lab.build(&source, &builder, "app", &flags.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let plain = lab.builder(runtime());
    build(&plain, &[]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "hello");
    assert_eq!(lab.product_file("app", "/app/late").as_deref(), Some("2"));
    assert_eq!((lab.config("app")["User"].as_str(), lab.product_file("app", "/app/cache/file")), (Some("2002:8"), None));
    let build_image = format!("{}-build", lab.tag("app"));
    assert_eq!(lab.image_id(&build_image), None);

    let together =
        lab.builder(runtime().s2i("assemble-runtime", "append /app/web/out/index.txt ' again'\nlist /app/web /app/seen.txt"));
    for (number, says) in ["clean build: there is no earlier", "incremental build: reuses what"].into_iter().enumerate() {
        build(&together, &["--incremental"]).assert_success().assert_says(says);
        assert_eq!(lab.run("app").output.stdout, "hello again");
        let seen = read(&lab, "app", "/app/seen.txt");
        assert!(seen.contains(" 2002:8 1 out/sub/tool\n"), "{seen}");
        let by_builder = read(&lab, &build_image, "/app/seen.txt");
        assert_eq!(by_builder.contains("artifacts/file"), number == 1, "{by_builder}");
    }
    let missing = [&["-m", strategy, "-R", &together, "--json"][..], &["-a", "/app/none"]].concat();
    lab.build(&source, &builder, "other", &missing).assert_error(1, "build-failed", &["`/app/none`"]);
    assert_eq!(lab.image_id("other"), None);
    lab.assert_nothing_left();
}

fn an_extended_build_takes_files_by_patterns_and_gives_them_other_names(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let assemble = "copy /tmp/src /app/out\nwrite /app/app-0.1.war w\nremove /tmp/src";
    let builder = lab.builder(image().s2i("assemble", assemble));
    let runtime = lab.builder(
        Builder::new()
            .user("2002:8")
            .by_assemble()
            .config("WORKDIR /srv")
            .directory("/srv", 0o710)
            .s2i("run", "cat /srv/one.jar"),
    );
    let source = lab.source(&[("one.jar", "1"), ("two.jar", "2"), ("lib.jar/inside", "3"), ("readme.txt", "4")]);
    let build = |artifacts: &[&str]| {
        let flags = [&["-m", strategy, "-R", &runtime, "--json"][..], artifacts].concat();
        lab.build(&source, &builder, "app", &flags)
    };
    build(&["-a", "/app/out/*.jar", "-a", "/app/app-*.war:old", "-a", "/app/app-0.1.war:=deployments/ROOT.war"]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "1");
    for (path, text) in [("two.jar", "2"), ("lib.jar/inside", "3"), ("old/app-0.1.war", "w"), ("deployments/ROOT.war", "w")] {
        assert_eq!(lab.product_file("app", &format!("/srv/{path}")).as_deref(), Some(text), "{path}");
    }
    assert_eq!(lab.product_file("app", "/srv/readme.txt"), None);
    let listed = lab.listed("app", "/srv");
    assert!(listed.starts_with("d 0710 2002:8 "), "the directory stays as it is: {listed}");
    assert!(listed.contains(" 2002:8 1 one.jar"), "{listed}");
    build(&["-a", "/app/out/*.zip"]).assert_error(1, "build-failed", &["`/app/out/*.zip`"]);
    build(&["-a", "/app/*/one.jar"]).assert_error(1, "validation-failed", &["only the last part"]);
}

#[test]
fn scripts_leave_labels_for_the_product() {
    needs_engine!();
    let lab = Lab::new();
    let file =
        r#"{"labels": [{"io.k8s.description": "of the script"}, {"team": "file"}, {"io.openshift.s2i.build.image": "forged"}]}"#;
    let assemble =
        |file: &str| image().s2i("assemble", &format!("copy /tmp/src /app\nwrite /tmp/.s2i/image_metadata.json '{file}'"));
    let builder = lab.builder(assemble(file));
    let source = lab.source(&[("index.txt", "hello")]);
    lab.build(&source, &builder, "app", &["-m", "commit", "--label", "team=user"]).assert_success();
    let labels = lab.config("app")["Labels"].clone();
    assert_eq!((&labels["io.k8s.description"], &labels["team"]), (&json!("of the script"), &json!("user")));
    assert!(labels["io.openshift.s2i.build.image"].as_str().is_some_and(|image| image.contains("builder")), "{labels}");
    for wrong in ["no json", r#"{"labels": "a=b"}"#, r#"{"labels": [{"sti.build": "1"}]}"#] {
        let builder = lab.builder(assemble(wrong));
        let failed = lab.build(&source, &builder, "other", &["-m", "commit", "--json"]);
        failed.assert_error(1, "build-failed", &["`/tmp/.s2i/image_metadata.json`"]);
    }
    assert_eq!(lab.image_id("other"), None);
    lab.assert_nothing_left();
}

#[test]
fn a_place_of_scripts_that_nobody_looks_at_is_said() {
    needs_engine!();
    let lab = Lab::new();
    let elsewhere = lab.builder(Builder::new().config("LABEL io.openshift.s2i.scripts-url=https://example.com/scripts"));
    let source = lab.source(&[("index.txt", "hello")]);
    let refused = lab.build(&source, &elsewhere, "app", &["--json"]);
    refused.assert_error(1, "validation-failed", &["https://example.com/scripts", "--scripts-url"]);
    let bare = lab.builder(Builder::new().by_assemble().s2i("assemble", "print done"));
    let refused = lab.build(&source, &bare, "app", &["--json"]);
    refused.assert_error(1, "validation-failed", &["`run`", "`/usr/libexec/s2i`"]);
    lab.assert_nothing_left();
}
