//! What scripts are lent for their time: they can read it, and nothing of it is in the product, in what is told, or in a plan.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

use std::{fs, io::Read, os::unix::fs::PermissionsExt};

use serde_json::Value;
use sti_tests::{Body, Builder, Lab, Outcome, Signal, needs_engine};

/// In pieces, so that what is looked for stands nowhere but in the file that a test writes.
fn value() -> String {
    ["s3cr3t", "v4lue", "of", "the", "test"].join("-")
}

/// A lab with a file that holds the value, and a source.
struct Scene {
    lab: Lab,
    source: String,
    file: String,
}

/// The contracts, with the scripts by which a builder of each builds and saves.
const CONTRACTS: [&str; 2] = ["prepare", "assemble"];

fn scene() -> Scene {
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let file = lab.root().join("token").to_str().unwrap().to_owned();
    fs::write(&file, format!("{}\n", value())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    Scene { lab, source, file }
}

impl Scene {
    fn builder(&self, contract: &str, verbs: &str) -> String {
        let builder = Builder::new().user("1001:7");
        self.lab.builder(match contract {
            "prepare" => builder.prepare(verbs).run("cat /app/index.txt"),
            _ => builder.by_assemble().s2i("assemble", verbs).s2i("run", "cat /app/index.txt"),
        })
    }

    fn build(&self, builder: &str, further: &[&str]) -> Outcome {
        let secret = format!("id=token,src={}", self.file);
        let flags = ["-m", "commit", "--secret", &secret];
        self.lab.build(&self.source, builder, "app", &[&flags[..], further].concat())
    }

    /// Everything that the engine knows of an image: its layers and configuration, its history, what it says of itself.
    fn all_of(&self, name: &str) -> Vec<u8> {
        let tag = self.lab.tag(name);
        let mut all = Vec::new();
        for path in ["get", "json", "history"] {
            let answer = self.lab.engine().send("GET", &format!("/images/{tag}/{path}"), Body::None).unwrap().good().unwrap();
            let mut body = answer.body;
            body.read_to_end(&mut all).unwrap();
        }
        all
    }

    fn assert_keeps_nothing(&self, name: &str, words: &[&str]) {
        let all = self.all_of(name);
        for word in words {
            let found = all.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} is in `{name}`");
        }
    }

    /// Fails unless the build is refused for a secret in its product, in this place, and nothing is tagged.
    fn assert_refused(&self, built: &Outcome, place: &str) {
        built.assert_error(1, "secret-in-product", &["the secret `token` is in", place]).assert_silent_about(&value());
        assert_eq!(self.lab.image_id("app"), None, "{place}");
        self.lab.assert_nothing_left();
    }
}

#[test]
fn scripts_read_a_secret_and_the_product_keeps_nothing_of_it() {
    needs_engine!();
    let scene = scene();
    for contract in CONTRACTS {
        let verbs = "copy /tmp/src /app\nlist /run/secrets /app/seen\nensure /run/secrets/token\ncat /proc/mounts\ncat /run/secrets/token";
        let builder = scene.builder(contract, verbs);
        let built = scene.build(&builder, &[]);
        built.assert_success().assert_silent_about(&value()).assert_says("| ***");
        built.assert_says("tmpfs /run/secrets tmpfs");
        let seen = scene.lab.product_file("app", "/app/seen").unwrap();
        assert!(seen.contains(&format!("f 0400 1001:7 {} token\n", value().len() + 1)), "{seen}");
        assert!(!scene.lab.listed("app", "/run").contains("token"));
        assert_eq!(scene.lab.run("app").output.stdout, "hello");
        assert_eq!(scene.lab.layers("app"), scene.lab.layers(&builder) + 1);
        scene.assert_keeps_nothing("app", &[&value()]);
        scene.lab.assert_nothing_left();
    }
}

#[test]
fn a_product_that_keeps_a_secret_is_not_tagged() {
    needs_engine!();
    let scene = scene();
    for contract in CONTRACTS {
        let builder = scene.builder(contract, "copy /run/secrets/token /app/config/npmrc");
        scene.assert_refused(&scene.build(&builder, &["--json"]), "/app/config/npmrc");
    }
    let encoded = base64_of_user_and_password();
    let builder = scene.builder("prepare", &format!("write /app/auth '{{\"auth\": \"{encoded}\"}}'"));
    scene.assert_refused(&scene.build(&builder, &["--json"]), "/app/auth");
    let label = format!("note={}", value());
    let builder = scene.builder("prepare", "copy /tmp/src /app");
    scene.assert_refused(&scene.build(&builder, &["--json", "--label", &label]), "its configuration");
    // What the builder has itself is nobody's leak.
    let own = Builder::new().user("1001:7").prepare("copy /tmp/src /app").run("cat /app/index.txt");
    let own = scene.lab.builder(own.file("/app/own", 0o644, &value()).config(&format!("LABEL own={}", value())));
    scene.build(&own, &[]).assert_success();
    scene.lab.assert_nothing_left();
}

/// `user:` and the value, as logins are written down; encoded here, so that a mistake in the search is not one of the test as well.
fn base64_of_user_and_password() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = format!("user:{}", value()).into_bytes();
    let three = |piece: &[u8]| -> String {
        let number = (0..3).fold(0_usize, |number, index| (number << 8) | usize::from(piece.get(index).copied().unwrap_or(0)));
        let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[(number >> shift) & 63]));
        digits[..=piece.len()].iter().collect()
    };
    bytes.chunks(3).map(three).collect()
}

#[test]
fn what_a_failing_script_says_of_a_secret_is_not_told() {
    needs_engine!();
    let scene = scene();
    let builder = scene.builder("assemble", "print before\ncat /run/secrets/token\neprint failing\nexit 3");
    let failed = scene.build(&builder, &["--json"]);
    failed.assert_error(1, "build-failed", &["failed with exit code 3"]).assert_silent_about(&value());
    assert!(failed.events().iter().any(|event| event["line"] == "***"), "{failed}");
    let failed = scene.build(&builder, &["--debug"]);
    failed.assert_exit(1).assert_silent_about(&value());
    let kept = failed.stderr.split("docker rm -v ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("it is kept");
    scene.lab.engine().remove_container(kept).unwrap();
    scene.lab.sti(["gc"]).assert_success();
    scene.lab.assert_nothing_left();
}

#[test]
fn a_plan_names_secrets_and_holds_none() {
    needs_engine!();
    let scene = scene();
    let builder = scene.builder("assemble", "copy /tmp/src /app");
    let (secret, inject) = (format!("id=token,src={}", scene.file), format!("{}:/opt/keys", scene.file));
    let flags = ["-m", "commit", "--secret", &secret, "--inject", &inject, "--build-env", "PROXY=http://proxy.test"];
    for json in [false, true] {
        let tag = scene.lab.tag("app");
        let arguments = [&["plan", &scene.source, &builder, &tag][..], &flags, if json { &["--json"] } else { &[] }].concat();
        let planned = scene.lab.sti(arguments);
        planned.assert_success().assert_silent_about(&value()).assert_says("/run/secrets/token").assert_says("/opt/keys");
        planned.assert_says("inject:/opt/keys");
    }
    scene.lab.assert_nothing_left();
}

#[test]
fn directories_are_injected_for_scripts_and_gone_from_the_product() {
    needs_engine!();
    let scene = scene();
    let keys = scene.lab.source(&[("a.key", &format!("key {}", value())), ("sub/b.key", "b-key-of-the-other-test")]);
    for (contract, at, seen_at) in [("prepare", "/opt/keys", "/opt/keys"), ("assemble", "own/keys", "/app/own/keys")] {
        let verbs = format!("copy /tmp/src /app/web\nlist {seen_at} /app/seen.txt\nwrite {seen_at}/more 1\ncat {seen_at}/a.key");
        let builder = Builder::new().user("1001:7").config("WORKDIR /app");
        let builder = scene.lab.builder(match contract {
            "prepare" => builder.prepare(&verbs).run("cat /app/web/index.txt"),
            _ => builder.by_assemble().s2i("assemble", &verbs).s2i("run", "cat /app/web/index.txt"),
        });
        let inject = format!("{keys}:{at}");
        let built = scene.lab.build(&scene.source, &builder, "app", &["-m", "commit", "--inject", &inject]);
        built.assert_success().assert_silent_about(&value());
        let seen = scene.lab.product_file("app", "/app/seen.txt").unwrap();
        assert!(seen.contains(" 1001:7 ") && seen.contains(" sub/b.key\n"), "{seen}");
        assert_eq!(scene.lab.run("app").output.stdout, "hello");
        assert!(!scene.lab.listed("app", seen_at).contains(".key"), "{contract}");
        scene.assert_keeps_nothing("app", &[&value(), "b-key-of-the-other-test"]);
        let keeping = scene.builder(contract, "copy /opt/keys/sub/b.key /app/kept");
        let inject = format!("{keys}:/opt/keys");
        let kept = scene.lab.build(&scene.source, &keeping, "other", &["-m", "commit", "--json", "--inject", &inject]);
        kept.assert_error(1, "secret-in-product", &["`inject:/opt/keys`", "/app/kept"]);
        assert_eq!(scene.lab.image_id("other"), None);
    }
    let builder = scene.builder("prepare", "copy /tmp/src /app");
    for at in ["/", "../x", "/run"] {
        let inject = format!("{keys}:{at}");
        let refused = scene.lab.build(&scene.source, &builder, "other", &["-m", "commit", "--json", "--inject", &inject]);
        refused.assert_error(1, "validation-failed", &["--inject SRC:DEST"]);
    }
    scene.lab.assert_nothing_left();
}

#[test]
fn variables_for_scripts_only_are_not_in_the_product() {
    needs_engine!();
    let scene = scene();
    for contract in CONTRACTS {
        let builder = scene.builder(contract, "copy /tmp/src /app\nenv PROXY /app/proxy\nenv STAYS /app/stays");
        let before = scene.lab.config(&builder);
        let flags = ["-m", "commit", "--build-env", "PROXY=http://only-now.test", "-e", "STAYS=yes"];
        scene.lab.build(&scene.source, &builder, "app", &flags).assert_success().assert_silent_about("warning");
        // The script saw it, and wrote it down where it may.
        assert_eq!(scene.lab.product_file("app", "/app/proxy").as_deref(), Some("http://only-now.test"));
        assert_eq!(scene.lab.product_file("app", "/app/stays").as_deref(), Some("yes"));
        let config = scene.lab.config("app");
        let variables: Vec<&str> = config["Env"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(variables.contains(&"STAYS=yes") && !variables.iter().any(|pair| pair.starts_with("PROXY")), "{variables:?}");
        assert_eq!(config["User"], before["User"]);
        assert_eq!(scene.lab.layers("app"), scene.lab.layers(&builder) + 1);
        assert_eq!(scene.lab.run("app").output.stdout, "hello");
        let said = [scene.lab.inspect("app").unwrap().to_string(), scene.history("app")].concat();
        assert!(!said.contains("only-now") && !said.contains("PROXY"), "{said}");
        // A product is a base like any other.
        scene
            .lab
            .build(&scene.source, &scene.lab.tag("app"), "again", &[&flags[..], &["--contract", contract]].concat())
            .assert_success();
    }
    let kept = scene.lab.source(&[(".s2i/environment", "PROXY=1\n")]);
    let builder = scene.builder("assemble", "print never");
    let refused = scene.lab.build(&kept, &builder, "other", &["-m", "commit", "--json", "--build-env", "PROXY=2"]);
    refused.assert_error(1, "validation-failed", &["`PROXY`", ".s2i/environment"]);
    scene.lab.assert_nothing_left();
}

impl Scene {
    fn history(&self, name: &str) -> String {
        self.lab.engine().get(&format!("/images/{}/history", self.lab.tag(name))).unwrap().to_string()
    }
}

#[test]
fn artifacts_are_saved_and_extended_builds_made_with_secrets_too() {
    needs_engine!();
    let scene = scene();
    let assemble = "ensure /run/secrets/token\ncopy /tmp/src /app/out\nwrite /app/cache/file 1";
    let builder = Builder::new().user("1001:7").by_assemble().s2i("assemble", assemble);
    let builder = scene.lab.builder(
        builder
            .s2i("run", "print never")
            .s2i("save-artifacts", "env MODE /app/cache/mode\nensure /run/secrets/token\ntar /app/cache"),
    );
    let runtime = Builder::new().user("2002:8").by_assemble().config("WORKDIR /app").s2i("run", "cat /app/out/index.txt");
    let runtime = scene.lab.builder(runtime.s2i("assemble-runtime", "list /run/secrets /app/seen\nenv MODE /app/mode"));
    let flags = ["-R", &runtime, "-a", "/app/out", "--incremental", "--build-env", "MODE=fast"];
    scene.build(&builder, &flags).assert_success();
    scene.build(&builder, &flags).assert_success().assert_says("incremental build").assert_silent_about("goes on without");
    assert!(scene.lab.product_file("app", "/app/seen").unwrap().contains(" 2002:8 "));
    assert_eq!(scene.lab.product_file("app", "/app/mode").as_deref(), Some("fast"));
    scene.assert_keeps_nothing("app", &[&value(), "MODE="]);
    scene.lab.assert_nothing_left();
}

#[test]
fn a_dockerfile_is_refused_before_any_work() {
    needs_engine!();
    let scene = scene();
    let secret = format!("id=token,src={}", scene.file);
    let inject = format!("{}:/opt/keys", scene.file);
    for contract in CONTRACTS {
        let builder = scene.builder(contract, "print never");
        for flags in [["--secret", &secret], ["--inject", &inject], ["--build-env", "A=1"]] {
            let refused = scene.lab.build(
                &scene.source,
                &builder,
                "app",
                &[&flags[..], &["-m", "dockerfile", "--json", "--debug"]].concat(),
            );
            refused.assert_error(1, "validation-failed", &[flags[0], "--strategy commit"]).assert_no_request("POST /build");
        }
    }
    scene.lab.assert_nothing_left();
}

#[test]
fn a_killed_build_leaves_no_secret_behind() {
    needs_engine!();
    let scene = scene();
    let builder = scene.builder("prepare", "print working\nsleep 60");
    let quick = scene.builder("prepare", "copy /tmp/src /app");
    let secret = format!("id=token,src={}", scene.file);
    for signal in [Signal::KILL, Signal::INT] {
        let tag = scene.lab.tag("slow");
        let mut running = scene.lab.start(["build", &scene.source, &builder, &tag, "-m", "commit", "--secret", &secret]);
        running.wait_until_it_says("| working");
        running.signal(signal);
        scene.lab.finish(running);
        if signal == Signal::KILL {
            assert!(!scene.lab.leftovers().unwrap().is_empty(), "there is something to remove");
            scene.lab.build(&scene.source, &quick, "quick", &["-m", "commit"]).assert_success().assert_says("dead build");
        }
        scene.lab.assert_nothing_left();
    }
}

#[test]
fn a_policy_file_says_which_secrets_are_used() {
    needs_engine!();
    let scene = scene();
    let builder = scene.builder("prepare", "copy /tmp/src /app");
    let policy = scene.lab.root().join("policy.toml").to_str().unwrap().to_owned();
    for (text, is_granted) in [("secrets = [\"token\"]", true), ("secrets = [\"other\"]", false), ("secrets = []", false)] {
        fs::write(&policy, format!("[defaults]\n{text}\n")).unwrap();
        let built = scene.build(&builder, &["--policy", &policy, "--json"]);
        if is_granted {
            built.assert_success();
        } else {
            built.assert_error(3, "not-granted", &["use the secret `token`", "\"token\"]", &policy]);
        }
    }
    scene.lab.assert_nothing_left();
}
