//! Sources that are fetched: archives and git, from files, standard input and servers, by plugins in the sandbox.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

#[path = "fetching/granted.rs"]
mod granted;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use sti_test_server::Server;
use sti_tests::{Builder, Lab, Outcome, built_sti, needs_engine, run};

fn builder(lab: &Lab) -> String {
    lab.builder(Builder::new().user("1001").prepare("copy /tmp/src /app").run("cat /app/index.txt"))
}

/// A directory `web` in the lab with a project as `app-1.0.tar.gz` and as the repository `app.git`, whose tag `v1` says another thing.
fn web(lab: &Lab) -> PathBuf {
    let web = lab.root().join("web");
    let project = web.join("app-1.0");
    fs::create_dir_all(project.join("bin")).unwrap();
    fs::write(project.join("index.txt"), "first").unwrap();
    fs::write(project.join("bin/tool"), "#!").unwrap();
    fs::set_permissions(project.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    run(&project, "git", &["init", "-q", "-b", "main", "."]);
    run(&project, "git", &["add", "-A"]);
    run(&project, "git", &["commit", "-q", "-m", "first"]);
    run(&project, "git", &["tag", "v1"]);
    fs::write(project.join("index.txt"), "second").unwrap();
    run(&project, "git", &["commit", "-q", "-a", "-m", "second"]);
    run(&web, "git", &["clone", "-q", "--bare", "app-1.0", "app.git"]);
    run(&web, "tar", &["--exclude=.git", "-czf", "app-1.0.tar.gz", "app-1.0"]);
    web
}

/// The project in the directory `web` as a repository with a submodule that lies on a server.
fn with_submodule(web: &Path, server: &Server) -> String {
    let project = web.join("app-1.0");
    let module = format!("[submodule \"part\"]\n\tpath = part\n\turl = {}/app.git\n", server.url);
    fs::write(project.join(".gitmodules"), module).unwrap();
    run(&project, "git", &["add", ".gitmodules"]);
    let entry = format!("160000,{},part", run(&project, "git", &["rev-parse", "HEAD"]));
    run(&project, "git", &["update-index", "--add", "--cacheinfo", &entry]);
    run(&project, "git", &["commit", "-q", "-m", "a part"]);
    format!("git:{}", text(&project))
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_str().unwrap().to_owned()
}

fn fetch(lab: &Lab, address: &str, more: &[&str]) -> Outcome {
    let _gone = fs::remove_dir_all(lab.root().join("out"));
    lab.sti([&["fetch", address, "out"], more].concat())
}

fn fetched(lab: &Lab, path: &str) -> String {
    fs::read_to_string(lab.root().join("out").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn builds_an_archive_and_a_repository_by_each_strategy() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, web) = (builder(&lab), web(&lab));
    let archive = format!("archive:{}", text(web.join("app-1.0.tar.gz")));
    let repository = format!("git:{}#v1", text(web.join("app-1.0")));
    for strategy in ["commit", "dockerfile"] {
        for (address, says) in [(&archive, "second"), (&repository, "first")] {
            lab.build(address, &builder, "app", &["-m", strategy]).assert_success().assert_says("fetching `");
            assert_eq!(lab.run("app").output.stdout, says, "{address} by {strategy}");
            let labels = &lab.inspect("app").unwrap()["Config"]["Labels"];
            assert_eq!(labels["org.opencontainers.image.source"], **address);
        }
        let labels = &lab.inspect("app").unwrap()["Config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.revision"].as_str().map(str::len), Some(40), "{labels}");
    }
    let names = fs::read_dir(lab.root().join("home/.cache/sti/sources")).unwrap().map(|entry| entry.unwrap().file_name());
    let left = names.filter(|name| name.len() == 16).count();
    assert_eq!(left, 0, "no directory of a build is left");
    lab.assert_nothing_left();
}

#[test]
fn a_part_of_what_is_fetched_is_built_and_a_plan_fetches_too() {
    needs_engine!();
    let lab = Lab::new();
    let web = web(&lab);
    let builder = lab.builder(Builder::new().prepare("copy /tmp/src /app").run("cat /app/tool"));
    let archive = format!("archive:{}", text(web.join("app-1.0.tar.gz")));
    lab.build(&archive, &builder, "app", &["--context-dir", "bin"]).assert_success();
    assert_eq!(lab.run("app").output.stdout, "#!");
    lab.build(&archive, &builder, "app", &["--context-dir", "none"]).assert_exit(2).assert_says("`none`");
    let planned = lab.sti(["plan", &archive, &builder, &lab.tag("app")]);
    planned.assert_success().assert_says("fetched 3 entries");
    lab.assert_nothing_left();
}

#[test]
fn an_archive_comes_from_a_file_standard_input_or_a_server() {
    let lab = Lab::new();
    let web = web(&lab);
    let path = text(web.join("app-1.0.tar.gz"));
    let server = Server::start(&web, None);
    for address in [format!("archive:{path}"), format!("{}/app-1.0.tar.gz", server.url)] {
        fetch(&lab, &address, &[]).assert_success().assert_says("tar+gzip");
        assert_eq!(fetched(&lab, "index.txt"), "second");
        let mode = fs::metadata(lab.root().join("out/bin/tool")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
    }
    fetch(&lab, &format!("archive:{path}"), &["--strip-components", "0"]).assert_success();
    assert_eq!(fetched(&lab, "app-1.0/index.txt"), "second");
    fs::remove_dir_all(lab.root().join("out")).unwrap();
    let mut command = lab.command_of(Path::new("/bin/sh"));
    command.args(["-c", "exec \"$0\" fetch archive:- out < \"$1\""]).arg(built_sti()).arg(&path);
    lab.run_command(command).assert_success();
    assert_eq!(fetched(&lab, "bin/tool"), "#!");
}

#[test]
fn a_repository_comes_from_a_directory_or_a_server() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let bare = text(web.join("app.git"));
    let over_http = format!("{}/app.git", server.url);
    for address in [format!("git:{}", text(web.join("app-1.0"))), bare.clone(), format!("file://{bare}"), over_http.clone()] {
        let brought = fetch(&lab, &address, &[]);
        brought.assert_success().assert_says("revision");
        assert_eq!(fetched(&lab, "index.txt"), "second", "{address}");
        assert!(!lab.root().join("out/.git").exists());
    }
    for (address, flag) in [(format!("{over_http}#v1"), None), (format!("{bare}#v1"), None), (over_http.clone(), Some("v1"))] {
        let more: Vec<_> = flag.into_iter().flat_map(|reference| ["--ref", reference]).collect();
        fetch(&lab, &address, &more).assert_success();
        assert_eq!(fetched(&lab, "index.txt"), "first");
    }
    assert!(server.asked().iter().any(|asked| asked.starts_with("POST /app.git/git-upload-pack")), "{:?}", server.asked());
}

/// An address, further arguments, the exit code, the condition, and words that the error must have.
type Row<'a> = (&'a str, &'a [&'a str], i32, &'a str, &'a [&'a str]);

#[test]
fn submodules_of_a_local_repository_are_granted_by_host_or_left_out() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let repository = with_submodule(&web, &server);
    let denied = fetch(&lab, &repository, &["--json"]);
    denied.assert_error(3, "not-granted", &["`127.0.0.1:", "--allow-host 127.0.0.1:"]);
    // A pattern of names is reached at public addresses only.
    let private = fetch(&lab, &repository, &["--allow-host", "*", "--json"]);
    private.assert_error(3, "not-granted", &["127.0.0.1"]);
    assert_eq!(server.asked(), Vec::<String>::new());
    fetch(&lab, &repository, &["--no-submodules"]).assert_success();
    assert_eq!(fetched(&lab, "index.txt"), "second");
}

#[test]
fn what_cannot_be_fetched_is_told_by_its_condition() {
    let lab = Lab::new();
    let web = web(&lab);
    fs::write(web.join("noise.tar"), "no archive at all").unwrap();
    let (server, elsewhere) = (Server::start(&web, None), Server::start(&web, None));
    let (url, file) = (&server.url, |name: &str| format!("archive:{}", text(web.join(name))));
    let redirect = format!("{url}/x.tar?to=http://localhost:{}/x.tar", elsewhere.url.rsplit(':').next().unwrap());
    let rows: &[Row<'_>] = &[
        ("nope:x", &[], 2, "invalid-argument", &["nope:x", "--fetcher"]),
        (&file("none.tar"), &[], 2, "source-not-found", &["none.tar"]),
        (&file("noise.tar"), &[], 1, "source-invalid", &["noise.tar"]),
        (&format!("{url}/app.git#v2"), &[], 2, "invalid-ref", &["v2", "v1"]),
        (&format!("{url}/app.git#v1"), &["--ref", "main"], 2, "invalid-ref", &["--ref main"]),
        (&format!("{url}/none.git"), &[], 2, "source-not-found", &["none.git"]),
        (&format!("{url}/none.tar"), &[], 2, "source-not-found", &["none.tar"]),
        (&redirect, &[], 3, "not-granted", &["`localhost:", "--allow-host localhost:"]),
        ("http://127.0.0.1:1/app.git", &[], 5, "fetch-failed", &["127.0.0.1:1"]),
        (&file("app-1.0.tar.gz"), &["--limit", "entries=2"], 1, "source-too-large", &["2 entries", "--limit entries="]),
        (&file("app-1.0.tar.gz"), &["--limit", "bytes=3"], 1, "source-too-large", &["3 bytes", "--limit bytes="]),
        (&file("app-1.0.tar.gz"), &["--limit", "files=3"], 2, "invalid-argument", &["files", "--limit entries="]),
        (&file("app-1.0.tar.gz"), &["--fetch-set", "x=1"], 2, "invalid-argument", &["fetcher `archive`", "strip-components"]),
        (&file("app-1.0.tar.gz"), &["--fetcher", "commit"], 2, "invalid-argument", &["`commit` is no fetcher"]),
    ];
    for (address, more, exit, condition, words) in rows {
        fetch(&lab, address, &[more, &["--json"][..]].concat()).assert_error(*exit, condition, words);
    }
    assert_eq!(elsewhere.asked(), Vec::<String>::new(), "nothing is sent where it is not granted");
}

#[test]
fn an_archive_is_held_against_its_checksum() {
    let lab = Lab::new();
    let web = web(&lab);
    let path = text(web.join("app-1.0.tar.gz"));
    let server = Server::start(&web, None);
    let digits = Command::new("sha256sum").arg(&path).output().unwrap().stdout;
    let right = format!("sha256:{}", String::from_utf8_lossy(&digits[..64]));
    let wrong = format!("sha256:{}", "0".repeat(64));
    for address in [format!("archive:{path}"), format!("{}/app-1.0.tar.gz", server.url)] {
        fetch(&lab, &address, &["--checksum", &right]).assert_success();
        let refused = fetch(&lab, &address, &["--checksum", &wrong, "--json"]);
        refused.assert_error(1, "source-invalid", &[&right, &wrong]);
        assert!(!lab.root().join("out").exists(), "nothing is unpacked");
    }
    let repository = format!("{}/app.git", server.url);
    fetch(&lab, &repository, &["--checksum", &right, "--json"]).assert_error(2, "invalid-argument", &["checksum"]);
    fetch(&lab, &repository, &["--checksum", "md5:1", "--json"]).assert_error(
        2,
        "invalid-argument",
        &["`md5:1`", "sha256:DIGITS"],
    );
}

#[test]
fn a_fetch_that_fails_leaves_the_directory_as_it_was() {
    let lab = Lab::new();
    let web = web(&lab);
    // The second file is what is too much; the first one, and a directory that may not be written, were there before.
    run(&web, "chmod", &["555", "app-1.0/bin"]);
    run(&web, "tar", &["-cf", "closed.tar", "app-1.0/bin", "app-1.0/index.txt"]);
    run(&web, "chmod", &["755", "app-1.0/bin"]);
    let (address, out) = (format!("archive:{}", text(web.join("closed.tar"))), lab.root().join("out"));
    let fails = |directory: &str| lab.sti(["fetch", &address, directory, "--limit", "bytes=3", "--json"]);
    fails("out/of/nothing").assert_error(1, "source-too-large", &["3 bytes"]);
    assert!(!out.exists(), "what was made is removed");
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o750)).unwrap();
    fails("out").assert_error(1, "source-too-large", &["3 bytes"]);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o7777, 0o750);
    fs::write(out.join("mine"), "mine").unwrap();
    fails("out").assert_error(2, "invalid-argument", &["not empty"]);
    assert_eq!(fetched(&lab, "mine"), "mine");
}

#[test]
fn a_login_is_used_and_shown_nowhere() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, Some("ada:swordfish"));
    let bare = server.url.trim_start_matches("http://").to_owned();
    let address = format!("http://ada:swordfish@{bare}/app.git");
    let brought = fetch(&lab, &address, &["--debug"]);
    brought.assert_success().assert_silent_about("swordfish");
    assert_eq!(fetched(&lab, "index.txt"), "second");
    let refused = fetch(&lab, &format!("http://{bare}/app.git"), &["--json"]);
    assert_ne!(refused.error()["exit"], 0, "{refused}");
    fs::write(lab.root().join("home/.netrc"), "machine 127.0.0.1 login ada password swordfish\n").unwrap();
    fetch(&lab, &format!("http://{bare}/app-1.0.tar.gz"), &["--debug"]).assert_success().assert_silent_about("swordfish");
}

#[test]
fn hostile_archives_leave_everything_beside_the_tree_as_it_was() {
    let lab = Lab::new();
    let yard = lab.root().join("yard");
    fs::create_dir_all(yard.join("decoy")).unwrap();
    fs::write(yard.join("decoy/file"), "untouched").unwrap();
    fs::create_dir_all(yard.join("made/link")).unwrap();
    fs::write(yard.join("made/file"), "overwritten").unwrap();
    fs::write(yard.join("made/link/file"), "overwritten").unwrap();
    std::os::unix::fs::symlink(text(yard.join("decoy")), yard.join("made/points")).unwrap();
    let made = yard.join("made");
    // The link, and then a file that is to be written through it.
    run(&made, "tar", &["-cf", "through.tar", "points"]);
    run(&made, "tar", &["-rf", "through.tar", "--transform=s,^link/,points/,", "link/file"]);
    run(&made, "tar", &["-Pcf", "above.tar", "--transform=s,^file,../../yard/decoy/file,", "file"]);
    let absolute = format!("--transform=s,^file,{},", text(yard.join("decoy/file")));
    run(&made, "tar", &["-Pcf", "absolute.tar", &absolute, "file"]);
    for archive in ["through.tar", "above.tar", "absolute.tar"] {
        let refused = fetch(&lab, &format!("archive:{}", text(made.join(archive))), &["--json"]);
        assert_eq!(refused.error()["exit"], 1, "{archive}\n{refused}");
        refused.assert_condition(1, "source-invalid");
    }
    assert_eq!(fs::read_to_string(yard.join("decoy/file")).unwrap(), "untouched");
    assert_eq!(fs::read_dir(yard.join("decoy")).unwrap().count(), 1);
}
