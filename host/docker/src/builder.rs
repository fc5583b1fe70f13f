//! Has the engine's own builder carry out a Dockerfile, and reads what it says meanwhile.
//!
//! The first builder of Docker is used: it needs no session, and Podman answers the same. Nothing is taken from its cache, since a
//! script is to run in each build.

use std::sync::{Arc, atomic::AtomicU64};

use bollard::{
    errors::Error as Answer,
    models::BuildInfo,
    query_parameters::{BuildImageOptions, BuilderVersion},
};
use futures_util::StreamExt;
use sti_core::{
    BuildId, Event, ImageId,
    dockerfile::Dockerfile,
    plan::{ContentId, Network, StepId},
    progress::Stream as Printed,
};
use sti_engine::{
    Error, Exit, StepFailure,
    archive::{Owner, Times},
};

use crate::{
    commit,
    contents::{self, Frame, Pour},
    dockerfile::context_name,
    execute::Work,
    failures::{self, Failure},
    output_lines::{LastLines, Lines},
    run,
};

const REQUEST: &str = "POST /build";
const DOCKERFILE: &str = "Dockerfile";
/// What a builder leaves out of a context, by the grammar of <https://docs.docker.com/build/concepts/context/#dockerignore-files>.
const IGNORED: &str = ".dockerignore";

/// What is to be built.
pub(crate) struct Order<'a> {
    pub(crate) step: StepId,
    pub(crate) title: &'a str,
    pub(crate) dockerfile: Dockerfile,
    pub(crate) context: Context,
    pub(crate) network: Network,
}

/// What lies in the build context beside the Dockerfile.
pub(crate) enum Context {
    /// Each content in a directory of its own.
    Apart(Vec<(ContentId, Times)>),
    /// One content at the top, where instructions that know nothing of us expect it.
    Top(ContentId, Times),
}

impl Context {
    /// Each content, its place, and its times.
    fn places(&self) -> Vec<(ContentId, String, Times)> {
        match self {
            Self::Apart(contents) => contents.iter().map(|(content, times)| (*content, context_name(*content), *times)).collect(),
            Self::Top(content, times) => vec![(*content, String::new(), *times)],
        }
    }

    /// The Dockerfile's own name. Where it lies among the user's files it bears one that none of them has.
    fn name_of_dockerfile(&self, build: &BuildId) -> String {
        match self {
            Self::Apart(_) => DOCKERFILE.to_owned(),
            Self::Top(..) => format!(".{DOCKERFILE}.{build}"),
        }
    }

    fn frame(&self, name: &str, dockerfile: &str) -> Frame {
        let first = entry(name, dockerfile);
        match self {
            Self::Apart(_) => Frame { first, last: Vec::new() },
            // Builders take both files away before the first instruction where this list names them. It has done its work on the source.
            Self::Top(..) => Frame { first, last: entry(IGNORED, &format!("{IGNORED}\n{name}\n")) },
        }
    }
}

impl Work<'_> {
    /// Builds an image: one request, whose body is the context.
    pub(crate) async fn build(&self, order: Order<'_>) -> Result<ImageId, Error> {
        let (step, title) = (order.step, order.title);
        self.engine.bear_witness(title).await?;
        let mut pours = Vec::new();
        for (content, at, times) in order.context.places() {
            let from = self.spring(content, title).await?;
            let only = self.choice(content);
            // Who owns it is said by each instruction that copies it.
            pours.push((at.clone(), Pour { at, owner: Some(Owner { uid: 0, gid: 0 }), from, times, only }));
        }
        let name = order.context.name_of_dockerfile(&self.engine.build);
        let frame = order.context.frame(&name, &order.dockerfile.into_text());
        let bytes = Arc::new(AtomicU64::new(0));
        let (pieces, verdict) = contents::tar_of(pours, &self.store, frame, bytes.clone());
        let body = bollard::body_try_stream(pieces);
        let requests = &self.engine.requests;
        requests.begin(REQUEST);
        self.engine.ledger.builds();
        let mut said = Said::new(step, self.engine.is_podman);
        let carried_out = async {
            let mut answers = requests.patient().build_image(options(name, order.network), None, Some(body));
            while let Some(answer) = answers.next().await {
                said.take(&answer?, self.progress);
            }
            Ok::<(), Answer>(())
        };
        let ended = contents::telling(carried_out, title, &bytes, self.progress).await;
        self.engine.ledger.builder_ended();
        said.finish(self.progress);
        let ended = ended.map_err(|error| requests.failure(REQUEST, &error));
        match ended {
            Err(failure) if said.is_running_commands() => Err(said.failure(title, &failure)),
            ended => {
                contents::finish(ended, verdict, title, |failure| said.failure(title, &failure)).await?;
                self.take_product(said, title)
            }
        }
    }

    fn take_product(&self, said: Said, title: &str) -> Result<ImageId, Error> {
        let Some(id) = said.product else {
            let why = "the engine's builder ended without naming an image".to_owned();
            return Err(Error::CommitFailed { title: title.to_owned(), why });
        };
        let image = ImageId(commit::with_algorithm(&id));
        self.engine.ledger.built(&image);
        Ok(image)
    }
}

fn options(dockerfile: String, network: Network) -> BuildImageOptions {
    BuildImageOptions {
        dockerfile,
        q: false,
        nocache: true,
        rm: true,
        forcerm: true,
        networkmode: (network == Network::None).then(|| "none".to_owned()),
        version: BuilderVersion::BuilderV1,
        ..BuildImageOptions::default()
    }
}

/// A file at the top of the context, without the end of a tar.
fn entry(name: &str, text: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(text.len() as u64);
    header.set_cksum();
    let padding = text.len().next_multiple_of(512) - text.len();
    [header.as_bytes().as_slice(), text.as_bytes(), &vec![0; padding]].concat()
}

/// What the builder has said so far.
///
/// Scripts speak on the same stream, and may say what the builder would. So its words decide how output is shown, and nothing else:
/// the product's id comes apart from them, and unfinished images are found by their mark.
struct Said {
    step: StepId,
    stdout: Lines,
    stderr: Lines,
    last: LastLines,
    /// Whether a command of the Dockerfile is running, so that what is said is its output.
    running: Option<String>,
    instruction: String,
    /// The number of the instruction, counted from 1.
    number: u32,
    product: Option<String>,
    is_podman: bool,
}

const STEP: &str = "Step ";
/// Podman says less, and marks no beginning of output.
const PODMAN_STEP: &str = "STEP ";
const PODMAN_ARROW: &str = "--> ";
const RUNNING: &str = " ---> Running in ";
const REMOVING: &str = "Removing intermediate container ";
/// The builder colours standard error; this is how it begins.
const COLOURED: &str = "\u{1b}[91m";

impl Said {
    fn new(step: StepId, is_podman: bool) -> Self {
        Self {
            step,
            stdout: Lines::default(),
            stderr: Lines::default(),
            last: LastLines::default(),
            running: None,
            instruction: String::new(),
            number: 0,
            product: None,
            is_podman,
        }
    }

    fn take(&mut self, said: &BuildInfo, progress: &dyn sti_core::Progress) {
        if let Some(id) = said.aux.as_ref().and_then(|aux| aux.id.clone()) {
            self.product = Some(id);
        }
        let Some(text) = said.stream.as_deref() else { return };
        if let Some(instruction) = self.next_instruction(text) {
            self.begin(instruction, progress);
        } else if self.is_end_of_command(text) {
            self.end_of_command(progress);
        } else if !self.is_podman && text.starts_with(RUNNING) {
            self.running = Some(self.instruction.clone());
            self.last = LastLines::default();
        } else if self.is_running_commands() {
            self.output(text, progress);
        }
    }

    /// The instruction that a builder says it begins: one that has the next number.
    fn next_instruction<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (begins, before) = if self.is_podman { (PODMAN_STEP, ": ") } else { (STEP, " : ") };
        let (numbers, instruction) = text.strip_prefix(begins)?.split_once(before)?;
        let number = numbers.split_once('/').map_or(numbers, |(number, _)| number);
        (number.parse() == Ok(self.number + 1)).then(|| instruction.trim())
    }

    fn begin(&mut self, instruction: &str, progress: &dyn sti_core::Progress) {
        self.end_of_command(progress);
        self.number += 1;
        instruction.clone_into(&mut self.instruction);
        if self.is_podman {
            self.last = LastLines::default();
            self.running = Some(self.instruction.clone());
        }
    }

    fn is_end_of_command(&self, text: &str) -> bool {
        let said = if self.is_podman { PODMAN_ARROW } else { REMOVING };
        self.running.is_some() && text.strip_prefix(said).is_some_and(|id| is_id(id.trim()))
    }

    fn output(&mut self, text: &str, progress: &dyn sti_core::Progress) {
        let is_stderr = text.starts_with(COLOURED);
        let (lines, stream) = if is_stderr { (&mut self.stderr, Printed::Stderr) } else { (&mut self.stdout, Printed::Stdout) };
        let (step, last) = (self.step, &mut self.last);
        lines.push(text.as_bytes(), &mut |line| {
            last.push(line.clone());
            progress.tell(Event::Output { step, stream, line });
        });
    }

    fn end_of_command(&mut self, progress: &dyn sti_core::Progress) {
        self.finish(progress);
        self.running = None;
    }

    fn finish(&mut self, progress: &dyn sti_core::Progress) {
        let (step, last) = (self.step, &mut self.last);
        for (lines, stream) in [(&mut self.stdout, Printed::Stdout), (&mut self.stderr, Printed::Stderr)] {
            lines.finish(&mut |line| {
                last.push(line.clone());
                progress.tell(Event::Output { step, stream, line });
            });
        }
    }

    /// Whether what is said is the output of a command.
    fn is_running_commands(&self) -> bool {
        self.running.as_ref().is_some_and(|instruction| instruction.starts_with("RUN"))
    }

    /// What a failed build means: a script's exit code, a program that cannot be run, or a matter of the engine.
    fn failure(&mut self, title: &str, failure: &Failure) -> Error {
        let instruction = self.running.clone().unwrap_or_else(|| self.instruction.clone());
        let message = failure.message().to_owned();
        // What an image brings along runs behind `FROM`, which runs nothing itself, and is named in the message only.
        let is_of_a_command = exit_code(&message, self.is_podman).is_some() || failures::not_runnable(&message).is_some();
        let is_brought_along = is_of_a_command && instruction.starts_with("FROM");
        let command = if is_brought_along { named_in(&message) } else { command_of(&instruction) };
        let is_command = is_brought_along || instruction.starts_with("RUN");
        if let Some(code) = exit_code(&message, self.is_podman).filter(|_| is_command) {
            let last_lines = std::mem::take(&mut self.last).into_lines();
            let (step, title, exit) = (self.step, title.to_owned(), Exit::Code(code));
            if let Some(why) = run::runtime_complaint(&command, code, &last_lines) {
                let command = command.into_iter().next().unwrap_or_default();
                return Error::NotRunnable { title, command, why: why.to_owned() };
            }
            return Error::StepFailed(Box::new(StepFailure { step, title, command, exit, last_lines, kept: None }));
        }
        match failures::not_runnable(&message) {
            Some(why) if is_command => {
                let command = command.into_iter().next().unwrap_or_default();
                Error::NotRunnable { title: title.to_owned(), command, why: why.to_owned() }
            }
            _ => failure.clone().while_committing(title),
        }
    }
}

/// As builders write ids: Docker twelve hexadecimal digits, Podman eleven, or all.
fn is_id(text: &str) -> bool {
    text.len() >= 11 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn command_of(instruction: &str) -> Vec<String> {
    let words = instruction.strip_prefix("RUN ").unwrap_or(instruction);
    serde_json::from_str(words).unwrap_or_else(|_| vec![words.to_owned()])
}

/// The command that a message of Docker's or Podman's builder is about.
fn named_in(message: &str) -> Vec<String> {
    let between = |before: &str, after: &str| Some(message.split_once(before)?.1.split_once(after)?.0.to_owned());
    let named = between("The command '", "' returned").or_else(|| between("STEP \"RUN ", "\": while"));
    vec![named.unwrap_or_else(|| "an ONBUILD instruction".to_owned())]
}

/// How Docker and Podman say at the end of a message that a command failed.
const DOCKER_ENDED_WITH: &str = "returned a non-zero code: ";
const PODMAN_ENDED_WITH: &str = "exit status ";

/// The engine's own helpers exit with codes, too, even after the command of the same instruction: "Error processing tar file(exit
/// status 1): …" is no script's.
fn exit_code(message: &str, is_podman: bool) -> Option<i64> {
    let words = if is_podman { PODMAN_ENDED_WITH } else { DOCKER_ENDED_WITH };
    let (_, code) = message.trim_end().rsplit_once(words)?;
    code.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sti_core::progress::Silent;

    fn say(said: &mut Said, texts: &[&str]) {
        for text in texts {
            said.take(&BuildInfo { stream: Some((*text).to_owned()), ..BuildInfo::default() }, &Silent);
        }
    }

    #[test]
    fn tells_output_of_commands_from_words_of_the_builder() {
        let mut said = Said::new(StepId(0), false);
        say(&mut said, &["Step 1/3 : FROM sha256:0a", "\n", " ---> 0123456789ab\n", "Step 2/3 : COPY content-0 /tmp/src", "\n"]);
        say(
            &mut said,
            &[" ---> aaaaaaaaaaaa\n", "Step 3/3 : RUN [\"/usr/bin/prepare\"]", "\n", " ---> Running in bbbbbbbbbbbb\n"],
        );
        say(&mut said, &["building\n", "\u{1b}[91mcareful\n\u{1b}[0m", " ---> not an image\n"]);
        let answer = Answer::DockerStreamError { error: "The command '/usr/bin/prepare' returned a non-zero code: 7".to_owned() };
        let failure = Failure::new(REQUEST.to_owned(), String::new(), &answer);
        let Error::StepFailed(failed) = said.failure("prepare", &failure) else { panic!("a script failed") };
        assert_eq!((failed.exit, failed.command), (Exit::Code(7), vec!["/usr/bin/prepare".to_owned()]));
        assert_eq!(failed.last_lines, ["building", "careful", " ---> not an image"]);
    }

    #[test]
    fn a_script_that_speaks_like_the_builder_is_only_output() {
        let mut said = Said::new(StepId(0), false);
        say(&mut said, &["Step 1/2 : FROM x\n", "Step 2/2 : RUN [\"/x\"]", " ---> Running in bbbbbbbbbbbb\n"]);
        let words =
            ["Step 1/9 : FROM y\n", "Step 9/9 : CMD x\n", " ---> cccccccccccc\n", "STEP 3: CMD x\n", "--> dddddddddddd\n"];
        say(&mut said, &words);
        assert!(said.is_running_commands() && said.product.is_none());
        assert_eq!(said.last.into_lines(), words.map(|word| word.trim_end().to_owned()));
    }

    #[test]
    fn takes_the_product_from_where_no_script_speaks() {
        let mut said = Said::new(StepId(0), false);
        let aux = bollard::models::ImageId { id: Some("sha256:aa".to_owned()) };
        said.take(&BuildInfo { aux: Some(aux), ..BuildInfo::default() }, &Silent);
        say(&mut said, &["Successfully built 0123456789ab\n"]);
        assert_eq!(said.product.as_deref(), Some("sha256:aa"));
    }

    #[test]
    fn reads_what_podman_says() {
        let mut said = Said::new(StepId(0), true);
        say(
            &mut said,
            &["STEP 1/3: FROM x\n", "STEP 2/3: COPY content-0 /tmp/src\n", "--> f89d0f0a8ac\n", "STEP 3/3: RUN [\"/x\"]\n"],
        );
        say(&mut said, &["one\n", "STEP by step\n"]);
        let answer =
            Answer::DockerStreamError { error: "building at STEP \"RUN /x\": while running runtime: exit status 7\n".to_owned() };
        let Error::StepFailed(failed) = said.failure("x", &Failure::new(REQUEST.to_owned(), String::new(), &answer)) else {
            panic!("a script failed")
        };
        assert_eq!((failed.exit, failed.last_lines), (Exit::Code(7), vec!["one".to_owned(), "STEP by step".to_owned()]));
    }

    #[test]
    fn a_failure_of_the_engine_is_not_taken_for_one_of_a_script() {
        let mut said = Said::new(StepId(0), false);
        say(&mut said, &["Step 1/3 : FROM x\n", "Step 2/3 : COPY content-0 /tmp/src\n"]);
        let why = "failed to copy files: Error processing tar file(exit status 1): open /n: file name too long";
        let answer = Answer::DockerStreamError { error: why.to_owned() };
        let error = said.failure("build", &Failure::new(REQUEST.to_owned(), String::new(), &answer));
        assert!(!matches!(error, Error::StepFailed(_)) && error.to_string().contains("file name too long"), "{error}");
    }

    #[test]
    fn a_full_disk_after_a_script_is_not_taken_for_a_failure_of_the_script() {
        let mut said = Said::new(StepId(0), false);
        say(&mut said, &["Step 1/2 : FROM x\n", "Step 2/2 : RUN [\"/x\"]", "\n", " ---> Running in bbbbbbbbbbbb\n"]);
        let why = "Error processing tar file(exit status 1): write /app/x: no space left on device";
        let answer = Answer::DockerStreamError { error: why.to_owned() };
        let error = said.failure("build", &Failure::new(REQUEST.to_owned(), String::new(), &answer));
        assert!(matches!(&error, Error::NoSpace { why } if why.contains("write /app/x")), "{error}");
    }

    #[test]
    fn reads_exit_codes_of_both_builders() {
        let (docker, podman) = (false, true);
        assert_eq!(exit_code("The command '/bin/x' returned a non-zero code: 137", docker), Some(137));
        assert_eq!(exit_code("building at STEP \"RUN x\": while running runtime: exit status 7\n", podman), Some(7));
        for of_the_engine in ["no such thing", "Error processing tar file(exit status 1): write /app/x: boom"] {
            assert_eq!((exit_code(of_the_engine, docker), exit_code(of_the_engine, podman)), (None, None), "{of_the_engine}");
        }
    }

    #[test]
    fn begins_a_context_that_any_reader_takes() {
        let tar = [entry(DOCKERFILE, "FROM scratch\n"), vec![0; 1024]].concat();
        let mut archive = tar::Archive::new(tar.as_slice());
        let entries: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
        assert_eq!(entries, [std::path::PathBuf::from("Dockerfile")]);
    }
}
