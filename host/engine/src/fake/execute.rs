//! How the engine in memory carries out a plan: step by step, and all of it or nothing.

use std::{collections::BTreeMap, time::Instant};

use sti_core::{
    Event, Identity, ImageId, Plan,
    plan::{
        Action, Assemble, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Network, OnFailure, Run, Step,
        StepId,
    },
    progress::{Level, Stream},
};

use super::{
    Container, FakeEngine, FakeImage, Files, NodeKind, Program,
    answers::{no_such_image, unknown_user},
    fixture, users,
};
use crate::{
    Error, Execution, Exit, Outcome, StepFailure,
    archive::{self, Owner, Repack, Spot, Times},
    detour, labels,
    secrets::{self, SecretMount},
};

/// Where contents are put in a tar, to be taken out of it again.
const PLACE: &str = "content";

/// How many lines a failure tells.
pub(super) const LAST_LINES: usize = 20;

pub(super) fn execute(engine: &FakeEngine, execution: &Execution<'_>) -> Result<Outcome, Error> {
    let plan = execution.plan.plan();
    let mut work = Work { engine, execution, plan, images: BTreeMap::new(), captured: BTreeMap::new() };
    for (id, step) in plan.numbered() {
        let begun = Instant::now();
        execution.progress.tell(Event::StepStarted { step: id, title: step.title.clone() });
        if let Err(error) = work.step(id, step) {
            engine.store().remove_left_by(&engine.build);
            return Err(error);
        }
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        execution.progress.tell(Event::StepFinished { step: id, milliseconds });
    }
    Ok(Outcome { images: work.images })
}

struct Work<'a> {
    engine: &'a FakeEngine,
    execution: &'a Execution<'a>,
    plan: &'a Plan,
    images: BTreeMap<StepId, ImageId>,
    /// Nothing where a step failed that may.
    captured: BTreeMap<ContentId, Option<Files>>,
}

impl Work<'_> {
    fn step(&mut self, id: StepId, step: &Step) -> Result<(), Error> {
        let base = self.base(&step.base)?;
        refuse_detours(step, &base.files)?;
        match &step.action {
            Action::Run(run) => match self.run(id, step, run, base) {
                Err(error) if run.on_failure == OnFailure::GoOn && error.is_of_the_command() => {
                    self.execution.progress.say(Level::Warning, error.tolerated(&step.title));
                    self.captured.extend(self.plan.left_by(id).map(|content| (content, None)));
                    Ok(())
                }
                ended => ended,
            },
            Action::Build(build) => self.build(id, step, build, base),
            Action::Assemble(assemble) => self.assemble(id, assemble, base),
        }
    }

    fn base(&self, base: &Base) -> Result<FakeImage, Error> {
        let id = match base {
            Base::Scratch => return Ok(FakeImage::empty()),
            Base::Image { id, .. } => id,
            Base::Step { step } => self.images.get(step).ok_or_else(|| nothing("the image of an earlier step"))?,
        };
        let store = self.engine.store();
        store.images.get(id).map(|stored| stored.image.clone()).ok_or_else(|| no_such_image(id))
    }

    fn run(&mut self, id: StepId, step: &Step, run: &Run, mut image: FakeImage) -> Result<(), Error> {
        let user = resolve(&image.files, run.user.as_ref().unwrap_or(&image.user))?;
        let mut container = container(&image, user, &run.command, run.network);
        container.environment.extend(run.environment.iter().map(|set| (set.name.clone(), set.value.clone())));
        container.working_directory = run.working_directory.clone().unwrap_or(container.working_directory);
        for directory in &run.transient {
            let own = container.files.copy(below_top(directory)).unwrap_or_else(Files::empty_directory);
            container.mount(below_top(directory), own);
        }
        let owner = Owner { uid: container.user.uid, gid: container.user.gid };
        for secrets in secrets::mounts(self.plan, self.execution.contents, step, run)? {
            container.mount(below_top(secrets.at), self.secret_files(&secrets, owner)?);
        }
        for place in run.places.iter().filter(|place| !secrets::is_secret(self.plan, place.content)) {
            let is_mount = run.is_mount(place);
            let content = match self.lacks(place.content) {
                true if is_mount => {
                    let mut empty = Files::empty_directory();
                    empty.give_to(owner.uid, owner.gid);
                    empty
                }
                true => continue,
                false => self.content(place.content, owner)?,
            };
            if is_mount {
                container.mount(below_top(&place.at), content);
            } else {
                container.files.graft(below_top(&place.at), content);
            }
        }
        self.start(id, step, &mut container)?;
        for (content, path) in self.plan.captures_of(id) {
            self.captured.insert(content, Some(container.capture(path)));
        }
        if let Some(content) = self.plan.output_of(id) {
            let files = output(&container.stdout).map_err(|error| Error::output_invalid(step, run, &error))?;
            self.captured.insert(content, Some(files));
        }
        let file = run.labels_from.as_deref().and_then(|path| container.files.read(path));
        let left = file.map_or(labels::Left::Nothing, |bytes| labels::Left::File(bytes.to_vec()));
        container.unmount();
        if let Some(changes) = &run.commit {
            let changes = labels::with_labels(changes, step, run, &left)?;
            image.files = container.files;
            self.commit(id, image, &changes);
        }
        Ok(())
    }

    fn build(&mut self, id: StepId, step: &Step, build: &Build, mut image: FakeImage) -> Result<(), Error> {
        if build.triggers.is_some() {
            // Its instructions are a Dockerfile's, of which this engine reads none.
            return Err(Error::Unsupported { title: step.title.clone(), what: "ONBUILD instructions".to_owned() });
        }
        for instruction in &build.instructions {
            match instruction {
                Instruction::Copy(copied) => self.copy(copied, &mut image)?,
                Instruction::Environment(variable) => image.add_environment(std::slice::from_ref(variable)),
                Instruction::User { user } => image.user.clone_from(user),
                Instruction::WorkingDirectory { path } => image.working_directory.clone_from(path),
                Instruction::Run { command } => {
                    let user = resolve(&image.files, &image.user)?;
                    let mut container = container(&image, user, command, build.network);
                    self.start(id, step, &mut container)?;
                    image.files = container.files;
                }
            }
        }
        self.commit(id, image, &build.changes);
        Ok(())
    }

    fn assemble(&mut self, id: StepId, assemble: &Assemble, mut image: FakeImage) -> Result<(), Error> {
        for layer in &assemble.layers {
            self.copy(&layer.copied, &mut image)?;
        }
        image.change(&assemble.changes);
        let kept = self.engine.store().keep(image, Some(&self.engine.build));
        self.images.insert(id, kept);
        Ok(())
    }

    fn copy(&self, copied: &Copied, image: &mut FakeImage) -> Result<(), Error> {
        if self.lacks(copied.content) {
            return Ok(());
        }
        let owner = resolve(&image.files, copied.owner.as_ref().unwrap_or(&image.user))?;
        let content = self.content(copied.content, Owner { uid: owner.uid, gid: owner.gid })?;
        image.files.graft(below_top(&copied.at), content);
        Ok(())
    }

    fn commit(&mut self, id: StepId, mut image: FakeImage, changes: &ImageChanges) {
        image.change(changes);
        let mut store = self.engine.store();
        // Two containers are two images, however much they are alike.
        store.made += 1;
        image.made = store.made;
        let kept = store.keep(image, Some(&self.engine.build));
        self.images.insert(id, kept);
    }

    fn start(&self, id: StepId, step: &Step, container: &mut Container) -> Result<(), Error> {
        let program = program(self.engine, &step.title, container)?;
        let code = program(container);
        for (stream, bytes) in [(Stream::Stdout, &container.stdout), (Stream::Stderr, &container.stderr)] {
            // What is read as a tar is no text for people.
            if stream == Stream::Stderr || self.plan.output_of(id).is_none() {
                lines(bytes).for_each(|line| self.execution.progress.tell(Event::Output { step: id, stream, line }));
            }
        }
        if code == 0 { Ok(()) } else { Err(self.failure(id, step, container, code)) }
    }

    fn failure(&self, id: StepId, step: &Step, container: &Container, code: i32) -> Error {
        let printed: Vec<String> = lines(&container.stdout).chain(lines(&container.stderr)).collect();
        let kept = self.execution.keep_failed.then(|| {
            self.engine.store().kept.push(self.engine.build.clone());
            format!("sti-{}-{}", self.engine.build, id.0)
        });
        Error::StepFailed(Box::new(StepFailure {
            step: id,
            title: step.title.clone(),
            command: container.command.clone(),
            exit: Exit::Code(i64::from(code)),
            last_lines: printed[printed.len().saturating_sub(LAST_LINES)..].to_vec(),
            kept,
        }))
    }

    /// Whether the step that should leave a content failed, and may.
    fn lacks(&self, id: ContentId) -> bool {
        self.plan.resolve(id).is_some_and(|(whole, _, _)| matches!(self.captured.get(&whole), Some(None)))
    }

    /// The files of a content, given to an owner.
    fn content(&self, id: ContentId, owner: Owner) -> Result<Files, Error> {
        let mut content = match self.engine_content(id)? {
            Some(content) => content,
            None => self.packed(id, owner)?,
        };
        content.give_to(owner.uid, owner.gid);
        Ok(content)
    }

    /// What lives in the engine; `None` for what the host packs.
    fn engine_content(&self, id: ContentId) -> Result<Option<Files>, Error> {
        let (whole, content, below) = self.plan.resolve(id).ok_or_else(|| nothing("a content"))?;
        let files = match content {
            Content::Source
            | Content::Empty
            | Content::Files { .. }
            | Content::Secret { .. }
            | Content::Part { .. }
            | Content::Matching { .. } => return Ok(None),
            Content::Capture { .. } | Content::Output { .. } => self.captured.get(&whole).cloned().flatten(),
            Content::ImageFiles { step, path } => {
                let base = self.base(&Base::Step { step: *step })?;
                base.files.resolve(path).and_then(|path| base.files.copy(&path))
            }
            Content::Cache { name } => {
                let what = format!("the cache `{name}`");
                return Err(Error::Unsupported { title: "the plan".to_owned(), what });
            }
        };
        let part = files.and_then(|files| files.copy(below.as_bytes()));
        let part = match self.plan.glob(id) {
            Some(glob) => part.and_then(|files| files.matching(glob)),
            None => part,
        };
        let path = || self.plan.path_of(id).unwrap_or(below);
        part.map(Some).ok_or_else(|| Error::NotLeft { title: "the plan".to_owned(), path: path() })
    }

    /// What is mounted for secrets, with the directory itself at the top.
    fn secret_files(&self, secrets: &SecretMount<'_>, owner: Owner) -> Result<Files, Error> {
        let mut files = Files::empty_directory();
        for place in &secrets.places {
            let below = place.at.strip_prefix(secrets.at).unwrap_or_default();
            files.graft(below_top(below), self.content(place.content, owner)?);
        }
        files.give_to(owner.uid, owner.gid);
        Ok(files)
    }

    fn packed(&self, id: ContentId, owner: Owner) -> Result<Files, Error> {
        let mut tar = Vec::new();
        let spot = Spot { at: PLACE, owner, times: Times::All(0) };
        archive::pack(self.plan, id, self.execution.contents, &spot, &mut tar, &|_| {}).map_err(|error| match error {
            archive::Error::Source(error) => Error::Source(error.to_string()),
            error => refused("contents", &error),
        })?;
        unpacked(&tar).map_err(|error| refused("contents", &error))
    }
}

fn refuse_detours(step: &Step, files: &Files) -> Result<(), Error> {
    for at in detour::places_in_doubt(step) {
        for way in detour::way_to(at) {
            if let Some(NodeKind::Symlink(target)) = files.get(below_top(way)).map(|node| &node.kind) {
                return Err(detour::refused(step, at, way, &String::from_utf8_lossy(target)));
            }
        }
    }
    Ok(())
}

/// What the command of a container does.
pub(super) fn program(engine: &FakeEngine, title: &str, container: &Container) -> Result<Program, Error> {
    let command = container.command.first().cloned().unwrap_or_default();
    let not_runnable = |why: &str| Error::NotRunnable { title: title.to_owned(), command: command.clone(), why: why.to_owned() };
    let path = container.files.resolve(&command).ok_or_else(|| not_runnable("there is no such program in the image"))?;
    let is_executable = container.files.get(&path).is_some_and(|node| node.mode & 0o111 != 0);
    let bytes = container.files.read(&command).ok_or_else(|| not_runnable("it is a directory"))?;
    if !is_executable {
        return Err(not_runnable("it is not executable"));
    }
    match engine.store().programs.get(&command) {
        Some(program) => Ok(program.clone()),
        None if *bytes == *fixture::MARK.as_bytes() => Ok(fixture::program()),
        None => Err(not_runnable("it is of a format that the system cannot run")),
    }
}

pub(super) fn container(image: &FakeImage, user: Identity, command: &[String], network: Network) -> Container {
    let working_directory = if image.working_directory.is_empty() { "/".to_owned() } else { image.working_directory.clone() };
    Container {
        files: image.files.clone(),
        command: command.to_vec(),
        environment: image.environment.iter().cloned().collect(),
        user,
        working_directory,
        network,
        stdout: Vec::new(),
        stderr: Vec::new(),
        mounts: Vec::new(),
    }
}

pub(super) fn resolve(files: &Files, user: &str) -> Result<Identity, Error> {
    users::resolve(files, user).ok_or_else(|| unknown_user(user))
}

/// Reads what a program printed as a tar.
fn output(printed: &[u8]) -> Result<Files, archive::Error> {
    let mut tar = Vec::new();
    let to = Repack { at: PLACE.to_owned(), owner: None, times: Times::Kept, strip_first: false, only: None };
    archive::repack(&mut { printed }, &mut tar, &to, &|_| {})?;
    unpacked(&tar)
}

fn unpacked(tar: &[u8]) -> Result<Files, archive::Error> {
    let mut files = Files::from_tar(tar).map_err(archive::Error::Read)?;
    Ok(files.take(PLACE.as_bytes()).unwrap_or_else(Files::empty_directory))
}

pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.into_iter()
}

fn below_top(path: &str) -> &[u8] {
    path.trim_start_matches('/').as_bytes()
}

fn nothing(what: &str) -> Error {
    Error::Refused { request: "execute".to_owned(), why: format!("there is no {what}") }
}

fn refused(request: &str, error: &archive::Error) -> Error {
    Error::Refused { request: request.to_owned(), why: error.to_string() }
}
