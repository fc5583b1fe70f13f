//! A run step as a whole: container, content, command, and what is left of it.

use bollard::models::ContainerCreateBody;
use futures_util::StreamExt;
use sti_core::{
    Identity, ImageId,
    plan::{ContentId, Run, Step, StepId},
};
use sti_engine::{
    Error,
    archive::{self, Owner, Repack, Times},
};
use tokio::sync::mpsc;

use crate::{commit::Committed, container::Mounted, contents, execute::Work, places::Held, run::Running};

/// Pieces of output on their way into a volume.
const PIECES_AHEAD: usize = 16;
/// Where the output of a step is unpacked, in a container that never starts.
const OUTPUT: &str = "/output";

impl Work<'_> {
    /// Carries out a run step; the image where there is a commit.
    pub(crate) async fn run_step(&self, id: StepId, step: &Step, run: &Run) -> Result<Option<ImageId>, Error> {
        let Some(image) = self.base(step)? else {
            return Err(Error::Unsupported { title: step.title.clone(), what: "a command in an empty file system".to_owned() });
        };
        let config = self.engine.config_of(&image).await?;
        let written = run.user.clone().or_else(|| config.user.clone()).unwrap_or_default();
        let known = if self.must_know_owner_first(run) {
            Some(self.engine.identity_of(&image, &written, &step.title).await?)
        } else {
            None
        };
        let mounts = self.mounts(id, run, known.as_ref().map(owner));
        let body = self.engine.body(&image, &config, run, &mounts, self.keep_failed);
        let container = self.engine.create(&image, body, &step.title).await?;
        let identity = match known {
            Some(identity) => identity,
            None => self.engine.identity_by(&image, &written, &step.title, Some(&container)).await?,
        };
        // Podman tells of what is mounted at a path, and not of what lies below that.
        let unmounted = (!self.engine.is_podman || mounts.is_empty()).then_some(container.as_str());
        self.refuse_detours(step, &image, unmounted).await?;
        let pours = self.pours(step, run, owner(&identity)).await?;
        if !pours.is_empty() {
            self.engine.pour(&container, pours, &mounts, &self.store, &step.title, self.progress).await?;
        }
        self.run_command(id, step, run, &container, &image).await?;
        self.hold_captures(id, &container, &mounts, &identity);
        let Some(changes) = &run.commit else { return Ok(None) };
        let committed = self.engine.commit(&container, &image, run, changes, &step.title).await?;
        let mounted = mounts.into_iter().map(|mounted| mounted.at).collect();
        let programs = run.command.first().into_iter().chain(changes.command.iter().flatten().next()).cloned().collect();
        let made = Committed { image: committed.clone(), base: image, container, mounted, programs };
        self.engine.curiosity().committed.push(made);
        Ok(Some(committed))
    }

    async fn run_command(&self, id: StepId, step: &Step, run: &Run, container: &str, image: &ImageId) -> Result<(), Error> {
        let running = |taken| Running {
            step: id,
            title: &step.title,
            run,
            container,
            keep_failed: self.keep_failed,
            progress: self.progress,
            taken,
        };
        let Some(content) = self.plan().output_of(id) else {
            return self.engine.run_to_end(running(None)).await;
        };
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        let holder = self.output_holder(image, content, &step.title).await?;
        let unpacked = self.unpack_output(&holder, receiver, &step.title);
        let (ended, unpacked) = tokio::join!(self.engine.run_to_end(running(Some(sender))), unpacked);
        ended?;
        unpacked?;
        self.hold(content, holder);
        Ok(())
    }

    /// A container that never starts, with the volume that takes the output; it belongs to whoever mounts it first.
    async fn output_holder(&self, image: &ImageId, content: ContentId, title: &str) -> Result<Held, Error> {
        let volume = self.engine.ledger.volume();
        let mounted = Mounted { at: OUTPUT.to_owned(), volume: Some(volume.clone()) };
        let body = ContainerCreateBody {
            image: Some(image.as_str().to_owned()),
            entrypoint: Some(vec!["/never-started".to_owned()]),
            cmd: Some(Vec::new()),
            labels: Some(self.engine.labels()),
            host_config: Some(bollard::models::HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(vec![self.engine.mount(&mounted)]),
                ..Default::default()
            }),
            ..ContainerCreateBody::default()
        };
        let container = self.engine.create(image, body, title).await?;
        let identity = self.consumer_of(content).await?;
        Ok(Held { container, path: OUTPUT.to_owned(), volume: Some(volume), owner: owner(&identity) })
    }

    async fn consumer_of(&self, content: ContentId) -> Result<Identity, Error> {
        let root = Identity { uid: 0, gid: 0, written: String::new(), home: None };
        let uses =
            |step: &&Step| step.contents().iter().any(|used| self.plan().resolve(*used).is_some_and(|found| found.0 == content));
        let Some(step) = self.plan().steps.iter().find(uses) else { return Ok(root) };
        let (sti_core::plan::Action::Run(run), sti_core::plan::Base::Image { id, user, .. }) = (&step.action, &step.base) else {
            return Ok(root);
        };
        self.engine.identity_of(id, run.user.as_deref().unwrap_or(user), &step.title).await
    }

    async fn unpack_output(
        &self,
        holder: &Held,
        printed: mpsc::Receiver<std::io::Result<bytes::Bytes>>,
        title: &str,
    ) -> Result<(), Error> {
        let pieces = futures_util::stream::unfold(printed, async |mut printed| {
            let piece = printed.recv().await?;
            Some((piece, printed))
        });
        let mut reader = archive::blocking_reader(pieces.boxed());
        let (path, at) = if self.engine.is_podman { (OUTPUT, "") } else { ("/", contents::inside(OUTPUT)) };
        let to = Repack { at: at.to_owned(), owner: Some(holder.owner), times: Times::Kept, strip_first: false };
        let (pieces, verdict) = archive::stream(move |out| archive::repack(&mut reader, out, &to, &|_| {}));
        let sent = self.engine.put_tar(&holder.container, path, pieces).await;
        contents::finish(sent, verdict, |failure| failure.while_creating(title)).await
    }

    fn hold_captures(&self, id: StepId, container: &str, mounts: &[Mounted], identity: &Identity) {
        for (content, path) in self.plan().captures_of(id) {
            let volume = mounts.iter().find(|mounted| mounted.at == path).and_then(|mounted| mounted.volume.clone());
            let held = Held { container: container.to_owned(), path: path.to_owned(), volume, owner: owner(identity) };
            self.hold(content, held);
        }
    }
}

fn owner(identity: &Identity) -> Owner {
    Owner { uid: identity.uid, gid: identity.gid }
}
