//! What a fetch is refused, and that what the refusal prints, pasted as it stands, allows it: by flags, by the lines of a policy file, and
//! by the site's own file, which here lies in an `/etc` that only the process under test sees.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sti_test_server::Server;
use sti_tests::{Lab, Outcome, built_plugin, built_sti, run};

use super::{fetched, text, web, with_submodule};

/// A lab, what it fetches, and what its user does about refusals.
struct Scene {
    lab: Lab,
    web: PathBuf,
    policy: Option<PathBuf>,
    flags: Vec<String>,
    /// What lies above the machine's own `/etc`.
    etc: Option<PathBuf>,
}

impl Scene {
    fn new() -> Self {
        let lab = Lab::new();
        let web = web(&lab);
        Self { lab, web, policy: None, flags: Vec::new(), etc: None }
    }

    /// With a policy file of the user's.
    fn with_policy(rules: &str) -> Self {
        let scene = Self::new();
        let policy = scene.lab.root().join("policy.toml");
        fs::write(&policy, rules).unwrap();
        Self { policy: Some(policy), ..scene }
    }

    /// With the site's own policy file, on a machine that knows `git.intern.test` as itself and `far.intern.test` as a private address.
    /// None where no process can be given an `/etc` of its own.
    fn with_site(rules: &str) -> Option<Self> {
        let scene = Self::new();
        let etc = scene.lab.root().join("etc");
        fs::create_dir_all(etc.join("sti")).unwrap();
        fs::write(etc.join("sti/policy.toml"), rules).unwrap();
        fs::write(etc.join("hosts"), "127.0.0.1 localhost git.intern.test\n10.99.99.99 far.intern.test\n").unwrap();
        fs::write(etc.join("nsswitch.conf"), "hosts: files\n").unwrap();
        let can = within(&etc).arg("true").output().is_ok_and(|output| output.status.success());
        if !can {
            sti_tests::cannot_be_had("a process with an /etc of its own (unshare, overlay)");
            return None;
        }
        Some(Self { etc: Some(etc), ..scene })
    }

    fn server(&self) -> Server {
        Server::start(&self.web, None)
    }

    fn archive(&self) -> String {
        format!("archive:{}", text(self.web.join("app-1.0.tar.gz")))
    }

    /// Fetches into a new directory, with the flags and the policy of now.
    fn fetch(&self, address: &str) -> Outcome {
        let _gone = fs::remove_dir_all(self.lab.root().join("out"));
        let mut command = self.lab.command_of(Path::new("unshare"));
        match &self.etc {
            None => command = self.lab.command(),
            Some(etc) => {
                let arguments = within(etc);
                command.args(arguments.get_args()).arg(built_sti());
            }
        }
        command.args(["fetch", address, "out", "--json"]).args(&self.flags);
        command.args(self.policy.iter().flat_map(|policy| ["--policy", policy.to_str().unwrap()]));
        self.lab.run_command(command)
    }

    /// Does what the hint of a refusal says.
    fn paste(&mut self, refused: &Outcome) {
        let error = refused.error();
        let hint = error["hint"].as_str().unwrap_or_else(|| panic!("nothing to paste\n{refused}"));
        let (mut pasted, site) = (false, self.etc.as_ref().map(|etc| etc.join("sti/policy.toml")));
        for line in hint.lines() {
            if let Some((_, flag)) = line.split_once("--allow-host ") {
                self.flags.extend(["--allow-host".to_owned(), flag.trim_matches('\'').to_owned()]);
                pasted = true;
            }
            if let Some((place, line)) = line.split_once(":  ") {
                let (section, file) = place.strip_prefix("to allow it, write in ").unwrap().split_once(" of ").unwrap();
                let file = site.clone().filter(|_| file == "/etc/sti/policy.toml").unwrap_or_else(|| file.into());
                write_under(&file, section, &line.replace("NUMBER", "1000000"));
                pasted = true;
            }
        }
        assert!(pasted, "nothing to paste\n{refused}");
    }

    /// Fetches, does as the refusals say, and has it after so many of them.
    fn check_pastes(&mut self, address: &str, refusals: usize) {
        for _ in 0..refusals {
            let refused = self.fetch(address);
            refused.assert_condition(3, "not-granted");
            self.paste(&refused);
        }
        self.fetch(address).assert_success();
        assert_eq!(fetched(&self.lab, "index.txt"), "second");
    }
}

/// A command that runs others where this directory lies above `/etc`.
fn within(etc: &Path) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount -t overlay overlay -o \"lowerdir=$0:/etc\" /etc && exec \"$@\"";
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(etc);
    command
}

/// Puts a line into a section of a policy file, in place of the line of the same key.
fn write_under(file: &Path, section: &str, line: &str) {
    let (key, _) = line.split_once(" = ").expect("a line of TOML");
    let before = fs::read_to_string(file).unwrap();
    let mut lines: Vec<_> = before.lines().filter(|other| !other.starts_with(&format!("{key} = "))).collect();
    let place = lines.iter().position(|other| *other == section).unwrap_or_else(|| panic!("no {section} in\n{before}"));
    lines.insert(place + 1, line);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

/// The same server by another name.
fn as_localhost(server: &Server) -> String {
    server.url.replace("127.0.0.1", "localhost")
}

#[test]
fn a_redirect_is_allowed_by_what_its_refusal_prints() {
    let mut scene = Scene::new();
    let (server, elsewhere) = (scene.server(), scene.server());
    let address = format!("{}/x.tar?to={}/app-1.0.tar.gz", server.url, as_localhost(&elsewhere));
    scene.fetch(&address).assert_error(3, "not-granted", &["plugin `archive` may not reach `localhost:", "names `127.0.0.1:"]);
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
    scene.check_pastes(&address, 1);
    assert_eq!(elsewhere.asked(), ["GET /app-1.0.tar.gz"]);
}

#[test]
fn the_first_address_is_allowed_by_what_its_refusal_prints() {
    let mut scene = Scene::with_policy("[defaults]\nhosts = [\"github.com\"]\n");
    let server = scene.server();
    scene.check_pastes(&format!("{}/app.git", server.url), 1);
    let mut nothing_private = Scene::with_policy("[defaults]\nhosts = [\"*\"]\nprivate-hosts = []\n");
    let server = nothing_private.server();
    nothing_private.check_pastes(&format!("{}/app.git", as_localhost(&server)), 1);
    assert!(fs::read_to_string(nothing_private.policy.unwrap()).unwrap().contains("private-hosts = [\"127.0.0.1:"));
}

#[test]
fn a_submodule_is_allowed_by_what_its_refusal_prints() {
    let mut scene = Scene::new();
    let server = scene.server();
    let repository = with_submodule(&scene.web, &server);
    scene.check_pastes(&repository, 1);
    assert_eq!(fetched(&scene.lab, "part/index.txt"), "second");
    // A policy file narrows, and the flag names: it takes both.
    let mut narrowed = Scene::with_policy("[defaults]\nhosts = [\"github.com\"]\n");
    let server = narrowed.server();
    let repository = with_submodule(&narrowed.web, &server);
    narrowed.check_pastes(&repository, 1);
    assert!(
        narrowed.flags.len() == 2 && narrowed.policy.is_some_and(|file| fs::read_to_string(file).unwrap().contains("127.0.0.1:"))
    );
}

#[test]
fn a_file_of_git_lfs_is_allowed_by_what_its_refusal_prints() {
    let mut scene = Scene::new();
    let (server, elsewhere) = (scene.server(), scene.server());
    let content = "kept elsewhere\n";
    fs::write(scene.web.join("object"), content).unwrap();
    let digest = Command::new("sha256sum").arg(scene.web.join("object")).output().unwrap().stdout;
    let oid = String::from_utf8_lossy(&digest[..64]).into_owned();
    let project = scene.web.join("app-1.0");
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", content.len());
    fs::write(project.join("large.bin"), pointer).unwrap();
    fs::write(project.join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n").unwrap();
    run(&project, "git", &["add", "-A"]);
    run(&project, "git", &["-c", "filter.lfs.process=", "-c", "filter.lfs.clean=cat", "commit", "-q", "-m", "a large file"]);
    run(&scene.web, "git", &["clone", "-q", "--bare", "app-1.0", "lfs.git"]);
    let batch = scene.web.join("lfs.git/info/lfs/objects");
    fs::create_dir_all(&batch).unwrap();
    let href = format!("{}/object", as_localhost(&elsewhere));
    let offered =
        format!(r#"{{"objects":[{{"oid":"{oid}","size":{},"actions":{{"download":{{"href":"{href}"}}}}}}]}}"#, content.len());
    fs::write(batch.join("batch"), offered).unwrap();
    scene.check_pastes(&format!("{}/lfs.git", server.url), 1);
    assert_eq!(fetched(&scene.lab, "large.bin"), content);
}

#[test]
fn a_limit_is_raised_by_what_its_refusal_prints() {
    let mut scene = Scene::with_policy("[defaults]\nentries = 2\n");
    let policy = text(scene.policy.as_ref().unwrap());
    let address = scene.archive();
    let reached = scene.fetch(&address);
    reached.assert_error(1, "source-too-large", &["2 entries", &format!("as policy `{policy}` says"), "[defaults]"]);
    scene.flags = ["--limit", "entries=5"].map(str::to_owned).to_vec();
    let wider = scene.fetch(&address);
    wider.assert_error(3, "not-granted", &["`--limit entries=5`", &format!("policy `{policy}` grants entries up to 2")]);
    assert!(!scene.lab.root().join("out/index.txt").exists());
    scene.check_pastes(&address, 1);
    scene.flags = ["--limit", "entries=2"].map(str::to_owned).to_vec();
    scene.fetch(&address).assert_error(1, "source-too-large", &["as `--limit` says", "--limit entries=5"]);
    // By the line of the file alone.
    let mut scene = Scene::with_policy("[defaults]\nbytes = 3\n");
    let address = scene.archive();
    let reached = scene.fetch(&address);
    reached.assert_condition(1, "source-too-large");
    scene.paste(&reached);
    scene.fetch(&address).assert_success();
}

#[test]
fn a_fetch_has_its_time_whoever_it_waits_for() {
    let mut scene = Scene::new();
    // A server that takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    scene.flags = ["--limit", "total-seconds=1"].map(str::to_owned).to_vec();
    let late = scene.fetch(&format!("http://{}/app.git", silent.local_addr().unwrap()));
    late.assert_error(5, "fetch-failed", &["total-seconds 1, as `--limit` says", "--limit total-seconds=NUMBER"]);
}

#[test]
fn hosts_that_mean_nothing_are_refused_before_anything_is_done() {
    let scene = Scene::new();
    for host in ["https://example.com", "127.1", "10.0.0.1/8", "a b", "0.0.0.0/0"] {
        let refused = scene.lab.sti(["fetch", "https://127.0.0.1:1/x.tar", "out", "--json", "--allow-host", host]);
        refused.assert_error(2, "invalid-argument", &[&format!("--allow-host {host}"), "--allow-host HOST"]);
    }
    assert!(!scene.lab.root().join("out").exists());
}

#[test]
fn a_name_that_leads_to_this_machine_is_allowed_by_what_its_refusals_print() {
    let Some(mut scene) = Scene::with_site("") else { return };
    let (server, elsewhere) = (scene.server(), scene.server());
    let named = elsewhere.url.replace("127.0.0.1", "git.intern.test");
    let address = format!("{}/x.tar?to={named}/app-1.0.tar.gz", server.url);
    // The name, and then the address that it leads to.
    scene.check_pastes(&address, 2);
    assert!(scene.flags[1].starts_with("git.intern.test:") && scene.flags[3].starts_with("127.0.0.1:"), "{:?}", scene.flags);
    assert_eq!(elsewhere.asked(), ["GET /app-1.0.tar.gz"]);
}

#[test]
fn the_site_grants_hosts_that_nobody_names_and_says_which_may_be_private() {
    let rules = "[defaults]\nallow-hosts = [\"*.intern.test\"]\nprivate-hosts = [\"127.0.0.1\"]\n";
    let Some(mut scene) = Scene::with_site(rules) else { return };
    let (server, elsewhere) = (scene.server(), scene.server());
    let named = elsewhere.url.replace("127.0.0.1", "git.intern.test");
    let address = format!("{}/x.tar?to={named}/app-1.0.tar.gz", server.url);
    scene.check_pastes(&address, 0);
    // The same file, but named by the user: it names no hosts.
    let text = fs::read_to_string(scene.etc.take().unwrap().join("sti/policy.toml")).unwrap();
    let policy = scene.lab.root().join("policy.toml");
    fs::write(&policy, text).unwrap();
    scene.policy = Some(policy);
    scene.fetch(&address).assert_error(2, "invalid-policy", &["`allow-hosts` is for the site's own file"]);
    // A private address that the site does not list is refused, though the address names the host.
    let Some(mut scene) = Scene::with_site(rules) else { return };
    let far = "http://far.intern.test:1/app.git";
    let refused = scene.fetch(far);
    refused.assert_error(3, "not-granted", &["at 10.99.99.99, a private address", "/etc/sti/policy.toml", "far.intern.test:1"]);
    scene.paste(&refused);
    scene.flags = ["--limit", "total-seconds=2"].map(str::to_owned).to_vec();
    // Whoever answers there, it is policy no more.
    assert_ne!(scene.fetch(far).error()["condition"], "not-granted");
}

#[test]
fn nobody_logs_in_to_a_host_that_only_the_site_names() {
    let Some(mut scene) = Scene::with_site("[defaults]\nallow-hosts = [\"*.intern.test\"]\nprivate-hosts = [\"127.0.0.1\"]\n")
    else {
        return;
    };
    let login = Some("ada:swordfish");
    let (server, elsewhere) = (scene.server(), Server::start(&scene.web, login));
    fs::write(scene.lab.root().join("home/.netrc"), "machine git.intern.test login ada password swordfish\n").unwrap();
    let named = elsewhere.url.replace("127.0.0.1", "git.intern.test");
    let address = format!("{}/x.tar?to={named}/app-1.0.tar.gz", server.url);
    scene.fetch(&address).assert_error(5, "fetch-failed", &["is not open to us (status 401)"]);
    // Where the user's own address names it, it is.
    scene.fetch(&format!("{named}/app-1.0.tar.gz")).assert_success().assert_silent_about("swordfish");
    // ssh would log in by itself, and is not started.
    let project = scene.web.join("app-1.0");
    fs::write(project.join(".gitmodules"), "[submodule \"part\"]\n\tpath = part\n\turl = ssh://git.intern.test:1/app.git\n")
        .unwrap();
    run(&project, "git", &["add", ".gitmodules"]);
    run(&project, "git", &["update-index", "--add", "--cacheinfo", &format!("160000,{},part", "1".repeat(40))]);
    run(&project, "git", &["commit", "-q", "-m", "a part"]);
    let address = format!("git:{}", text(&project));
    let refused = scene.fetch(&address);
    refused.assert_error(3, "not-granted", &["may not log in to `git.intern.test` as you", "--allow-host git.intern.test:1"]);
    scene.paste(&refused);
    scene.fetch(&address).assert_condition(5, "fetch-failed");
}

/// Calls `sti` as the scene's user.
fn plugins(scene: &Scene) -> Outcome {
    let mut command = scene.lab.command_of(Path::new("unshare"));
    let etc = scene.etc.as_ref().expect("a site");
    command.args(within(etc).get_args()).arg(built_sti()).args(["plugins"]);
    scene.lab.run_command(command)
}

#[test]
fn the_site_installs_a_fetcher_whose_card_is_matched_with_addresses() {
    let Some(mut scene) = Scene::with_site("") else { return };
    let component = scene.lab.root().join("outline.wasm");
    fs::copy(built_plugin("outline", ""), &component).unwrap();
    fs::write(scene.lab.root().join("site.txt"), "=== index.txt\nsecond").unwrap();
    let address = format!("outline:{}", text(scene.lab.root().join("site.txt")));
    scene.fetch(&address).assert_error(2, "invalid-argument", &["nobody fetches"]);
    let shown = scene.lab.sti(["plugins", component.to_str().unwrap(), "--json"]);
    let digest = shown.events()[0]["plugins"][0]["digest"].as_str().expect("a digest").to_owned();
    let file = scene.etc.as_ref().unwrap().join("sti/policy.toml");
    let install = |digest: &str| {
        fs::write(&file, format!("[plugins.outline]\ndigest = [\"{digest}\"]\npath = \"{}\"\n", text(&component))).unwrap();
    };
    install(&digest);
    scene.fetch(&address).assert_success();
    assert_eq!(fetched(&scene.lab, "index.txt"), "second\n");
    plugins(&scene).assert_success().assert_says("    fetches outline:").assert_says("    fetches archive:, ….tar");
    // Other bytes than the section vets: nothing runs, whatever is asked for, and the line that is printed mends it.
    install(&format!("sha256:{}", "0".repeat(64)));
    let other = scene.fetch(&scene.archive());
    other.assert_error(2, "invalid-policy", &["/etc/sti/policy.toml:3", &digest, "digest = ["]);
    let error = other.error();
    let (_, line) = error["hint"].as_str().unwrap().split_once(":  ").expect("a line to paste");
    write_under(&file, "[plugins.outline]", line);
    scene.fetch(&address).assert_success();
    // What is no plain file is not read, and nobody is waited for.
    fs::remove_file(&component).unwrap();
    scene.fetch(&address).assert_error(2, "invalid-policy", &["/etc/sti/policy.toml:3", "cannot be read"]);
    run(scene.lab.root(), "mkfifo", &["outline.wasm"]);
    scene.fetch(&address).assert_error(2, "invalid-policy", &["/etc/sti/policy.toml:3", "no plain file"]);
    // A file that the user names installs nothing.
    let policy = scene.lab.root().join("policy.toml");
    fs::copy(&file, &policy).unwrap();
    (scene.etc, scene.policy) = (None, Some(policy));
    scene.fetch(&address).assert_error(2, "invalid-policy", &["policy.toml:3", "`path` is for the site's own file"]);
}
