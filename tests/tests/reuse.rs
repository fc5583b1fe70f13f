//! What was fetched is fetched once: kept, found again, thrown away, and never believed where it may be wrong.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use sti_test_server::Server;
use sti_tests::{Builder, Lab, Outcome, Signal, needs_engine, run};

/// A directory `web` in the lab with the project `app`, the repository `app.git` and the archive `app.tar`.
fn web(lab: &Lab) -> PathBuf {
    let web = lab.root().join("web");
    let project = web.join("app");
    fs::create_dir_all(project.join("bin")).unwrap();
    fs::write(project.join("index.txt"), "first").unwrap();
    fs::write(project.join("bin/tool"), vec![b'#'; 50_000]).unwrap();
    fs::set_permissions(project.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("bin/tool", project.join("link")).unwrap();
    run(&project, "git", &["init", "-q", "-b", "main", "."]);
    commit(&web);
    web
}

/// Commits what lies in the project, and makes repository and archive anew.
fn commit(web: &Path) {
    let project = web.join("app");
    run(&project, "git", &["add", "-A"]);
    run(&project, "git", &["commit", "-q", "-m", "a change"]);
    let _gone = fs::remove_dir_all(web.join("app.git"));
    run(web, "git", &["clone", "-q", "--bare", "app", "app.git"]);
    run(web, "tar", &["--exclude=.git", "-cf", "app.tar", "app"]);
}

fn change(web: &Path, text: &str) {
    fs::write(web.join("app/index.txt"), text).unwrap();
    commit(web);
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_str().unwrap().to_owned()
}

fn sources(lab: &Lab) -> PathBuf {
    lab.root().join("home/.cache/sti/sources")
}

/// What a fetched archive leaves: a tree, and what was found out of it.
const TREE: [&str; 2] = ["note", "tree"];

/// What a fetched repository leaves: its pack, what the pack is, and such a tree.
const OF_GIT: [&str; 4] = ["bytes", "bytes", "note", "tree"];

/// The names of what is kept or being made, without their keys.
fn kept(lab: &Lab) -> Vec<String> {
    let names = fs::read_dir(sources(lab)).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_str().unwrap().split('-').next().unwrap().to_owned());
    let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
    names.sort_unstable();
    names
}

/// Fetches into the cache, and answers with what is said of it.
#[track_caller]
fn warm(lab: &Lab, address: &str, more: &[&str]) -> Value {
    let outcome = lab.sti([&["fetch", address, "--json"], more].concat());
    outcome.assert_success();
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// What a tree says that is kept.
#[track_caller]
fn index_of(fetched: &Value) -> String {
    fs::read_to_string(Path::new(fetched["kept"].as_str().expect("a place where it is kept")).join("index.txt")).unwrap()
}

fn copy_out(lab: &Lab, address: &str, more: &[&str]) -> Outcome {
    let _gone = fs::remove_dir_all(lab.root().join("out"));
    lab.sti([&["fetch", address, "out"], more].concat())
}

const REFERENCES: [&str; 2] = ["GET /app.git/info/refs?service=git-upload-pack", "POST /app.git/git-upload-pack"];

#[test]
fn an_unchanged_reference_costs_one_question_and_a_whole_commit_none() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let address = format!("{}/app.git", server.url);
    let first = warm(&lab, &address, &[]);
    assert_eq!(server.asked_since().0, [&REFERENCES[..], &REFERENCES[1..]].concat(), "the references, and a pack");
    let again = warm(&lab, &format!("{address}#main"), &[]);
    let (asked, bytes) = server.asked_since();
    assert_eq!(asked, REFERENCES);
    assert!(bytes < 2_000, "{bytes}");
    assert_eq!((&again["kept"], &again["facts"], &again["entries"]), (&first["kept"], &first["facts"], &first["entries"]));
    assert_eq!(index_of(&again), "first");
    let commit = run(&web.join("app"), "git", &["rev-parse", "HEAD"]);
    let by_commit = warm(&lab, &format!("{address}#{commit}"), &[]);
    assert_eq!((server.asked_since().0.len(), &by_commit["kept"]), (0, &first["kept"]));
    assert_eq!((&by_commit["facts"]["revision"], &by_commit["facts"]["reference"]), (&Value::from(commit), &Value::Null));
}

#[test]
fn another_commit_option_or_limit_is_another_tree() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let address = format!("{}/app.git", server.url);
    let first = warm(&lab, &address, &[]);
    server.asked_since();
    for more in [&["--no-submodules"][..], &["--limit", "entries=500"], &["--fetch-set", "lfs=skip"]] {
        let other = warm(&lab, &address, more);
        assert_ne!(other["kept"], first["kept"]);
        assert_eq!(server.asked_since().0, REFERENCES, "{more:?}: the objects are there already");
    }
    change(&web, "second");
    let second = warm(&lab, &address, &[]);
    assert_eq!(index_of(&second), "second");
    assert_eq!(index_of(&first), "first", "what is kept stays as it was");
}

#[test]
fn no_cache_reads_and_writes_none() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    for address in [format!("{}/app.git", server.url), format!("{}/app.tar", server.url)] {
        copy_out(&lab, &address, &["--no-cache"]).assert_success();
        assert_eq!(kept(&lab), Vec::<String>::new());
        warm(&lab, &address, &[]);
        let (asked, _) = server.asked_since();
        copy_out(&lab, &address, &["--no-cache"]).assert_success().assert_silent_about("kept");
        assert_eq!(server.asked_since().0, asked[asked.len() / 2..], "all of it is fetched again");
        lab.sti(["gc", "--sources"]).assert_success();
    }
    lab.sti(["fetch", &format!("{}/app.git", server.url), "--no-cache", "--json"]).assert_error(
        2,
        "invalid-argument",
        &["kept nowhere"],
    );
}

#[test]
fn a_tree_is_copied_out_of_the_cache_and_shares_nothing_with_it() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let address = format!("{}/app.git", server.url);
    let place = PathBuf::from(warm(&lab, &address, &[])["kept"].as_str().unwrap());
    server.asked_since();
    copy_out(&lab, &address, &[]).assert_success().assert_says("kept");
    assert_eq!(server.asked_since().0.len(), 2);
    let out = lab.root().join("out");
    assert_eq!(run(lab.root(), "diff", &["-r", &text(&place), &text(&out)]), "");
    assert_eq!(fs::read_link(out.join("link")).unwrap(), Path::new("bin/tool"));
    let (tool, of_cache) = (fs::metadata(out.join("bin/tool")).unwrap(), fs::metadata(place.join("bin/tool")).unwrap());
    assert_eq!(tool.mode() & 0o7777, 0o755);
    assert_ne!(tool.ino(), of_cache.ino());
    fs::write(out.join("index.txt"), "mine").unwrap();
    assert_eq!(index_of(&warm(&lab, &address, &[])), "first");
}

#[test]
fn a_tree_that_somebody_changed_is_fetched_anew() {
    let lab = Lab::new();
    let web = web(&lab);
    let address = format!("git:{}", text(web.join("app")));
    let place = PathBuf::from(warm(&lab, &address, &[])["kept"].as_str().unwrap());
    thread::sleep(Duration::from_millis(20));
    fs::write(place.join("index.txt"), "FIRST").unwrap();
    assert_eq!(index_of(&warm(&lab, &address, &[])), "first");
    fs::write(place.parent().unwrap().join("about.json"), "nonsense").unwrap();
    assert_eq!(index_of(&warm(&lab, &address, &[])), "first");
    assert_eq!(kept(&lab), TREE);
}

#[test]
fn of_many_at_once_all_get_the_one_tree() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let address = format!("{}/app.git", server.url);
    // What a plugin is compiled to is kept as well; that is not what is looked at here.
    warm(&lab, &format!("git:{}", text(web.join("app"))), &["--no-submodules"]);
    lab.sti(["gc", "--sources"]).assert_success();
    let running: Vec<_> = (0..4).map(|_| lab.start(["fetch", &address, "--json"])).collect();
    let all: Vec<_> = running.into_iter().map(|running| lab.finish(running)).collect();
    let places: Vec<Value> = all
        .iter()
        .map(|outcome| serde_json::from_str::<Value>(&outcome.assert_success().stdout).unwrap()["kept"].clone())
        .collect();
    assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    assert_eq!(kept(&lab), OF_GIT);
    assert_eq!(index_of(&warm(&lab, &address, &[])), "first");
}

/// An archive of so many small files.
fn many_files(lab: &Lab, number: usize) -> String {
    let project = lab.root().join("many");
    fs::create_dir(&project).unwrap();
    (0..number).for_each(|file| fs::write(project.join(format!("{file}")), "text").unwrap());
    run(lab.root(), "tar", &["-cf", "many.tar", "many"]);
    run(lab.root(), "touch", &["-d", "1 hour ago", "many.tar"]);
    thread::sleep(Duration::from_millis(3_200));
    format!("archive:{}", text(lab.root().join("many.tar")))
}

#[test]
fn what_a_killed_fetch_left_is_not_used_and_removed() {
    let lab = Lab::new();
    let address = many_files(&lab, 5_000);
    let running = lab.start(["fetch", &address, "--json"]);
    let is_begun = || {
        let made = fs::read_dir(sources(&lab)).into_iter().flatten().flatten().map(|entry| entry.path().join("tree"));
        made.into_iter().any(|tree| fs::read_dir(tree).is_ok_and(|files| files.count() > 100))
    };
    let started = Instant::now();
    while !is_begun() {
        assert!(started.elapsed() < Duration::from_mins(5), "nothing was ever written");
        thread::sleep(Duration::from_millis(1));
    }
    running.signal(Signal::KILL);
    lab.finish(running);
    assert!(kept(&lab).iter().all(|name| name != "tree"), "{:?}", kept(&lab));
    assert_eq!(kept(&lab).len(), 1, "a half of it");
    let whole = warm(&lab, &address, &[]);
    assert_eq!(fs::read_dir(whole["kept"].as_str().unwrap()).unwrap().count(), 5_000);
    assert_eq!(kept(&lab), TREE);
    lab.sti(["fetch", &address, "--json"]).assert_success().assert_says("fetched before and kept");
}

#[test]
fn a_download_is_asked_for_by_its_state_and_by_its_checksum_not_at_all() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let address = format!("{}/app.tar", server.url);
    let first = warm(&lab, &address, &[]);
    assert!(server.asked_since().1 > 50_000);
    let again = warm(&lab, &address, &[]);
    let (asked, bytes) = server.asked_since();
    assert_eq!((asked.len(), bytes), (1, 0), "the server says that it is unchanged");
    assert_eq!(again["kept"], first["kept"]);
    let checksum = format!("sha256:{}", &run(&web, "sha256sum", &["app.tar"])[..64]);
    for _ in 0..2 {
        assert_eq!(index_of(&warm(&lab, &address, &["--checksum", &checksum])), "first");
        assert_eq!(server.asked_since().0.len(), 0, "what it is is known, and that is here");
    }
    change(&web, "second");
    assert_eq!(index_of(&warm(&lab, &address, &[])), "second");
    assert_eq!(index_of(&warm(&lab, &address, &["--checksum", &checksum])), "first", "the bytes that were asked for");
    let wrong = format!("sha256:{}", "0".repeat(64));
    copy_out(&lab, &address, &["--checksum", &wrong, "--json"]).assert_error(1, "source-invalid", &[&wrong]);
}

#[test]
fn what_servers_do_not_tell_apart_is_downloaded_again_and_its_tree_found() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    for query in ["plain", "no-store"] {
        let address = format!("archive:{}/app.tar?{query}", server.url);
        let first = warm(&lab, &address, &[]);
        server.asked_since();
        let again = lab.sti(["fetch", &address, "--json"]);
        again.assert_success().assert_says("fetched before and kept");
        assert_eq!(serde_json::from_str::<Value>(&again.stdout).unwrap()["kept"], first["kept"]);
        assert!(server.asked_since().1 > 50_000, "{query}");
        assert_eq!(kept(&lab), TREE, "{query}: no bytes");
        lab.sti(["gc", "--sources"]).assert_success();
    }
}

#[test]
fn what_came_by_a_login_is_not_found_without_it() {
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, Some("ada:swordfish"));
    let bare = server.url.trim_start_matches("http://").to_owned();
    for (file, left) in [("app.tar", &TREE[..]), ("app.git", &OF_GIT)] {
        let (own, anybodys) = (format!("http://ada:swordfish@{bare}/{file}"), format!("http://{bare}/{file}"));
        warm(&lab, &own, &[]);
        assert_eq!(kept(&lab), left, "no bytes of a download, and no second note, of where they came from");
        let refused = lab.sti(["fetch", &anybodys, "--json"]);
        assert_ne!(refused.error()["exit"], 0, "{refused}");
        for entry in fs::read_dir(sources(&lab)).unwrap() {
            let about = fs::read_to_string(entry.unwrap().path().join("about.json")).unwrap_or_default();
            assert!(!about.contains("swordfish") && !about.contains(&bare), "{about}");
        }
        lab.sti(["gc", "--sources"]).assert_success();
    }
}

#[test]
fn more_than_may_be_kept_goes_by_its_last_use() {
    let lab = Lab::new();
    let web = web(&lab);
    let address = format!("git:{}", text(web.join("app")));
    // Each tree costs its bytes and a block for each of its five entries and itself.
    let small = |more: &[&str]| {
        let mut command = lab.command();
        command.args(["fetch", &address, "--json"]).args(more).env("STI_CACHE_SIZE", "160K");
        let outcome = lab.run_command(command);
        outcome.assert_success();
        serde_json::from_str::<Value>(&outcome.stdout).unwrap()["kept"].as_str().map(PathBuf::from)
    };
    let first = small(&[]).unwrap();
    let second = small(&["--no-submodules"]).unwrap();
    small(&[]);
    let third = small(&["--fetch-set", "lfs=skip"]).unwrap();
    assert!(first.exists() && !second.exists() && third.exists());
    let mut command = lab.command();
    command.args(["fetch", &address, "--json"]).env("STI_CACHE_SIZE", "5 apples");
    lab.run_command(command).assert_error(2, "invalid-argument", &["`5 apples`", "STI_CACHE_SIZE=5G"]);
    let mut command = lab.command();
    command.args(["fetch", &address, "out", "--json"]).env("STI_CACHE_SIZE", "0");
    lab.run_command(command).assert_success().assert_silent_about("nothing can be kept");
}

#[test]
fn gc_removes_sources_where_no_engine_answers_and_nothing_that_is_not_ours() {
    let lab = Lab::new();
    let web = web(&lab);
    let yard = lab.root().join("yard");
    fs::create_dir(&yard).unwrap();
    fs::write(yard.join("decoy"), "untouched").unwrap();
    warm(&lab, &format!("git:{}", text(web.join("app"))), &[]);
    fs::write(sources(&lab).join("mine.txt"), "mine").unwrap();
    symlink(&yard, sources(&lab).join(format!("tree-{}", "0".repeat(64)))).unwrap();
    symlink(&yard, sources(&lab).join("0123456789abcdef")).unwrap();
    let mut command = lab.command();
    command.args(["gc"]).env("DOCKER_HOST", format!("unix://{}/none.sock", text(lab.root())));
    lab.run_command(command).assert_exit(5).assert_says("freed 0 B of fetched sources");
    let cleared = lab.sti(["gc", "--sources", "--json"]);
    let sources_told = &cleared.assert_success().events()[0]["sources"];
    assert_eq!((&sources_told["removed"], &sources_told["kept"]), (&Value::from(2), &Value::from(0)), "{cleared}");
    assert!(sources_told["freed_bytes"].as_u64().unwrap() > 50_000, "{cleared}");
    assert_eq!(fs::read_to_string(sources(&lab).join("mine.txt")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(yard.join("decoy")).unwrap(), "untouched");
}

#[test]
fn a_home_that_cannot_be_written_is_done_without_and_one_of_others_refused() {
    let lab = Lab::new();
    let web = web(&lab);
    let address = format!("git:{}", text(web.join("app")));
    let mut command = lab.command();
    command
        .args(["fetch", &address, "out"])
        .env("HOME", "/proc/1")
        .env("XDG_CACHE_HOME", "/proc/1")
        .env("XDG_STATE_HOME", "/proc/1");
    lab.run_command(command).assert_success().assert_says("nothing can be kept in this home");
    assert_eq!(fs::read_to_string(lab.root().join("out/index.txt")).unwrap(), "first");
    warm(&lab, &address, &[]);
    fs::set_permissions(sources(&lab), fs::Permissions::from_mode(0o777)).unwrap();
    lab.sti(["fetch", &address, "--json"]).assert_error(2, "invalid-argument", &["cannot be trusted", "0777"]);
}

#[test]
fn a_build_uses_what_is_kept_and_leaves_no_directory_of_its_own() {
    needs_engine!();
    let lab = Lab::new();
    let web = web(&lab);
    let server = Server::start(&web, None);
    let builder = lab.builder(Builder::new().prepare("copy /tmp/src /app").run("cat /app/index.txt"));
    let address = format!("{}/app.git", server.url);
    for (says, requests) in [("fetched 4 entries", 3), ("fetched before and kept: 4 entries", 2)] {
        lab.build(&address, &builder, "app", &["-m", "commit"]).assert_success().assert_says(says);
        assert_eq!(lab.run("app").output.stdout, "first");
        assert_eq!(server.asked_since().0.len(), requests);
        assert_eq!(kept(&lab), OF_GIT);
    }
    lab.build(&address, &builder, "app", &["-m", "commit", "--no-cache"]).assert_success().assert_says("fetched 4 entries");
    lab.assert_nothing_left();
}
