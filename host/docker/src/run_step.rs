//! A run step as a whole: container, content, command, and what is left of it.

use std::time::Duration;

use bollard::models::ContainerCreateBody;
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use sti_core::{
    Identity, ImageId,
    plan::{Action, Base, ContentId, ImageChanges, OnFailure, Placement, Run, Step, StepId},
};
use sti_engine::{
    Error,
    archive::{self, Owner, Repack, Times},
    labels, secrets,
};
use tokio::sync::mpsc;

use crate::{
    commit::Committed,
    container::{Begins, Mounted},
    contents,
    execute::Work,
    places::{Held, Volume},
    run::Running,
};

/// Pieces of output on their way into a volume.
const PIECES_AHEAD: usize = 16;
/// How long a command may go on after its output was refused.
const GRACE: Duration = Duration::from_secs(5);
/// Where the output of a step is unpacked, in a container that never starts.
const OUTPUT: &str = "/output";

/// Where the output of a step goes.
struct Intake<'a> {
    /// The step that wants it below a directory of its own.
    wanted_by: Option<&'a Step>,
    /// The image of the container that takes it.
    image: ImageId,
    /// Where the volume is mounted there.
    at: String,
    /// Where it is unpacked: there, or below.
    path: String,
    /// Whose it becomes.
    owner: Owner,
}

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
        let mut mounts = self.mounts(id, run, known.as_ref().map(owner));
        let secrets = secrets::mounts(self.plan(), &self.store.contents, step, run)?;
        let first_secret = mounts.len();
        mounts.extend(self.mount_secrets(&secrets, &step.title).await?);
        let body = self.engine.body(&image, &config, run, &mounts, self.keep_failed);
        let container = self.engine.create(&image, body, &step.title).await?;
        let identity = match known {
            Some(identity) => identity,
            None => self.engine.identity_by(&image, &written, &step.title, Some(&container)).await?,
        };
        // Podman tells of what is mounted at a path, and not of what lies below that.
        let unmounted = (!self.engine.is_podman || mounts.is_empty()).then_some(container.as_str());
        self.refuse_detours(step, &image, unmounted).await?;
        self.begin(&container, &image, &mounts, &step.title).await?;
        let pours = self.pours(step, run, owner(&identity)).await?;
        if !pours.is_empty() {
            self.engine.pour(&container, pours, &mounts, &self.store, &step.title, self.progress).await?;
        }
        let hold = self.fill_secrets(step, run, (&container, &image), &mounts[first_secret..], owner(&identity)).await?;
        self.run_command(id, step, run, &container, &image).await?;
        if let Some(hold) = hold {
            hold.release().await;
        }
        self.hold_captures(id, &container, &mounts, &identity);
        let Some(changes) = &run.commit else { return Ok(None) };
        let changes = &self.with_labels(changes, step, run, &container).await?;
        let committed = self.engine.commit(&container, &image, run, changes, (&step.title, self.progress)).await?;
        let mounted = mounts.into_iter().map(|mounted| mounted.at).collect();
        let programs = run.command.first().into_iter().chain(changes.command.iter().flatten().next()).cloned().collect();
        let made = Committed { image: committed.clone(), base: image, container, mounted, programs };
        self.engine.curiosity().committed.push(made);
        Ok(Some(committed))
    }

    /// What is said of the image, with the labels that the command left for it.
    async fn with_labels(&self, changes: &ImageChanges, step: &Step, run: &Run, container: &str) -> Result<ImageChanges, Error> {
        let left = match &run.labels_from {
            Some(path) => self.engine.labels_left_in(container, path).await?,
            None => labels::Left::Nothing,
        };
        labels::with_labels(changes, step, run, &left)
    }

    async fn run_command(&self, id: StepId, step: &Step, run: &Run, container: &str, image: &ImageId) -> Result<(), Error> {
        let running = |taken| Running {
            step: id,
            title: &step.title,
            run,
            container,
            keep_failed: self.keep_failed && run.on_failure == OnFailure::EndBuild,
            progress: self.progress,
            taken,
        };
        let Some(content) = self.plan().output_of(id) else {
            return self.engine.run_to_end(running(None)).await;
        };
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        let intake = self.intake(content, image).await?;
        let holder = self.output_holder(&intake, &step.title).await?;
        let ended = self.engine.run_to_end(running(Some(sender))).boxed();
        self.end_with_output(ended, self.unpack_output(&holder, receiver, step, run).boxed(), container).await?;
        self.hold(content, holder);
        Ok(())
    }

    /// Waits for a command and for whoever unpacks its output. A command whose output was refused may still say by its exit code what is
    /// wrong, and is not listened to for ever.
    async fn end_with_output(
        &self,
        mut ended: BoxFuture<'_, Result<(), Error>>,
        mut unpacked: BoxFuture<'_, Result<(), Error>>,
        container: &str,
    ) -> Result<(), Error> {
        let refused = tokio::select! {
            ended = &mut ended => {
                let unpacked = unpacked.await;
                return ended.and(unpacked);
            },
            unpacked = &mut unpacked => unpacked.err(),
        };
        let Some(refused) = refused else { return ended.await };
        // Given up with its connection: an engine that still has output to pass on would not answer.
        match tokio::time::timeout(GRACE, ended).await {
            Ok(ended) => ended?,
            Err(_) => self.engine.kill(container).await,
        }
        Err(refused)
    }

    /// Where the output of a step is unpacked: below the transient directory of the one step that wants all of it, which then mounts it as
    /// it is, or in a volume of its own, which belongs to whoever mounts it first.
    async fn intake(&self, content: ContentId, own: &ImageId) -> Result<Intake<'_>, Error> {
        let apart = |owner| Intake { wanted_by: None, image: own.clone(), at: OUTPUT.to_owned(), path: OUTPUT.to_owned(), owner };
        let wants =
            |step: &&Step| step.contents().iter().any(|used| self.plan().resolve(*used).is_some_and(|found| found.0 == content));
        let root = Owner { uid: 0, gid: 0 };
        let Some(step) = self.plan().steps.iter().find(wants) else { return Ok(apart(root)) };
        let (Action::Run(run), Base::Image { id, user, .. }) = (&step.action, &step.base) else { return Ok(apart(root)) };
        let identity = self.engine.identity_of(id, run.user.as_deref().unwrap_or(user), &step.title).await?;
        let owner = owner(&identity);
        let place = run.places.iter().find(|place| place.content == content && place.placement == Placement::Mounted);
        let whole = place.filter(|_| self.users_of(content) == 1);
        Ok(match whole.and_then(|place| Some((run.transient_above(&place.at)?, place))) {
            Some((at, place)) => {
                Intake { wanted_by: Some(step), image: id.clone(), at: at.to_owned(), path: place.at.clone(), owner }
            }
            None => apart(owner),
        })
    }

    /// A container that never starts, with the volume that takes the output.
    async fn output_holder(&self, intake: &Intake<'_>, title: &str) -> Result<Held, Error> {
        let name = self.engine.ledger.volume();
        let begins = if intake.wanted_by.is_none() { Begins::Empty } else { Begins::AsTheImage };
        let mounted = Mounted { at: intake.at.clone(), volume: Some(name.clone()), begins };
        let body = ContainerCreateBody {
            image: Some(intake.image.as_str().to_owned()),
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
        let container = self.engine.create(&intake.image, body, title).await?;
        if let Some(step) = intake.wanted_by {
            self.refuse_detours(step, &intake.image, (!self.engine.is_podman).then_some(container.as_str())).await?;
            self.begin(&container, &intake.image, std::slice::from_ref(&mounted), title).await?;
        }
        let volume = Some(Volume { name, at: intake.at.clone() });
        Ok(Held { container, path: intake.path.clone(), volume, owner: intake.owner })
    }

    async fn unpack_output(
        &self,
        holder: &Held,
        printed: mpsc::Receiver<std::io::Result<bytes::Bytes>>,
        step: &Step,
        run: &Run,
    ) -> Result<(), Error> {
        let pieces = futures_util::stream::unfold(printed, async |mut printed| {
            let piece = printed.recv().await?;
            Some((piece, printed))
        });
        let mut reader = archive::blocking_reader(pieces.boxed());
        let mount = holder.volume.as_ref().filter(|_| self.engine.is_podman).map_or("", |volume| volume.at.as_str());
        let at = contents::inside(holder.path.strip_prefix(mount).unwrap_or(&holder.path)).to_owned();
        let to = Repack { at, owner: Some(holder.owner), times: Times::Kept, strip_first: false, only: None };
        let (pieces, verdict) = archive::stream(move |out| archive::repack(&mut reader, out, &to, &|_| {}));
        let sent = self.engine.put_tar(&holder.container, if mount.is_empty() { "/" } else { mount }, pieces).await;
        let unusable = |error: &archive::Error| Error::output_invalid(step, run, error);
        contents::finish_as(sent, verdict, |failure| failure.while_creating(&step.title), unusable).await
    }

    fn hold_captures(&self, id: StepId, container: &str, mounts: &[Mounted], identity: &Identity) {
        for (content, path) in self.plan().captures_of(id) {
            let volume = mounts.iter().find(|mounted| mounted.at == path).and_then(|mounted| mounted.volume.clone());
            let volume = volume.map(|name| Volume { name, at: path.to_owned() });
            let held = Held { container: container.to_owned(), path: path.to_owned(), volume, owner: owner(identity) };
            self.hold(content, held);
        }
    }
}

fn owner(identity: &Identity) -> Owner {
    Owner { uid: identity.uid, gid: identity.gid }
}
