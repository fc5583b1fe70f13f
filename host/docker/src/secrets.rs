//! Secrets of a run step: in memory while the command runs, and nowhere afterwards.
//!
//! A volume whose file system is a tmpfs is there as long as some container uses it. So a container that never starts is given a tar with
//! the secrets which does not end: meanwhile the engine has the volume mounted there, and the container of the command sees the same.
//! When the tar ends, because the command has or because this process has, the engine lets go, and nothing is left. Podman does not
//! mount such volumes for that; there a volume on its disk holds them, until the container is gone.

use std::{collections::HashMap, time::Duration};

use bollard::{
    body_try_stream,
    models::{ContainerCreateBody, VolumeCreateRequest},
    query_parameters::{ContainerArchiveInfoOptionsBuilder, UploadToContainerOptionsBuilder},
};
use bytes::Bytes;
use futures_util::StreamExt;
use sti_core::{
    ImageId,
    plan::{Run, Step},
    progress::Level,
};
use sti_engine::{
    Error,
    archive::{self, Owner, Spot, Times},
    secrets::{self, SecretMount},
};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use crate::{
    container::{Begins, Mounted},
    contents::{END, Pour, Spring, Store, WithoutEnd, inside},
    execute::Work,
    failures::Failure,
};

/// So long may the engine take to put secrets into their place.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// So long may it take to let go of them.
const DRAIN: Duration = Duration::from_secs(10);
/// The directory of secrets is open for nobody until all is there; then it is its owner's.
const CLOSED: &str = "mode=0000,nosuid,nodev";
const READY: u32 = 0o700;

/// Holds secrets in memory until it is released or dropped.
pub(crate) struct Hold {
    release: oneshot::Sender<()>,
    request: JoinHandle<()>,
}

impl Hold {
    /// Lets go of the secrets, and waits until the engine has done so, too.
    pub(crate) async fn release(self) {
        let Self { release, request } = self;
        drop(release);
        let _ended = tokio::time::timeout(DRAIN, request).await;
    }
}

impl Work<'_> {
    /// Makes the volumes for the secrets of a step.
    pub(crate) async fn mount_secrets(&self, mounts: &[SecretMount<'_>], title: &str) -> Result<Vec<Mounted>, Error> {
        let mut mounted = Vec::new();
        for mount in mounts {
            let name = self.engine.ledger.volume();
            let tmpfs = [("type", "tmpfs"), ("device", "tmpfs"), ("o", CLOSED)];
            let options: HashMap<String, String> = tmpfs
                .into_iter()
                .filter(|_| !self.engine.is_podman)
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let volume = VolumeCreateRequest {
                name: Some(name.clone()),
                labels: Some(self.engine.labels()),
                driver_opts: Some(options),
                ..VolumeCreateRequest::default()
            };
            let call = self.engine.requests.quick().create_volume(volume);
            self.engine.ledger.sent();
            let answer = self.engine.requests.send("POST /volumes/create", call).await;
            if !answer.as_ref().is_err_and(Failure::is_connection) {
                self.engine.ledger.answered();
            }
            answer.map_err(|failure| failure.while_creating(title))?;
            mounted.push(Mounted { at: mount.at.to_owned(), volume: Some(name), begins: Begins::Empty });
        }
        Ok(mounted)
    }

    /// Puts the secrets of a step into their volumes, before its command starts; `None` where nothing holds them there.
    pub(crate) async fn fill_secrets(
        &self,
        step: &Step,
        run: &Run,
        (container, image): (&str, &ImageId),
        mounted: &[Mounted],
        owner: Owner,
    ) -> Result<Option<Hold>, Error> {
        let mounts = secrets::mounts(&self.store.plan, &self.store.contents, step, run)?;
        let Some(last) = mounts.last() else { return Ok(None) };
        if self.engine.is_podman {
            self.progress
                .say(Level::Debug, "Podman holds the secrets in a volume on its disk until the step has ended".to_owned());
            let places = mounts.iter().flat_map(|mount| &mount.places);
            let pours = places.map(|place| Pour {
                at: place.at.clone(),
                owner: Some(owner),
                from: Spring::Host(place.content),
                times: Times::Kept,
                only: None,
            });
            self.engine.pour(container, pours.collect(), mounted, &self.store, &step.title, self.progress).await?;
            return Ok(None);
        }
        let holder = self.holder_of_secrets(image, mounted, &step.title).await?;
        let hold = self.hold_secrets(holder, &mounts, owner);
        self.wait_for_secrets(container, last.at, &hold, &step.title).await?;
        Ok(Some(hold))
    }

    /// A container that never starts, with the volumes of secrets.
    async fn holder_of_secrets(&self, image: &ImageId, mounted: &[Mounted], title: &str) -> Result<String, Error> {
        let body = ContainerCreateBody {
            image: Some(image.as_str().to_owned()),
            entrypoint: Some(vec!["/never-started".to_owned()]),
            cmd: Some(Vec::new()),
            labels: Some(self.engine.labels()),
            host_config: Some(bollard::models::HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(mounted.iter().map(|mounted| self.engine.mount(mounted)).collect()),
                ..Default::default()
            }),
            ..ContainerCreateBody::default()
        };
        self.engine.create(image, body, title).await
    }

    /// Sends the tar of the secrets, whose end waits for the release.
    fn hold_secrets(&self, holder: String, mounts: &[SecretMount<'_>], owner: Owner) -> Hold {
        let (release, released) = oneshot::channel::<()>();
        let places = mounts.iter().map(|mount| {
            let places = mount.places.iter().map(|place| (place.at.clone(), place.content)).collect();
            (mount.at.to_owned(), places)
        });
        let (pieces, verdict) = tar_of(places.collect(), owner, self.store.clone());
        let end = futures_util::stream::once(async move {
            let _released = released.await;
            Ok(Bytes::from_static(&[0; END]))
        });
        let docker = self.engine.requests.patient().clone();
        self.engine.requests.begin(&format!("PUT /containers/{holder}/archive?path=/"));
        let request = tokio::spawn(async move {
            let options = UploadToContainerOptionsBuilder::new().path("/").build();
            // Whoever waits for the secrets sees that they do not come.
            let _answer = docker.upload_to_container(&holder, Some(options), body_try_stream(pieces.chain(end))).await;
            let _packed = verdict.await;
        });
        Hold { release, request }
    }

    /// The directory that is written last belongs to the command's user as soon as all is there.
    async fn wait_for_secrets(&self, container: &str, at: &str, hold: &Hold, title: &str) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        let request = format!("HEAD /containers/{container}/archive?path={at}");
        loop {
            let found = self.engine.requests.ask(request.clone(), || {
                let options = ContainerArchiveInfoOptionsBuilder::new().path(at).build();
                self.engine.requests.quick().get_container_archive_info(container, Some(options))
            });
            if found.await.map_err(Failure::plain)?.file_mode & 0o777 == READY {
                return Ok(());
            }
            if hold.request.is_finished() || Instant::now() > until {
                let why = "it does not take secrets into its memory".to_owned();
                return Err(Error::CreateContainerFailed { title: title.to_owned(), why });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// A tar without its end: all secrets, and then the directories that they lie in.
fn tar_of(
    mounts: Vec<(String, Vec<(String, sti_core::plan::ContentId)>)>,
    owner: Owner,
    store: Store,
) -> (archive::Pieces, archive::Verdict) {
    archive::stream(move |out| {
        for (at, content) in mounts.iter().flat_map(|(_, places)| places) {
            let spot = Spot { at: inside(at), owner, times: Times::Kept };
            let mut open = WithoutEnd::before(out);
            archive::pack(&store.plan, *content, &store.contents, &spot, &mut open, &|_| {})?;
        }
        for (at, _) in &mounts {
            out.write_all(&directory(inside(at), owner)?).map_err(archive::Error::Write)?;
        }
        Ok(())
    })
}

/// The entry of a directory, without the end of a tar.
fn directory(at: &str, owner: Owner) -> Result<Vec<u8>, archive::Error> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(READY);
    header.set_uid(owner.uid.into());
    header.set_gid(owner.gid.into());
    header.set_mtime(0);
    header.set_size(0);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, at, std::io::empty()).map_err(archive::Error::Write)?;
    let mut entry = builder.into_inner().map_err(archive::Error::Write)?;
    entry.truncate(entry.len() - END);
    Ok(entry)
}
