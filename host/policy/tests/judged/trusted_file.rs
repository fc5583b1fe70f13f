//! Which files are believed at all. Every file here was made by the test itself, in a directory of its own.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Permissions};
use sti_policy::{Error, Policy, Whose};

/// Writes a policy into a directory of its own, changes something, and loads it.
fn check_load(change: impl Fn(&Dir, &Path)) -> Result<Policy, Error> {
    let place = tempfile::tempdir().expect("a directory");
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority()).expect("it opens");
    mode(&dir, ".", 0o755);
    dir.write("policy.toml", "vetted-only = true").expect("it is written");
    mode(&dir, "policy.toml", 0o644);
    change(&dir, place.path());
    Policy::load(&dir, "policy.toml", Path::new("conf/policy.toml"), Whose::User)
}

fn mode(dir: &Dir, name: &str, mode: u32) {
    dir.set_permissions(name, Permissions::from_std(PermissionsExt::from_mode(mode))).expect("the mode is set");
}

fn check_refuses(expected: &str, change: impl Fn(&Dir, &Path)) -> Option<String> {
    let error = check_load(change).expect_err(expected);
    assert_eq!(error.to_string(), expected);
    error.hint()
}

#[test]
fn believes_a_file_that_only_its_owner_can_write() {
    let policy = check_load(|_, _| {}).expect("it is believed");
    assert_eq!(policy.file(), Some(Path::new("conf/policy.toml")));
    check_load(|dir, _| mode(dir, ".", 0o1777)).expect("a sticky directory does no harm");
}

#[test]
fn refuses_what_others_can_write() {
    let hint = check_refuses("the policy `conf/policy.toml` is not safe: its group can write `conf/policy.toml`", |dir, _| {
        mode(dir, "policy.toml", 0o664);
    });
    assert_eq!(hint.as_deref(), Some("chmod go-w conf/policy.toml"));
    check_refuses("the policy `conf/policy.toml` is not safe: everybody can write `conf/policy.toml`", |dir, _| {
        mode(dir, "policy.toml", 0o646);
    });
    let hint =
        check_refuses("the policy `conf/policy.toml` is not safe: everybody can write `conf`", |dir, _| mode(dir, ".", 0o777));
    assert_eq!(hint.as_deref(), Some("chmod go-w conf"));
}

#[test]
fn refuses_what_somebody_else_owns() {
    // Only root can give a file away; for anybody else there is nothing to test here.
    if rustix::process::geteuid().is_root() {
        check_refuses("the policy `conf/policy.toml` is not safe: `conf/policy.toml` belongs to user 4711", |_, place| {
            std::os::unix::fs::chown(place.join("policy.toml"), Some(4711), None).expect("root may");
        });
        check_refuses("the policy `conf/policy.toml` is not safe: `conf` belongs to user 4711", |_, place| {
            std::os::unix::fs::chown(place, Some(4711), None).expect("root may");
        });
    }
}

#[test]
fn refuses_links_directories_pipes_and_floods_without_waiting() {
    let plain = "the policy `conf/policy.toml` is no plain file of less than 1 MiB";
    check_refuses(plain, |dir, place| {
        dir.rename("policy.toml", dir, "decoy.toml").expect("it moves");
        symlink("decoy.toml", place.join("policy.toml")).expect("a link is made");
    });
    check_refuses(plain, |dir, _| {
        dir.remove_file("policy.toml").expect("it goes");
        dir.create_dir("policy.toml").expect("a directory comes");
    });
    check_refuses(plain, |dir, _| {
        dir.remove_file("policy.toml").expect("it goes");
        rustix::fs::mknodat(dir, "policy.toml", rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o644), 0)
            .expect("a pipe comes");
    });
    check_refuses(plain, |dir, _| dir.write("policy.toml", vec![b'#'; 1 << 20]).expect("it grows"));
    check_refuses("cannot read the policy `conf/policy.toml`", |dir, _| dir.remove_file("policy.toml").expect("it goes"));
    check_refuses("cannot read the policy `conf/policy.toml`", |dir, _| dir.write("policy.toml", [0xff]).expect("it is no text"));
}
