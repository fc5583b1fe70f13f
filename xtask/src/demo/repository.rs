//! The edited source as a git repository, served on loopback by git's own program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use sti_test_server::Server;

use crate::commands::{self, command, root, target_directory};

/// Where the repository is served from, below the target directory.
const SERVED: &str = "demo/served";

/// The tag that the demo builds.
pub(super) const TAG: &str = "v2";

/// Commits what lies in a directory, tags it, and serves it. Answers with its address.
pub(super) fn serve(source: &Path) -> Result<String> {
    let served = served();
    remove()?;
    fs::create_dir_all(&served)?;
    let inside = source.strip_prefix(root()).unwrap_or(source).as_os_str().to_owned();
    let bare = served.join("site.git");
    let bare = bare.strip_prefix(root()).unwrap_or(&bare).as_os_str().to_owned();
    let words = |words: &[&str]| [&["-C".into(), inside.clone()][..], &words.iter().map(Into::into).collect::<Vec<_>>()].concat();
    git(words(&["init", "--quiet", "--initial-branch", "main"]))?;
    git(words(&["add", "--all"]))?;
    git(words(&["commit", "--quiet", "--message", "Add the news"]))?;
    git(words(&["tag", TAG]))?;
    git(["clone".into(), "--quiet".into(), "--bare".into(), inside, bare])?;
    println!("\n(the repository is served by `git http-backend`)");
    Ok(format!("{}/site.git", Server::start(&served, None).url))
}

/// Removes it again.
pub(super) fn remove() -> Result<()> {
    let served = served();
    if served.is_dir() { Ok(fs::remove_dir_all(served)?) } else { Ok(()) }
}

fn served() -> PathBuf {
    target_directory().join(SERVED)
}

fn git(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<()> {
    let mut git: Command = command("git", arguments);
    commands::show(&git);
    // What the user's own settings say of signatures and hooks is not for a demo.
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "demo").env(format!("GIT_{who}_EMAIL"), "demo@example.com");
    }
    let status = commands::status(git)?;
    ensure!(status.success(), "git failed with {status}");
    Ok(())
}
