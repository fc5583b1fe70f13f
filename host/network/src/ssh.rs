//! `ssh://`: the site's own ssh client, with the user's keys and known hosts, for `git-upload-pack` and nothing else.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sti_core::hosts::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::error::Error;
use crate::judge::judge_all_addresses;
use crate::lookup::Lookup;
use crate::place::plain;
use crate::repository::{Repository, SERVICE};
use crate::ssh_words::understand;
use crate::timeouts::{Timeouts, heard};

/// Whatever the user's configuration says: no questions, and no way back into this machine.
const OPTIONS: &[&str] = &[
    "BatchMode=yes",
    "SendEnv=GIT_PROTOCOL",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
];
/// How much of the client's complaints is kept.
const MOST_WORDS: usize = 16 * 1024;
/// How long the client may take to end when its output has ended.
const ENDING: Duration = Duration::from_secs(5);

pub(crate) struct SshLine {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    words: Option<JoinHandle<Vec<u8>>>,
    repository: Repository,
    idle: Duration,
}

impl SshLine {
    pub(crate) async fn open(
        names: &Lookup,
        reach: &Reach,
        timeouts: Timeouts,
        program: &Path,
        repository: &Repository,
    ) -> Result<Self, Error> {
        // Where the system does not answer in time, the client will not get far either.
        let judging = judge_all_addresses(names, reach, &repository.origin.host);
        timeout(timeouts.connect, judging).await.unwrap_or(Ok(()))?;
        let missing = |why: &str| Error::NoProgram { program: program.display().to_string(), why: plain(why) };
        let mut child = command(program, timeouts, repository).spawn().map_err(|error| missing(&error.to_string()))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else { return Err(missing("it has no pipes")) };
        let words = Some(tokio::spawn(listen(stderr)));
        Ok(Self { child, stdin: Some(stdin), stdout, words, repository: repository.clone(), idle: timeouts.idle })
    }

    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, Error> {
        let mut piece = BytesMut::with_capacity(limit);
        let mut reading = (&mut self.stdout).take(limit as u64);
        let read = heard(self.idle, &self.repository.shown(), reading.read_buf(&mut piece)).await?;
        match read {
            Ok(0) => self.ended().await.map(|()| Bytes::new()),
            Ok(_) => Ok(piece.freeze()),
            Err(error) => Err(self.broken(&error)),
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let from = self.repository.shown();
        let Some(stdin) = &mut self.stdin else {
            return Err(Error::BrokenOff { from, why: "the line was finished before".to_owned() });
        };
        let written = heard(self.idle, &from, async { stdin.write_all(bytes).await.and(stdin.flush().await) }).await?;
        match written {
            Ok(()) => Ok(()),
            // The client is gone: why, it said elsewhere.
            Err(error) => self.ended().await.and_then(|()| Err(self.broken(&error))),
        }
    }

    #[expect(clippy::unused_async, reason = "the same face as a plain line")]
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        self.stdin = None;
        Ok(())
    }

    /// The line's end is a good one only if the client ends well.
    async fn ended(&mut self) -> Result<(), Error> {
        self.stdin = None;
        let status = timeout(ENDING, self.child.wait()).await;
        let code = match status {
            Ok(Ok(status)) if status.success() => return Ok(()),
            Ok(Ok(status)) => status.code(),
            Ok(Err(error)) => return Err(self.broken(&error)),
            Err(_) => None,
        };
        // A connection that the client shares and keeps open holds this pipe, too; then what was said is lost.
        let words = match self.words.take() {
            Some(words) => timeout(ENDING, words).await.ok().and_then(Result::ok).unwrap_or_default(),
            None => Vec::new(),
        };
        Err(understand(&self.repository, code, &String::from_utf8_lossy(&words)))
    }

    fn broken(&self, error: &io::Error) -> Error {
        Error::BrokenOff { from: self.repository.shown(), why: plain(&error.to_string()) }
    }
}

fn command(program: &Path, timeouts: Timeouts, repository: &Repository) -> Command {
    let mut command = Command::new(program);
    command.arg("-T");
    for option in OPTIONS {
        command.args(["-o", option]);
    }
    command.args(["-o", &format!("ConnectTimeout={}", timeouts.connect.as_secs().max(1))]);
    if let Some(user) = &repository.user {
        command.args(["-l", user]);
    }
    if let Some(port) = repository.port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["--", &repository.origin.host, &format!("{SERVICE} {}", quoted(&repository.path))]);
    // The client's complaints are read, so they are asked for in English.
    command.env("GIT_PROTOCOL", "version=2").env("LC_ALL", "C").env("SSH_ASKPASS_REQUIRE", "never");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// One word for whatever shell is on the other side; `!` means something to some of them even in quotes.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("'");
    for character in path.chars() {
        match character {
            '\'' | '!' => quoted.extend(["'\\", character.encode_utf8(&mut [0; 4]), "'"]),
            other => quoted.push(other),
        }
    }
    quoted + "'"
}

/// Keeps the last words.
async fn listen(mut stderr: ChildStderr) -> Vec<u8> {
    let mut words = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length) = stderr.read(&mut piece).await {
        if length == 0 {
            break;
        }
        words.extend_from_slice(piece.get(..length).unwrap_or_default());
        let surplus = words.len().saturating_sub(MOST_WORDS);
        words.drain(..surplus);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_any_shell() {
        assert_eq!(quoted("/a b"), "'/a b'");
        assert_eq!(quoted("/a'; touch x; '"), r"'/a'\''; touch x; '\'''");
        assert_eq!(quoted("/a!b$(c)"), r"'/a'\!'b$(c)'");
    }
}
