//! Hostile plugins: each attack ends by refusal or at a limit, in time, with the host's memory bounded, and the next build is well.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

use std::{fs, path::PathBuf, sync::OnceLock, thread, time::Duration};

use sti_tests::{Builder, Lab, Outcome, built_plugin, needs_engine};

/// What the policy of these tests gives a plugin.
const SECONDS: &str = "[defaults]\nseconds = 2\nmemory = \"64 MiB\"\n";

/// A plugin's memory, `sti` itself in a debug build, and room.
const MOST_MEMORY: u64 = 300 << 20;

/// Refused by policy or by what the sandbox offers: exit 3.
const REFUSED: (i32, &[&str]) = (3, &["not-granted"]);
/// Ended at a limit, by a trap, or by a problem that the plugin was told: exit 4.
const ENDED: (i32, &[&str]) = (4, &["plugin-limit", "plugin-trap", "plugin-problem", "plugin-invalid"]);

fn hostile() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built_plugin("hostile", ""))
}

struct Scene {
    lab: Lab,
    builder: String,
    source: String,
    policy: String,
}

fn scene() -> Scene {
    let lab = Lab::new();
    let builder = lab.builder(Builder::new().user("1001").prepare("copy /tmp/src /app").run("cat /app/index.txt"));
    let source = lab.source(&[("index.txt", "hello")]);
    let policy = lab.root().join("policy.toml");
    fs::write(&policy, SECONDS).unwrap();
    Scene { policy: policy.to_str().expect("a plain path").to_owned(), lab, builder, source }
}

impl Scene {
    /// Attacks, and answers with the outcome and the kernel's high-water mark of memory.
    fn attack(&self, attack: &str, more: &[&str]) -> (Outcome, u64) {
        let setting = format!("attack={attack}");
        let plugin = hostile().to_str().expect("a plain path");
        let tag = self.lab.tag("app");
        let arguments =
            ["build", &self.source, &self.builder, &tag, "--strategy", plugin, "--set", &setting, "--policy", &self.policy];
        let running = self.lab.start([&arguments, more].concat());
        let status = format!("/proc/{}/status", running.id());
        let watch = thread::spawn(move || {
            let mut peak = 0;
            while let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark) {
                peak = peak.max(now);
                thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        (self.lab.finish(running), watch.join().expect("the watch does not panic"))
    }

    fn check(&self, attack: &str, (exit, conditions): (i32, &[&str]), words: &[&str]) {
        let (outcome, peak) = self.attack(attack, &["--json", "--network", "none"]);
        let error = outcome.error();
        let condition = error["condition"].as_str().unwrap_or_default();
        assert!(conditions.contains(&condition), "{attack}: expected one of {conditions:?}\n{outcome}");
        outcome.assert_error(exit, condition, words);
        assert!(outcome.time < Duration::from_secs(30), "{attack}\n{outcome}");
        assert!(peak < MOST_MEMORY, "{attack}: {peak} bytes");
        assert!(outcome.stdout.len() < 4 << 20, "{attack}: {} bytes of output", outcome.stdout.len());
        assert_eq!(self.lab.image_id("app"), None, "{attack}");
    }

    fn is_well(&self) {
        self.lab.build(&self.source, &self.builder, "app", &["--strategy", "commit"]).assert_success();
        assert_eq!(self.lab.run("app").output.stdout, "hello");
        self.lab.assert_nothing_left();
    }
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[test]
fn what_takes_time_memory_and_handles_is_ended_at_a_limit() {
    needs_engine!();
    let scene = scene();
    let rows: &[(&str, &[&str])] = &[
        ("loop", &["limit", "2"]),
        ("sleep", &["limit", "2"]),
        ("allocate", &["limit", "64"]),
        ("recurse", &[]),
        ("handles", &["limit"]),
        ("parts", &["limit"]),
        ("plan-flood", &["limit"]),
        ("ask-flood", &["limit"]),
        ("big-file", &[]),
        ("many-files", &["limit"]),
        ("huge-strings", &[]),
        ("panic", &["the plugin has lost its way"]),
        ("abort", &[]),
        ("exit", &[]),
    ];
    for (attack, words) in rows {
        scene.check(attack, ENDED, words);
    }
    scene.is_well();
}

#[test]
fn what_was_not_granted_is_refused_naming_step_wish_and_grant() {
    needs_engine!();
    let scene = scene();
    let rows: &[(&str, &[&str])] = &[
        ("other-image", &["registry.example.com/not/named:1", "the command line names"]),
        ("root", &["root", "step 1"]),
        ("network", &["network", "step 1", "none"]),
        ("proc-path", &["/proc/self", "step 1"]),
        ("dot-path", &["/proc/../etc", "step 1"]),
        ("socket-path", &["/sys/fs/cgroup", "step 1"]),
        ("capture-proc", &["/proc/1/root", "content 0"]),
        ("secret", &["not-named"]),
        ("cache", &["not-granted"]),
        ("sti-label", &["sti.build", "step 1"]),
        ("no-command", &["command", "step 1"]),
        ("thousand-steps", &["1000", "100"]),
    ];
    for (attack, words) in rows {
        scene.check(attack, REFUSED, words);
    }
    scene.is_well();
}

#[test]
fn what_the_sandbox_does_not_have_cannot_be_found_in_it() {
    needs_engine!();
    let scene = scene();
    scene.check("ambient", ENDED, &["looked around and found: "]);
    let (outcome, _) = scene.attack("ambient", &["--json"]);
    assert_eq!(outcome.error()["code"], "nothing-found", "{outcome}");
    let without_words =
        ["sockets", "source-dots", "other-tag", "product-twice", "no-product", "relative-path", "environment-name"];
    for attack in without_words {
        scene.check(attack, ENDED, &[]);
        let (outcome, _) = scene.attack(attack, &["--json"]);
        assert_ne!(outcome.error()["code"], "not-stopped", "{outcome}");
    }
    scene.is_well();
}

#[test]
fn what_a_plugin_says_is_bounded_and_clean_and_claims_nothing() {
    needs_engine!();
    let scene = scene();
    for attack in ["log-flood", "stderr-flood", "log-line", "escapes", "forged-lines", "problem"] {
        for more in [&[][..], &["--json"]] {
            let (outcome, peak) = scene.attack(attack, more);
            let code = outcome.status.code().unwrap_or_default();
            // To say too much is no crime: what is too much is left out, and where the plan is good it is carried out.
            assert!([0, 3, 4].contains(&code), "{attack}\n{:.3000}", outcome.to_string());
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(text.len() < 4 << 20, "{attack}: {} bytes", text.len());
            let bad = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
            assert!(!text.contains(bad), "{attack}\n{text:.3000?}");
            assert!(peak < MOST_MEMORY, "{attack}: {peak} bytes");
            // A line that begins like one of the host's own is the host's own.
            let errors = text.lines().filter(|line| line.starts_with("error:")).count();
            assert!(errors <= 1 && !text.lines().any(|line| line == "  hint: curl example.com | sh"), "{attack}\n{text:.3000}");
        }
    }
    scene.is_well();
}

#[test]
fn introductions_that_lie_or_do_not_end_are_refused() {
    needs_engine!();
    let scene = scene();
    let rows = [
        ("card-endless", &["plugin-limit"][..]),
        ("card-control", &["plugin-invalid"]),
        ("card-of-another", &["plugin-invalid"]),
        ("card-flood", &["plugin-invalid", "plugin-limit"]),
    ];
    for (feature, conditions) in rows {
        let plugin = built_plugin("hostile", feature);
        let plugin = plugin.to_str().expect("a plain path");
        let outcome = scene.lab.build(&scene.source, &scene.builder, "app", &["--strategy", plugin, "--json"]);
        outcome.assert_exit(4);
        let condition = outcome.error()["condition"].as_str().unwrap_or_default().to_owned();
        assert!(conditions.contains(&condition.as_str()), "{feature}\n{outcome}");
        assert!(outcome.time < Duration::from_secs(30) && !outcome.stdout.contains('\u{1b}'), "{feature}\n{outcome}");
    }
    scene.is_well();
}

#[test]
fn files_that_are_no_plugins_are_told_apart() {
    needs_engine!();
    let scene = scene();
    let component = fs::read(hostile()).unwrap();
    let rows: [(&str, Vec<u8>, &str); 5] = [
        ("empty.wasm", Vec::new(), "empty"),
        ("text.wasm", b"(module)".to_vec(), "text"),
        ("random.wasm", vec![0xff; 100], "no WebAssembly"),
        ("module.wasm", b"\0asm\x01\0\0\0".to_vec(), "core module"),
        ("cut.wasm", component[..component.len() / 2].to_vec(), "cut off"),
    ];
    for (name, bytes, word) in rows {
        let path = scene.lab.root().join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().expect("a plain path");
        let outcome = scene.lab.build(&scene.source, &scene.builder, "app", &["--strategy", path, "--json"]);
        outcome.assert_error(4, "plugin-invalid", &[name, word]);
    }
    scene.is_well();
}
