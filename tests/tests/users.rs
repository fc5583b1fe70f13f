//! Whose scripts, source and product are: the image's user, however it is written. No image here has a shell or `su`.

use sti_tests::{Builder, Lab, needs_engine};

/// The user of an image, and who that is as `UID:GID`.
const USERS: [(&str, &str); 6] = [
    ("", "0:0"),
    ("worker", "431:433"),
    ("431", "431:433"),
    ("9431", "9431:0"),
    ("431:500", "431:500"),
    ("worker:staff", "431:501"),
];

fn builder(user: &str) -> Builder {
    let prepare = "whoami /app/who.txt\nlist /tmp/src /app/seen.txt\nappend /tmp/src/index.txt ', changed'\ncopy /tmp/src /app";
    let known = Builder::new().account("worker", 431, 433).account("staff", 500, 501).prepare(prepare).run("whoami -");
    if user.is_empty() { known } else { known.user(user) }
}

fn is(who: &str, uid_and_gid: &str) -> bool {
    let (uid, gid) = uid_and_gid.split_once(':').expect("two ids");
    who.starts_with(&format!("uid={uid} gid={gid} "))
}

fn check(strategy: &str, user: &str, ids: &str) {
    let lab = Lab::new();
    let builder = lab.builder(builder(user));
    let source = lab.source(&[("index.txt", "hello"), ("sub/file.txt", "1")]);
    lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
    let file = |path: &str| lab.product_file("app", path).unwrap_or_else(|| panic!("no {path} of user {user:?}"));
    assert!(is(&file("/app/who.txt"), ids), "prepare as {user:?}: {}", file("/app/who.txt"));
    assert!(file("/app/seen.txt").lines().all(|line| line.contains(&format!(" {ids} "))), "{user:?}:\n{}", file("/app/seen.txt"));
    assert_eq!(file("/app/index.txt"), "hello, changed");
    let run = lab.run("app").output.stdout;
    assert!(is(&run, ids), "run as {user:?}: {run}");
    assert_eq!(lab.config("app")["User"], *user);
    lab.assert_nothing_left();
}

#[test]
fn commit_runs_everything_as_the_user_of_the_image() {
    needs_engine!();
    for (user, ids) in USERS {
        check("commit", user, ids);
    }
}

#[test]
fn dockerfile_runs_everything_as_the_user_of_the_image() {
    needs_engine!();
    for (user, ids) in USERS {
        check("dockerfile", user, ids);
    }
}

#[test]
fn a_user_that_the_image_does_not_know_is_named_in_the_error() {
    needs_engine!();
    for strategy in ["commit", "dockerfile"] {
        let lab = Lab::new();
        let builder = lab.builder(builder("").config("USER nobody-here"));
        let source = lab.source(&[("index.txt", "hello")]);
        let failed = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
        assert_ne!(failed.status.code(), Some(0), "{failed}");
        assert_ne!(failed.status.code(), Some(70), "{failed}");
        failed.assert_says("nobody-here");
        assert_eq!(lab.image_id("app"), None);
        lab.assert_nothing_left();
    }
}
