//! Asks git's credential helpers, by git itself and without a question to the person: what no helper knows stays unknown.
//!
//! Helpers are neither told that a login worked nor that it was refused: a build does not change what the user keeps.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::place::Origin;
use crate::secret::{Pair, Secret};

/// A helper may open a window and wait for a person; a build does not.
const LONGEST: Duration = Duration::from_secs(30);

/// Variables that would have git read the configuration of a repository, or ask a person.
const NOT_PASSED_ON: &[&str] =
    &["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_TRACE", "GIT_TRACE_CURL", "SSH_ASKPASS"];

/// Asks for a login; `None` where no helper knows one, or git cannot be run.
pub(crate) async fn ask(git: &Path, origin: &Origin, user: Option<&Secret>) -> Option<Pair> {
    let question = question(origin, user)?;
    timeout(LONGEST, fill(git, &question)).await.ok()?
}

fn question(origin: &Origin, user: Option<&Secret>) -> Option<String> {
    let place = format!("protocol={}\nhost={}\n", origin.scheme, origin.authority());
    match user.map(Secret::reveal) {
        // A line break would begin a line of its own to git.
        Some(user) if user.chars().any(char::is_control) => None,
        Some(user) => Some(format!("{place}username={user}\n\n")),
        None => Some(format!("{place}\n")),
    }
}

async fn fill(git: &Path, question: &str) -> Option<Pair> {
    let mut command = Command::new(git);
    command.args(["-c", "credential.interactive=false", "credential", "fill"]);
    // A repository in the working directory may be a stranger's, and its configuration may name programs.
    command.current_dir("/");
    for name in NOT_PASSED_ON {
        command.env_remove(name);
    }
    // An empty program for questions means: ask nobody.
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env("GCM_INTERACTIVE", "never");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    stdin.write_all(question.as_bytes()).await.ok()?;
    drop(stdin);
    let output = child.wait_with_output().await.ok()?;
    if output.status.success() { parse(&String::from_utf8_lossy(&output.stdout)) } else { None }
}

fn parse(answer: &str) -> Option<Pair> {
    let value = |name| answer.lines().find_map(|line| line.split_once('=').filter(|(of, _)| *of == name)).map(|(_, value)| value);
    Some(Pair { user: Secret::new(value("username")?), password: Secret::new(value("password")?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_asked_for_one_host() {
        let origin = Origin { scheme: "https".to_owned(), host: "a.test".to_owned(), port: 8443 };
        let question = |user: &str| question(&origin, Some(&Secret::new(user)));
        assert_eq!(question("ada").unwrap(), "protocol=https\nhost=a.test:8443\nusername=ada\n\n");
        assert_eq!(question("ada\nhost=b.test"), None);
    }

    #[test]
    fn an_answer_needs_both() {
        let pair = parse("protocol=https\nusername=ada\npassword=a=b\n").unwrap();
        assert_eq!((pair.user.reveal(), pair.password.reveal()), ("ada", "a=b"));
        assert!(parse("username=ada\n").is_none() && parse("").is_none());
    }
}
