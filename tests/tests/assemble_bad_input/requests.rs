//! Requests: values that look like something else, words that make no sense, images that are nowhere, registries that are not to be asked.

use serde_json::json;
use sti_tests::{Lab, Proxy, by_each_strategy, needs_engine, run};

use crate::{image, source};

by_each_strategy! {
    what_the_user_writes_is_never_more_than_text
    an_entrypoint_is_passed_by_and_kept
}

fn what_the_user_writes_is_never_more_than_text(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let text = "$HOME `id` $(touch /app/made) \"q\" 'q' \\n #x ${A} ; touch /app/made \\";
    let names = ["A", "B", "LIST", "OPTS", "EMPTY", "TEXT", "OWN"];
    let assemble = names.map(|name| format!("env {name} /app/{name}")).join("\n");
    let builder = lab.builder(image().s2i("assemble", &format!("{assemble}\ncopy /tmp/src /app/src")));
    let odd_name = "$(touch made); `id`";
    let source = lab.source(&[("index.txt", "hello"), (odd_name, "odd"), (".s2i/environment", &format!("OWN={text}\n"))]);
    let (text_variable, note) = (format!("TEXT={text}"), format!("note={text}"));
    let mut flags = vec!["-m", strategy, "--label", &note, "--description", text];
    for variable in ["A=1,B=2", "LIST=1,2,3", "OPTS=-Xa,-Db=c", "EMPTY=", &text_variable] {
        flags.extend(["-e", variable]);
    }
    lab.build(&source, &builder, "app", &flags).assert_success();
    let config = lab.config("app");
    let values = [("A", "1"), ("B", "2"), ("LIST", "1,2,3"), ("OPTS", "-Xa,-Db=c"), ("EMPTY", ""), ("TEXT", text), ("OWN", text)];
    for (name, value) in values {
        assert_eq!(lab.product_file("app", &format!("/app/{name}")).as_deref(), Some(value), "assemble saw {name}");
        let kept = config["Env"].as_array().unwrap().iter().filter(|pair| **pair == json!(format!("{name}={value}"))).count();
        assert_eq!(kept, 1, "{name} in {}", config["Env"]);
    }
    assert_eq!((&config["Labels"]["note"], &config["Labels"]["io.k8s.description"]), (&json!(text), &json!(text)));
    assert_eq!(lab.product_file("app", &format!("/app/src/{odd_name}")).as_deref(), Some("odd"));
    for path in ["/app/made", "/made", "/app/src/made", "/tmp/made"] {
        assert_eq!(lab.product_file("app", path), None, "{path}: nobody ran it");
    }
    lab.assert_nothing_left();
}

#[test]
fn a_malformed_request_is_refused_before_any_container() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let (source, list) = (source(&lab), lab.source(&[("bad.env", "A=1\n\nno variable\n")]) + "/bad.env");
    let with_fifo = lab.source(&[("index.txt", "hello")]);
    run(with_fifo.as_ref(), "mkfifo", &["pipe"]);
    let rows: &[(&str, &[&str], &str, &[&str])] = &[
        (&source, &["-e", "A=1,B"], "", &[]),
        (&source, &["-e", "A"], "invalid-environment", &["`A`", "-e A=VALUE"]),
        (&source, &["-e", "A=1", "-e", "A B=1"], "invalid-environment", &["`A B`"]),
        (&source, &["-e", "=1"], "invalid-environment", &["-e NAME=VALUE"]),
        (&source, &["-E", &list], "invalid-environment", &["no variable", "3"]),
        (&source, &["-E", "none.env"], "invalid-environment", &["`none.env`"]),
        (&source, &["--label", "x"], "invalid-argument", &["--label NAME=VALUE"]),
        (&source, &["--ref", "main"], "invalid-ref", &["--ref main"]),
        (&source, &["--allowed-uids", "0x0"], "invalid-argument", &["0x0"]),
        (&source, &["--context-dir", "../up"], "source-not-found", &["`../up`"]),
        ("./none", &[], "source-not-found", &["`./none`"]),
        (&with_fifo, &[], "source-not-found", &["pipe`", "FIFO"]),
        (&format!("{with_fifo}/pipe"), &[], "source-not-found", &["pipe`", "FIFO"]),
    ];
    for (source, flags, condition, words) in rows {
        let outcome = lab.build(source, &builder, "app", &[flags, &["--json", "--debug"][..]].concat());
        if condition.is_empty() {
            // What follows the comma is no variable, so the comma belongs to the value.
            outcome.assert_success();
            assert!(lab.config("app")["Env"].as_array().unwrap().contains(&json!("A=1,B")), "{}", lab.config("app"));
            lab.engine().remove_image(&lab.tag("app")).unwrap();
            continue;
        }
        outcome.assert_error(2, condition, words).assert_no_request("POST /containers");
        assert_eq!(lab.image_id("app"), None, "{outcome}");
    }
    lab.assert_nothing_left();
}

fn an_entrypoint_is_passed_by_and_kept(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let entry = image().script("entry", "print 'the entrypoint speaks'").config(r#"ENTRYPOINT ["/usr/bin/entry"]"#);
    let builder = lab.builder(entry.s2i("save-artifacts", "tar /app"));
    let source = source(&lab);
    for kind in ["clean build", "incremental build"] {
        let built = lab.build(&source, &builder, "app", &["-m", strategy, "--incremental"]);
        built.assert_success().assert_says(kind).assert_silent_about("the entrypoint speaks");
    }
    let config = lab.config("app");
    let kept = (&config["Entrypoint"], &config["Cmd"]);
    assert_eq!(kept, (&json!(["/usr/bin/entry"]), &json!(["/usr/libexec/s2i/run"])));
    assert_eq!(lab.run("app").output.stdout, "the entrypoint speaks\n");
    assert_eq!(lab.product_file("app", "/app/index.txt").as_deref(), Some("hello"));
    lab.assert_nothing_left();
}

#[test]
fn images_that_are_nowhere_are_named_and_never_is_no_request() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (lab.builder(image()), source(&lab));
    // Nobody answers at this port but a proxy, and it counts.
    let registry = Proxy::before_port(1);
    let absent = format!("{}/none:1", registry.url());
    registry.begin([]);
    let build = |builder: &str, more: &[&str]| lab.build(&source, builder, "app", &[&["--json"], more].concat());
    let extended = ["-R", &absent, "-a", "/app/index.txt"];
    build(&absent, &["--pull", "never"]).assert_error(5, "no-such-builder-image", &[&absent, "--pull never"]);
    build(&builder, &[&extended[..], &["--pull", "never"]].concat()).assert_error(5, "no-such-runtime-image", &[&absent]);
    let judged = lab.sti(["validate", &absent, "--contract", "assemble", "--pull", "never", "--json"]);
    judged.assert_condition(5, "no-such-builder-image");
    assert_eq!(registry.requests(), Vec::<String>::new());
    for pull in ["missing", "always"] {
        let runtime = build(&builder, &[&extended[..], &["--pull", pull]].concat());
        runtime.assert_exit(5).assert_says(&absent).assert_silent_about("step-started");
    }
    assert!(!registry.requests().is_empty(), "the proxy would have seen it");
    let refused = build(&builder, &["-R", "localhost:1/none:1", "-a", "/app/index.txt"]);
    refused.assert_error(5, "pull-failed", &["localhost:1/none:1", "refused", "--pull never"]);
    let judged = lab.sti(["validate", &builder, "-R", "localhost:1/none:1", "--json"]);
    judged.assert_condition(5, "pull-failed");
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

#[test]
fn a_reference_behind_the_address_is_heeded() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image());
    let repository = lab.source(&[("index.txt", "first")]);
    let git = |arguments: &[&str]| run(repository.as_ref(), "git", arguments);
    git(&["init", "-q", "-b", "main", "."]);
    for (text, tag) in [("first", "v1"), ("second", "v2")] {
        std::fs::write(format!("{repository}/index.txt"), text).unwrap();
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", text]);
        git(&["tag", tag]);
    }
    let address = |reference: &str| format!("git:{repository}{reference}");
    for (reference, expected) in [("", "second"), ("#v1", "first"), ("#v2", "second")] {
        lab.build(&address(reference), &builder, "app", &["-m", "commit"]).assert_success();
        assert_eq!(lab.run("app").output.stdout, expected, "{reference}");
    }
    let earlier = lab.image_id("app");
    let unknown = lab.build(&address("#v3"), &builder, "app", &["--json"]);
    unknown.assert_error(2, "invalid-ref", &["v3"]);
    let two = lab.build(&address("#v1"), &builder, "app", &["--ref", "v2", "--json"]);
    two.assert_error(2, "invalid-ref", &["--ref v2"]);
    assert_eq!(lab.image_id("app"), earlier);
    lab.assert_nothing_left();
}
