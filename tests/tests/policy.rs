//! Policy files: they vet by digest and narrow what the command line grants, refusals bring the line that would allow them, and a file
//! that cannot be trusted or understood stops everything. The site's own file is never written by a test.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

use std::{
    fmt::Write,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
};

use sti_tests::{Builder, Lab, Outcome, built_plugin, needs_engine};

struct Scene {
    lab: Lab,
    builder: String,
    source: String,
}

fn scene(builder: Builder) -> Scene {
    let lab = Lab::new();
    let builder = lab.builder(builder.prepare("copy /tmp/src /app").run("cat /app/index.txt"));
    let source = lab.source(&[("index.txt", "hello")]);
    Scene { lab, builder, source }
}

impl Scene {
    /// Writes a policy. Answers its path.
    fn policy(&self, text: &str) -> String {
        let path = self.lab.root().join("policy.toml");
        fs::write(&path, text).unwrap();
        path.to_str().expect("a plain path").to_owned()
    }

    fn build(&self, strategy: &str, policy: &str) -> Outcome {
        let more = ["--strategy", strategy, "--policy", policy, "--json"];
        self.lab.build(&self.source, &self.builder, "app", &more)
    }

    fn check_builds(&self, strategy: &str, text: &str) {
        self.build(strategy, &self.policy(text)).assert_success();
        self.lab.assert_nothing_left();
    }

    fn check_refused(&self, strategy: &str, text: &str, words: &[&str]) {
        let policy = self.policy(text);
        self.build(strategy, &policy).assert_error(3, "not-granted", &[words, &[policy.as_str()]].concat());
        assert_eq!(self.lab.image_id("app"), None);
        self.lab.assert_nothing_left();
    }
}

#[test]
fn nothing_loads_that_is_not_vetted_and_the_lines_of_the_hint_vet_it() {
    needs_engine!();
    let scene = scene(Builder::new().user("1001"));
    let plugin = built_plugin("label-layers", "");
    for strategy in ["commit", "dockerfile", plugin.to_str().expect("a plain path")] {
        let mut text = "vetted-only = true\n".to_owned();
        let mut pasted = 0;
        let vetted = loop {
            let policy = scene.policy(&text);
            let outcome = scene.build(strategy, &policy);
            if outcome.status.success() {
                break outcome;
            }
            outcome.assert_error(3, "not-vetted", &["is not vetted", &policy, "sha256:", "digest = "]);
            assert_eq!(scene.lab.image_id("app"), None);
            let error = outcome.error();
            let hint = error["hint"].as_str().expect("a hint");
            text += &hint[hint.find('[').expect("a section to paste")..];
            text += "\n";
            pasted += 1;
            assert!(pasted < 6, "pasting does not help:\n{text}\n{outcome}");
        };
        assert!(pasted > 0, "{vetted}");
        scene.lab.engine().remove_image(&scene.lab.tag("app")).unwrap();
    }
    scene.lab.assert_nothing_left();
}

#[test]
fn a_copy_of_a_vetted_component_is_vetted_and_a_changed_one_is_not() {
    needs_engine!();
    let scene = scene(Builder::new().user("1001"));
    let plugin = built_plugin("label-layers", "");
    let shown = scene.lab.sti(["plugins", plugin.to_str().expect("a plain path"), "--json"]);
    let digest = shown.events()[0]["plugins"][0]["digest"].as_str().expect("a digest").to_owned();
    let listed = scene.lab.sti(["plugins", "--json"]).events()[0].clone();
    let mut text = format!("vetted-only = true\n[plugins.theirs]\ndigest = \"{digest}\"\n");
    for known in listed["plugins"].as_array().expect("a list") {
        let name = known["card"]["name"].as_str().expect("a name");
        writeln!(text, "[plugins.{name}]\ndigest = {}", known["digest"]).unwrap();
    }
    let policy = scene.policy(&text);
    let copy = scene.lab.root().join("under-another-name.wasm");
    fs::copy(&plugin, &copy).unwrap();
    scene.build(copy.to_str().expect("a plain path"), &policy).assert_success();
    // An empty custom section: the same plugin, and other bytes.
    let changed = [fs::read(&plugin).unwrap(), vec![0, 2, 1, b'x']].concat();
    fs::write(&copy, changed).unwrap();
    scene.build(copy.to_str().expect("a plain path"), &policy).assert_error(3, "not-vetted", &["under-another-name.wasm"]);
}

#[test]
fn a_file_narrows_images_root_and_network() {
    needs_engine!();
    let plain = scene(Builder::new().user("1001"));
    for strategy in ["commit", "dockerfile"] {
        let elsewhere = "[defaults]\nimages = [\"registry.example.com/**\"]\n";
        plain.check_refused(strategy, elsewhere, &[&plain.builder, "registry.example.com/**"]);
    }
    plain.check_builds("commit", "[defaults]\nimages = [\"docker.io/sti-test/**\"]\nroot = false\nnetwork = \"none\"\n");
    assert_eq!(plain.lab.run("app").output.stdout, "hello");
    let root = scene(Builder::new());
    for strategy in ["commit", "dockerfile"] {
        root.check_refused(strategy, "[defaults]\nroot = false\n", &["root"]);
    }
}

#[test]
fn a_network_that_a_file_takes_away_is_not_in_the_plan() {
    needs_engine!();
    let scene = scene(Builder::new().user("1001"));
    let plan = |policy: &str| {
        let tag = scene.lab.tag("app");
        let arguments = ["plan", &scene.source, &scene.builder, &tag, "--strategy", "commit", "--json", "--policy", policy];
        let outcome = scene.lab.sti(arguments);
        outcome.assert_success();
        outcome.stdout
    };
    assert!(
        plan(&scene.policy("")).contains(r#""network":"outgoing""#)
            || plan(&scene.policy("")).contains(r#""network": "outgoing""#)
    );
    let narrowed = plan(&scene.policy("[defaults]\nnetwork = \"none\"\n"));
    assert!(!narrowed.contains("outgoing") && narrowed.contains("none"), "{narrowed}");
}

#[test]
fn a_file_that_is_not_understood_stops_everything_and_says_which_line() {
    needs_engine!();
    let scene = scene(Builder::new().user("1001"));
    let rows: [(&str, &[&str]); 6] = [
        ("vetted_only = true\n", &["policy.toml:1", "`vetted_only`", "did you mean `vetted-only`?"]),
        ("[defaults]\nrooot = false\n", &["policy.toml:2", "`rooot`", "did you mean `root`?"]),
        ("[defaults]\nnetwork = \"some\"\n", &["policy.toml:2", "`network`"]),
        ("[plugins.commit]\nroot = false\n", &["policy.toml", "digest"]),
        ("[defaults\n", &["policy.toml:1"]),
        ("mode = \"audit\"\n", &["policy.toml:1", "`mode`"]),
    ];
    for (text, words) in rows {
        scene.build("commit", &scene.policy(text)).assert_error(2, "invalid-policy", words);
    }
    assert_eq!(scene.lab.image_id("app"), None);
    scene.lab.assert_nothing_left();
}

#[test]
fn a_file_that_others_can_write_or_lead_elsewhere_is_not_believed() {
    needs_engine!();
    let scene = scene(Builder::new().user("1001"));
    let policy = scene.policy("");
    fs::set_permissions(&policy, Permissions::from_mode(0o666)).unwrap();
    scene.build("commit", &policy).assert_error(2, "invalid-policy", &["everybody", "chmod go-w", &policy]);
    fs::set_permissions(&policy, Permissions::from_mode(0o664)).unwrap();
    scene.build("commit", &policy).assert_error(2, "invalid-policy", &["its group", "chmod go-w"]);
    fs::set_permissions(&policy, Permissions::from_mode(0o600)).unwrap();
    scene.build("commit", &policy).assert_success();
    let link = scene.lab.root().join("link.toml");
    symlink(&policy, &link).unwrap();
    scene.build("commit", link.to_str().expect("a plain path")).assert_error(2, "invalid-policy", &["link.toml", "plain file"]);
    let none = scene.lab.root().join("none.toml");
    scene.build("commit", none.to_str().expect("a plain path")).assert_error(2, "invalid-policy", &["none.toml"]);
}

#[test]
fn the_variable_names_a_policy_and_the_flag_goes_before_it() {
    needs_engine!();
    let scene = scene(Builder::new().user("1001"));
    let policy = scene.policy("vetted-only = true\n");
    let with_variable = |more: &[&str]| {
        let mut command = scene.lab.command();
        let tag = scene.lab.tag("app");
        command.env("STI_POLICY", &policy).args(["build", &scene.source, &scene.builder, &tag, "--json"]).args(more);
        scene.lab.run_command(command)
    };
    with_variable(&[]).assert_error(3, "not-vetted", &[&policy]);
    let other = scene.lab.root().join("other.toml");
    fs::write(&other, "").unwrap();
    with_variable(&["--policy", other.to_str().expect("a plain path")]).assert_success();
}
