//! Engines that are spoken to in TLS: a real one behind a front that demands the user's certificate, by each way in which users name it.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

mod tls {
    pub(crate) mod authority;
    pub(crate) mod front;
}

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use sti_tests::{Builder, Lab, Outcome, needs_engine};
use tls::{
    authority::{Authority, Identity},
    front::Front,
};

/// SHA-256 of `far`, as docker names the directories of a context.
const FAR: &str = "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868";

struct Scene {
    lab: Lab,
    front: Front,
    authority: Authority,
    user: Identity,
    builder: String,
    source: String,
}

fn scene() -> Scene {
    scene_at(&["127.0.0.1"])
}

/// A scene whose engine is vouched for under these names.
fn scene_at(hosts: &[&str]) -> Scene {
    let lab = Lab::new();
    let authority = Authority::new("sti tests");
    let front = Front::before(lab.engine(), &authority.engine(hosts), &authority);
    let builder = Builder::new().user("1001").prepare("copy /tmp/src /app\nprint 'prepared'").run("cat /app/index.txt");
    let builder = lab.builder(builder);
    let source = lab.source(&[("index.txt", "hello")]);
    Scene { user: authority.user(), lab, front, authority, builder, source }
}

impl Scene {
    /// A directory with all that is needed.
    fn certificates(&self, name: &str) -> PathBuf {
        let directory = self.lab.root().join(name);
        self.authority.write(&directory);
        self.user.write(&directory);
        directory
    }

    fn build(&self, more: &[&str], environment: &[(&str, &str)]) -> Outcome {
        let mut command = self.lab.command();
        command.args(["build", &self.source, &self.builder, &self.lab.tag("app"), "--json"]).args(more);
        command.env_remove("DOCKER_HOST").envs(environment.iter().copied());
        self.lab.run_command(command)
    }

    /// A build by the environment, with the certificates of a directory.
    fn build_with(&self, directory: &Path, more: &[&str]) -> Outcome {
        let host = format!("tcp://{}", self.front.address());
        let directory = directory.to_str().unwrap();
        self.build(more, &[("DOCKER_HOST", &host), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", directory)])
    }

    #[track_caller]
    fn check_built(&self, outcome: &Outcome) {
        outcome.assert_success().assert_says("prepared");
        let seen = self.front.take_seen();
        assert!(!seen.is_empty() && seen.iter().all(|certificate| *certificate == self.user.der()), "{outcome}");
        assert_eq!(self.lab.run("app").output.stdout, "hello");
        self.lab.assert_nothing_left();
        self.lab.engine().remove_image(&self.lab.tag("app")).unwrap();
    }

    #[track_caller]
    fn check_refused(&self, outcome: &Outcome, texts: &[&str]) {
        outcome.assert_error(5, "connection-failed", texts);
        assert!(self.front.take_seen().is_empty(), "somebody was let in\n{outcome}");
        assert_eq!(self.lab.image_id("app"), None, "{outcome}");
    }
}

#[test]
fn builds_in_tls_with_both_strategies() {
    needs_engine!();
    let scene = scene();
    let certificates = scene.certificates("certificates");
    for strategy in ["commit", "dockerfile"] {
        scene.check_built(&scene.build_with(&certificates, &["--strategy", strategy, "--clean"]));
    }
}

#[test]
fn builds_in_tls_where_the_url_says_https() {
    needs_engine!();
    let scene = scene();
    let certificates = scene.certificates("certificates");
    let url = format!("https://{}", scene.front.address());
    let named = [("DOCKER_CERT_PATH", certificates.to_str().unwrap())];
    scene.check_built(&scene.build(&["-U", &url], &named));
    // Without that variable they are those of docker's own directory.
    let directory = scene.certificates("docker");
    scene.check_built(&scene.build(&["-U", &url], &[("DOCKER_CONFIG", directory.to_str().unwrap())]));
}

#[test]
fn builds_in_tls_in_a_docker_context() {
    needs_engine!();
    let scene = scene();
    let config = scene.lab.root().join("docker");
    scene.certificates(&format!("docker/contexts/tls/{FAR}/docker"));
    let meta = config.join(format!("contexts/meta/{FAR}"));
    fs::create_dir_all(&meta).unwrap();
    let host = format!("tcp://{}", scene.front.address());
    let description = json!({
        "Name": "far",
        "Metadata": {},
        "Endpoints": { "docker": { "Host": host, "SkipTLSVerify": false } },
    });
    fs::write(meta.join("meta.json"), description.to_string()).unwrap();
    let config_text = config.to_str().unwrap();
    scene.check_built(&scene.build(&[], &[("DOCKER_CONFIG", config_text), ("DOCKER_CONTEXT", "far")]));
    fs::write(config.join("config.json"), r#"{"currentContext": "far"}"#).unwrap();
    scene.check_built(&scene.build(&[], &[("DOCKER_CONFIG", config_text)]));
}

#[test]
fn refuses_an_engine_that_another_authority_vouches_for() {
    needs_engine!();
    let scene = scene();
    let certificates = scene.certificates("certificates");
    Authority::new("somebody else").write(&certificates);
    let ca = certificates.join("ca.pem");
    let outcome = scene.build_with(&certificates, &[]);
    scene.check_refused(&outcome, &["certificate", ca.to_str().unwrap()]);
}

#[test]
fn refuses_an_engine_that_is_vouched_for_under_another_name() {
    needs_engine!();
    let scene = scene_at(&["engine.example"]);
    let outcome = scene.build_with(&scene.certificates("certificates"), &[]);
    scene.check_refused(&outcome, &["certificate", "127.0.0.1", "engine.example"]);
}

#[test]
fn tells_that_the_engine_wants_a_certificate() {
    needs_engine!();
    let scene = scene();
    // As docker's own client does, it goes without where there is none.
    let certificates = scene.lab.root().join("certificates");
    scene.authority.write(&certificates);
    let outcome = scene.build_with(&certificates, &[]);
    scene.check_refused(&outcome, &["certificate", certificates.join("cert.pem").to_str().unwrap()]);
    let stranger = Authority::new("somebody else").user();
    stranger.write(&certificates);
    let outcome = scene.build_with(&certificates, &[]);
    scene.check_refused(&outcome, &["certificate", certificates.join("cert.pem").to_str().unwrap()]);
}

#[test]
fn names_the_file_that_is_missing_or_spoilt() {
    needs_engine!();
    let scene = scene();
    for file in ["ca.pem", "cert.pem", "key.pem"] {
        let directory = scene.certificates(&format!("without-{file}"));
        let path = directory.join(file);
        fs::remove_file(&path).unwrap();
        let outcome = scene.build_with(&directory, &[]);
        scene.check_refused(&outcome, &[path.to_str().unwrap()]);
        fs::write(&path, "no certificate").unwrap();
        let outcome = scene.build_with(&directory, &[]);
        scene.check_refused(&outcome, &[path.to_str().unwrap()]);
    }
}
