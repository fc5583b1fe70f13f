//! Registries: with and without credentials, slow, broken off and absent; and none is ever asked where the user said never.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

use std::{
    fs::{self, Permissions},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use sti_tests::{Builder, Fault, Lab, Outcome, Proxy, When, can_have, needs_engine};

/// `ada:secret`, as docker writes it down.
const AUTH: &str = "YWRhOnNlY3JldA==";
/// The same as the engine's API takes it with a push.
const PUSH_AUTH: &str = r#"{"username":"ada","password":"secret"}"#;

/// A registry of Debian's `docker-registry`, gone with the value.
struct Registry {
    process: Child,
    port: u16,
}

impl Registry {
    fn start(lab: &Lab, with_password: bool) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let root = lab.root().join(format!("registry-{port}"));
        fs::create_dir(&root).unwrap();
        let mut config = json!({
            "version": "0.1",
            "log": { "level": "error" },
            "storage": { "filesystem": { "rootdirectory": root.join("data") } },
            "http": { "addr": format!("127.0.0.1:{port}") },
        });
        if with_password {
            config["auth"] = json!({ "htpasswd": { "realm": "tests", "path": write_passwords(&root) } });
        }
        // JSON is YAML, too.
        fs::write(root.join("config.yml"), config.to_string()).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(root.join("config.yml")).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { process: command.spawn().expect("docker-registry is there"), port };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "the registry does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// Pushes an image of the lab. Answers its name here.
    fn push(&self, lab: &Lab, image: &str, name: &str) -> String {
        let repository = format!("127.0.0.1:{}/{name}", self.port);
        let engine = lab.engine();
        tag(lab, image, &format!("{repository}:1"));
        let pushed = engine.push(&format!("{repository}:1"), PUSH_AUTH).unwrap();
        assert!(!pushed.contains("errorDetail"), "{pushed}");
        engine.remove_image(&format!("{repository}:1")).unwrap();
        engine.remove_image(image).unwrap();
        format!("{repository}:1")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write_passwords(root: &Path) -> String {
    let path = root.join("passwords");
    let made = Command::new("htpasswd").args(["-Bbn", "ada", "secret"]).output().expect("htpasswd is there");
    fs::write(&path, made.stdout).unwrap();
    path.to_str().expect("a plain path").to_owned()
}

struct Scene {
    lab: Lab,
    source: String,
}

fn scene() -> Scene {
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    Scene { lab, source }
}

impl Scene {
    fn image(&self, text: &str) -> String {
        self.lab.builder(
            Builder::new()
                .user("1001")
                .prepare("copy /tmp/src /app")
                .run("cat /app/index.txt")
                .config(&format!("ENV WHICH={text}")),
        )
    }

    /// Builds with docker's configuration in a directory of the lab, and more in the search path.
    fn build_with(&self, image: &str, config: &str, more: &[&str]) -> Outcome {
        let directory = self.lab.root().join("docker-config");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config.json"), config).unwrap();
        let mut command = self.lab.command();
        let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap_or_default());
        command.env("DOCKER_CONFIG", &directory).env("PATH", path);
        let tag = self.lab.tag("app");
        command.args(["build", &self.source, image, &tag, "--strategy", "commit", "--json"]).args(more);
        let outcome = self.lab.run_command(command);
        self.lab.assert_nothing_left();
        outcome
    }

    fn build(&self, image: &str, more: &[&str]) -> Outcome {
        self.build_with(image, "{}", more)
    }

    fn forget(&self, image: &str) {
        for name in [self.lab.tag("app").as_str(), image] {
            self.lab.engine().remove_image(name).unwrap();
        }
    }
}

fn tag(lab: &Lab, image: &str, name: &str) {
    let (repository, tag) = name.rsplit_once(':').expect("a name with a tag");
    lab.engine().post(&format!("/images/{image}/tag?repo={repository}&tag={tag}"), &json!({})).unwrap();
}

#[test]
fn what_is_missing_is_pulled_and_what_is_there_is_not_unless_always() {
    needs_engine!();
    if !can_have("docker-registry", "docker-registry") {
        return;
    }
    let scene = scene();
    let registry = Registry::start(&scene.lab, false);
    let image = registry.push(&scene.lab, &scene.image("first"), "builder");
    scene.build(&image, &["--pull", "never"]).assert_error(5, "no-such-builder-image", &[&image, "--pull never"]);
    scene.build(&image, &[]).assert_success();
    assert!(scene.lab.config("app")["Env"].to_string().contains("WHICH=first"));
    scene.lab.engine().remove_image(&scene.lab.tag("app")).unwrap();
    // The registry gets a newer one under the same name; here that name still means the first, which has another name besides.
    let first = scene.lab.tag("first");
    tag(&scene.lab, &image, &first);
    registry.push(&scene.lab, &scene.image("second"), "builder");
    tag(&scene.lab, &first, &image);
    scene.build(&image, &[]).assert_success();
    assert!(scene.lab.config("app")["Env"].to_string().contains("WHICH=first"));
    scene.build(&image, &["--pull", "always"]).assert_success();
    assert!(scene.lab.config("app")["Env"].to_string().contains("WHICH=second"));
    let unknown = format!("127.0.0.1:{}/nothing:1", registry.port);
    scene.build(&unknown, &[]).assert_error(5, "no-such-builder-image", &[&unknown, "neither the engine nor the registry"]);
    scene.build(&image, &["-R", &unknown]).assert_error(5, "no-such-runtime-image", &[&unknown]);
    scene.forget(&image);
}

#[test]
fn images_by_assemble_are_pulled_to_be_judged_and_built_with() {
    needs_engine!();
    if !can_have("docker-registry", "docker-registry") {
        return;
    }
    let scene = scene();
    let registry = Registry::start(&scene.lab, false);
    let by_assemble = |script: &str| {
        let image = Builder::new().user("1001").by_assemble().config("WORKDIR /app").s2i(script, "copy /tmp/src /app");
        scene.lab.builder(image.s2i("run", "cat /app/index.txt"))
    };
    let builder = registry.push(&scene.lab, &by_assemble("assemble"), "builder");
    let runtime = registry.push(&scene.lab, &by_assemble("usage"), "runtime");
    let validate = |more: &[&str]| scene.lab.sti([&["validate", &builder, "-R", &runtime, "--json"], more].concat());
    validate(&["--pull", "never"]).assert_condition(5, "no-such-builder-image");
    validate(&[]).assert_success();
    for image in [&builder, &runtime] {
        scene.lab.engine().remove_image(image).unwrap();
    }
    let artifact = ["-R", &runtime, "-a", "/app/index.txt"];
    let never = [&artifact[..], &["--pull", "never"]].concat();
    scene.build(&builder, &never).assert_error(5, "no-such-builder-image", &[&builder]);
    scene.build(&builder, &artifact).assert_success();
    assert_eq!(scene.lab.run("app").output.stdout, "hello");
    scene.forget(&builder);
    scene.lab.engine().remove_image(&runtime).unwrap();
}

#[test]
fn credentials_come_from_dockers_configuration_or_its_helpers() {
    needs_engine!();
    if !can_have("docker-registry", "docker-registry") || !can_have("htpasswd", "apache2-utils") {
        return;
    }
    let scene = scene();
    let registry = Registry::start(&scene.lab, true);
    let host = format!("127.0.0.1:{}", registry.port);
    let image = registry.push(&scene.lab, &scene.image("private"), "builder");
    let login = format!("docker login {host}");
    scene.build(&image, &[]).assert_error(5, "pull-failed", &[&image, &login]);
    let wrong = json!({ "auths": { &host: { "auth": "YWRhOndyb25n" } } }).to_string();
    scene.build_with(&image, &wrong, &[]).assert_error(5, "pull-failed", &[&image, &login]);
    scene.build_with(&image, &json!({ "auths": { &host: { "auth": AUTH } } }).to_string(), &[]).assert_success();
    scene.forget(&image);
    let helper = scene.lab.root().join("docker-config/docker-credential-tests");
    fs::write(&helper, "#!/bin/sh\ncat > /dev/null\necho '{\"Username\":\"ada\",\"Secret\":\"secret\"}'\n").unwrap();
    fs::set_permissions(&helper, Permissions::from_mode(0o755)).unwrap();
    for config in [json!({ "credsStore": "tests" }), json!({ "credHelpers": { &host: "tests" } })] {
        let outcome = scene.build_with(&image, &config.to_string(), &[]);
        outcome.assert_success().assert_silent_about("secret");
        scene.forget(&image);
    }
    let gone = scene.build_with(&image, r#"{"credsStore":"is-not-there"}"#, &[]);
    gone.assert_error(5, "pull-failed", &[&login]).assert_says("without credentials");
}

#[test]
fn a_slow_registry_is_waited_for_and_a_broken_one_is_told() {
    needs_engine!();
    if !can_have("docker-registry", "docker-registry") {
        return;
    }
    let scene = scene();
    let registry = Registry::start(&scene.lab, false);
    registry.push(&scene.lab, &scene.image("slow"), "builder");
    let proxy = Proxy::before_port(registry.port);
    let image = format!("{}/builder:1", proxy.url());
    proxy.begin([(When::Holds("/manifests/"), Fault::Cut)]);
    scene.build(&image, &[]).assert_error(5, "pull-failed", &[&image, "check its network"]);
    proxy.begin([(When::All, Fault::Answer(500, "{}".to_owned()))]);
    scene.build(&image, &[]).assert_error(5, "pull-failed", &[&image]);
    proxy.begin([(When::All, Fault::Delay(Duration::from_millis(500)))]);
    scene.build(&image, &[]).assert_success();
    assert_eq!(scene.lab.run("app").output.stdout, "hello");
    scene.forget(&image);
}

#[test]
fn an_absent_registry_is_told_and_never_is_no_connection() {
    needs_engine!();
    let scene = scene();
    let absent = "localhost:1/none:1";
    scene.build(absent, &[]).assert_error(5, "pull-failed", &[absent, "refused", "--pull never"]);
    scene.build(absent, &["--pull", "always"]).assert_error(5, "pull-failed", &[absent, "refused"]);
    // Nobody answers at this port but a proxy, and it counts.
    let proxy = Proxy::before_port(1);
    let image = format!("{}/none:1", proxy.url());
    proxy.begin([]);
    scene.build(&image, &["--pull", "never"]).assert_error(5, "no-such-builder-image", &[&image]);
    let local = scene.image("local");
    scene.build(&local, &["-R", &image, "--pull", "never"]).assert_error(5, "no-such-runtime-image", &[&image]);
    assert_eq!(proxy.requests(), Vec::<String>::new());
    scene.build(&image, &[]).assert_exit(5);
    assert!(!proxy.requests().is_empty(), "the proxy would have seen it");
}
