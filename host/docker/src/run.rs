//! A run step: its container from creation to its end.

use std::{pin::pin, time::Duration};

use bollard::{
    container::LogOutput,
    errors::Error as Answer,
    query_parameters::{
        AttachContainerOptionsBuilder, InspectContainerOptions, KillContainerOptions, StartContainerOptions,
        WaitContainerOptionsBuilder,
    },
};
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use sti_core::{
    Event, Progress,
    plan::{Run, StepId},
    progress::Stream as Printed,
};
use sti_engine::{Error, Exit, StepFailure};
use tokio::sync::mpsc::Sender;

use crate::{
    DockerEngine,
    failures::{self, Failure},
    output_lines::{LastLines, Lines},
};

/// How long output may still arrive after the command has ended.
const DRAIN: Duration = Duration::from_secs(10);
const KILLED: i64 = 137;

/// What a container prints.
pub(crate) type Output = BoxStream<'static, Result<LogOutput, Answer>>;

/// One run, as far as its command is concerned.
pub(crate) struct Running<'a> {
    pub(crate) step: StepId,
    pub(crate) title: &'a str,
    pub(crate) run: &'a Run,
    pub(crate) container: &'a str,
    pub(crate) keep_failed: bool,
    pub(crate) progress: &'a dyn Progress,
    /// Takes standard output instead of the user.
    pub(crate) taken: Option<Sender<std::io::Result<Bytes>>>,
}

impl DockerEngine {
    /// Starts a container and waits until its command has ended well.
    pub(crate) async fn run_to_end(&self, mut running: Running<'_>) -> Result<(), Error> {
        let command = running.run.command.first().map_or("", String::as_str);
        let output = self.start(running.container, running.title, command).await?;
        let mut last = LastLines::default();
        let tell = |stream, line| running.progress.tell(Event::Output { step: running.step, stream, line });
        let printed = follow(output, running.taken.take(), &mut last, &tell);
        let code = heard_to_the_end(printed, self.wait(running.container)).await?;
        if code == 0 { Ok(()) } else { Err(self.failed(&running, code, last.into_lines()).await) }
    }

    /// Starts a container, which is listened to from before its first word.
    pub(crate) async fn start(&self, container: &str, title: &str, command: &str) -> Result<Output, Error> {
        let attach = AttachContainerOptionsBuilder::new().stream(true).stdout(true).stderr(true).build();
        let call = self.requests.patient().attach_container(container, Some(attach));
        // Podman prepares the command when it is attached to, and says here what Docker says at the start.
        let attached = self.requests.send(format!("POST /containers/{container}/attach"), call).await;
        let attached = attached.map_err(|failure| failure.while_starting(title, command))?;
        let call = self.requests.quick().start_container(container, None::<StartContainerOptions>);
        let started = self.requests.send(format!("POST /containers/{container}/start"), call).await;
        started.map_err(|failure| failure.while_starting(title, command))?;
        Ok(attached.output)
    }

    pub(crate) async fn wait(&self, container: &str) -> Result<i64, Error> {
        let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
        let answer = async {
            let mut waiting = pin!(self.requests.patient().wait_container(container, Some(options)));
            match waiting.next().await {
                Some(Ok(ended)) => Ok(ended.status_code),
                Some(Err(Answer::DockerContainerWaitError { code, .. })) => Ok(code),
                Some(Err(other)) => Err(other),
                None => Err(Answer::RequestTimeoutError),
            }
        };
        self.requests.send(format!("POST /containers/{container}/wait"), answer).await.map_err(Failure::plain)
    }

    /// Ends what runs in a container. What has ended by itself cannot be killed, and what stays is killed when the build is cleaned up.
    pub(crate) async fn kill(&self, container: &str) {
        let call = self.requests.quick().kill_container(container, None::<KillContainerOptions>);
        let _ended = self.requests.send(format!("POST /containers/{container}/kill"), call).await;
    }

    async fn failed(&self, running: &Running<'_>, code: i64, last_lines: Vec<String>) -> Error {
        let command = running.run.command.clone();
        if let Some(why) = runtime_complaint(&running.run.command, code, &last_lines) {
            let command = command.first().cloned().unwrap_or_default();
            return Error::NotRunnable { title: running.title.to_owned(), command, why: why.to_owned() };
        }
        let exit = self.exit_of(running.container, code).await;
        let kept = running.keep_failed.then(|| running.container.to_owned());
        if let Some(container) = &kept {
            self.ledger.keep(container);
        }
        let title = running.title.to_owned();
        Error::StepFailed(Box::new(StepFailure { step: running.step, title, command, exit, last_lines, kept }))
    }

    /// How a container ended: an engine that kills for want of memory says so apart from the code.
    pub(crate) async fn exit_of(&self, container: &str, code: i64) -> Exit {
        let out_of_memory = code == KILLED && self.was_out_of_memory(container).await;
        if out_of_memory { Exit::OutOfMemory } else { Exit::Code(code) }
    }

    async fn was_out_of_memory(&self, container: &str) -> bool {
        let ask = || self.requests.quick().inspect_container(container, None::<InspectContainerOptions>);
        let found = self.requests.ask(format!("GET /containers/{container}/json"), ask).await;
        found.ok().and_then(|found| found.state).and_then(|state| state.oom_killed).unwrap_or(false)
    }
}

/// The runtime says by the script's own standard error that it could not start it, and names it. A script may say the same of another
/// program.
pub(crate) fn runtime_complaint(command: &[String], code: i64, last_lines: &[String]) -> Option<&'static str> {
    let ([line], Some(program)) = (last_lines, command.first()) else { return None };
    let named = line.strip_prefix("exec ").and_then(|rest| rest.split_once(": ")).map(|(named, _)| named);
    // Of what an image brings along the whole line is known, and not which of it is the program.
    let begins_with = |named: &str| program.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let is_it = |named: &str| begins_with(named) || named.rsplit('/').next() == Some(program);
    let is_the_runtime = named.is_some_and(is_it) || line.contains("exec user process caused");
    if matches!(code, 1 | 126 | 127 | 255) && is_the_runtime { failures::not_runnable(line) } else { None }
}

/// Waits until a command has ended and what it printed was heard. Answers its exit code.
pub(crate) async fn heard_to_the_end(
    printed: impl Future<Output = ()>,
    ended: impl Future<Output = Result<i64, Error>>,
) -> Result<i64, Error> {
    let (mut printed, mut ended) = (pin!(printed), pin!(ended));
    tokio::select! {
        code = &mut ended => {
            // A part of the output that never arrives is no reason to wait for ever.
            let _ = tokio::time::timeout(DRAIN, printed).await;
            code
        }
        () = &mut printed => ended.await,
    }
}

/// Tells what a container prints, line by line, and remembers the last ones. `taken` takes standard output instead.
pub(crate) async fn follow(
    mut output: Output,
    mut taken: Option<Sender<std::io::Result<Bytes>>>,
    last: &mut LastLines,
    told: &(dyn Fn(Printed, String) + Sync),
) {
    let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
    let mut tell = |stream: Printed, line: String| {
        last.push(line.clone());
        told(stream, line);
    };
    // A connection that is lost here is lost for the one that waits too, which tells of it.
    while let Some(Ok(frame)) = output.next().await {
        match frame {
            LogOutput::StdErr { message } => stderr.push(&message, &mut |line| tell(Printed::Stderr, line)),
            LogOutput::StdOut { message } | LogOutput::Console { message } => match &taken {
                None => stdout.push(&message, &mut |line| tell(Printed::Stdout, line)),
                // Whoever does not take it any more has said why; the script must not be blocked by that.
                Some(sender) if sender.send(Ok(message)).await.is_err() => taken = Some(closed()),
                Some(_) => {}
            },
            LogOutput::StdIn { .. } => {}
        }
    }
    stdout.finish(&mut |line| tell(Printed::Stdout, line));
    stderr.finish(&mut |line| tell(Printed::Stderr, line));
}

fn closed() -> Sender<std::io::Result<Bytes>> {
    tokio::sync::mpsc::channel(1).0
}

#[cfg(test)]
mod tests {
    #[test]
    fn tells_the_runtime_from_a_script_that_speaks_of_executables() {
        let lines = |line: &str| vec![line.to_owned()];
        let of = |program: &str, code: i64, lines: &[String]| super::runtime_complaint(&[program.to_owned()], code, lines);
        let runtime_complaint = |code: i64, lines: &[String]| of("/usr/bin/prepare", code, lines);
        assert!(runtime_complaint(1, &lines("exec /usr/bin/prepare: exec format error")).is_some());
        assert!(of("prepare", 1, &lines("exec /usr/bin/prepare: exec format error")).is_some());
        assert!(of("/usr/bin/x --all", 1, &lines("exec /usr/bin/x: exec format error")).is_some());
        assert_eq!(runtime_complaint(127, &lines("exec /usr/bin/tar: no such file or directory")), None);
        assert_eq!(runtime_complaint(126, &lines("exec: tar: permission denied")), None);
        assert!(
            runtime_complaint(1, &lines("standard_init_linux.go:228: exec user process caused: exec format error")).is_some()
        );
        assert_eq!(runtime_complaint(1, &lines("make: exec /bin/x: exec format error")), None);
        assert_eq!(runtime_complaint(3, &lines("exec /usr/bin/prepare: exec format error")), None);
        let two = [lines("one"), lines("exec /usr/bin/prepare: exec format error")].concat();
        assert_eq!(runtime_complaint(1, &two), None);
    }
}
