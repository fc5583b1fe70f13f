//! The store of compiled code: used where it is safe, refused where others can reach into it, and made again where it is damaged.
#![expect(clippy::disallowed_methods, reason = "the tests make and damage a store of their own")]

mod common;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use common::{Guest, Heard, job, powers, stored};
use sti_sandbox::{Component, Error};
use tempfile::TempDir;

fn private_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("there is room for a directory");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("it is ours");
    folder
}

async fn decide(folder: &Path) {
    let sandbox = stored(folder).expect("the store is private");
    let bytes = Guest::default().bytes();
    let plugin = sandbox.load(Component { shown: "guest.wasm", digest: None, bytes: &bytes }).await.expect("it is a plugin");
    assert_eq!(plugin.card().name, "test");
    plugin.decide(job(), powers(Arc::new(Heard::default()))).await.expect("it decides");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).expect("it is ours").map(|entry| entry.expect("it is ours").path()).collect();
    files.sort();
    files
}

fn code(folder: &Path) -> PathBuf {
    files(folder).into_iter().find(|path| path.extension().is_some_and(|ending| ending == "cwasm")).expect("there is code")
}

#[tokio::test]
async fn keeps_code_and_card_and_uses_them() {
    let folder = private_folder();
    decide(folder.path()).await;
    let kept = files(folder.path());
    assert_eq!(kept.len(), 2, "{kept:?}");
    let times =
        || files(folder.path()).iter().map(|path| fs::metadata(path).and_then(|file| file.modified()).ok()).collect::<Vec<_>>();
    let before = times();
    decide(folder.path()).await;
    assert_eq!(times(), before, "nothing was written again");
}

#[tokio::test]
async fn compiles_again_what_is_damaged() {
    let folder = private_folder();
    decide(folder.path()).await;
    let whole = fs::read(code(folder.path())).expect("it is there");
    for damage in [&b""[..], b"nonsense", &whole[..whole.len() / 2]] {
        fs::write(code(folder.path()), damage).expect("it is ours");
        decide(folder.path()).await;
        assert_eq!(fs::read(code(folder.path())).expect("it is there").len(), whole.len());
    }
}

#[tokio::test]
async fn introduces_again_a_plugin_whose_card_is_damaged() {
    let folder = private_folder();
    decide(folder.path()).await;
    for card in files(folder.path()).iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        fs::write(card, "{\"name\":").expect("it is ours");
    }
    decide(folder.path()).await;
}

#[tokio::test]
async fn loads_no_code_through_a_link_nor_what_others_can_write() {
    let folder = private_folder();
    decide(folder.path()).await;
    let place = code(folder.path());
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&place, &elsewhere).expect("it is ours");
    symlink(&elsewhere, &place).expect("it is ours");
    decide(folder.path()).await;
    assert!(fs::symlink_metadata(&place).expect("it is there").is_file(), "the link was replaced by new code");

    fs::set_permissions(&place, Permissions::from_mode(0o666)).expect("it is ours");
    decide(folder.path()).await;
    let mode = fs::metadata(&place).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what others could write was replaced");
}

#[tokio::test]
async fn refuses_a_directory_that_others_can_reach_into() {
    for mode in [0o755, 0o777, 0o710, 0o1777] {
        let folder = private_folder();
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).expect("it is ours");
        let error = stored(folder.path()).map(|_| ()).expect_err("others can reach into it");
        assert!(matches!(&error, Error::Store { why, .. } if why.contains("0700 is needed")), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("chmod 0700")));
    }
}

#[tokio::test]
async fn works_with_a_directory_that_cannot_be_written() {
    let folder = private_folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).expect("it is ours");
    decide(folder.path()).await;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("it is ours");
}
