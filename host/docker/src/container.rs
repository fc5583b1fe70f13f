//! Makes containers as restrictive as an ordinary one is, and removes them.

use std::collections::HashMap;

use bollard::{
    models::{
        ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, ImageConfig, Mount, MountType, MountVolumeOptions,
        VolumeCreateRequest,
    },
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder},
};
use sti_core::{
    ImageId,
    build_id::LABEL,
    plan::{Network, Run},
};
use sti_engine::{Error, OWNER_LABEL};

use crate::{DockerEngine, failures::Failure};

/// A volume at a path of a container.
pub(crate) struct Mounted {
    /// Where.
    pub(crate) at: String,
    /// The name of the volume; one without is removed together with its container.
    pub(crate) volume: Option<String>,
    /// What is in it at first, where it is new.
    pub(crate) begins: Begins,
}

/// What a new volume holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// Nothing.
    Empty,
    /// What the image has there.
    AsTheImage,
}

impl DockerEngine {
    /// The labels of everything that is no image and is not committed.
    pub(crate) fn labels(&self) -> HashMap<String, String> {
        HashMap::from([(LABEL.to_owned(), self.build.to_string()), (OWNER_LABEL.to_owned(), self.owner.clone())])
    }

    /// Makes a container of an image; its name is in the ledger before the request is sent.
    pub(crate) async fn create(&self, image: &ImageId, body: ContainerCreateBody, title: &str) -> Result<String, Error> {
        let name = self.ledger.container(image.as_str());
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let call = self.requests.quick().create_container(Some(options), body);
        let request = format!("POST /containers/create?name={name}");
        self.ledger.sent();
        let answer = self.requests.send(request, call).await;
        // Nobody comes here where the build is dropped; and after a lost answer the engine may still be at it.
        if !answer.as_ref().is_err_and(Failure::is_connection) {
            self.ledger.answered();
        }
        answer.map_err(|failure| failure.while_creating(title))?;
        Ok(name)
    }

    /// What the container of a run step is made with.
    pub(crate) fn body(
        &self,
        image: &ImageId,
        config: &ImageConfig,
        run: &Run,
        mounts: &[Mounted],
        keeps_log: bool,
    ) -> ContainerCreateBody {
        ContainerCreateBody {
            image: Some(image.as_str().to_owned()),
            // All of the command is the entrypoint and nothing the command: so neither the image's own is called, nor is anything
            // left over that a commit would keep.
            entrypoint: Some(run.command.clone()),
            cmd: Some(Vec::new()),
            env: Some(run.environment.iter().map(sti_core::variable::Variable::to_pair).collect()),
            user: run.user.clone(),
            working_dir: run.working_directory.clone(),
            // A commit keeps the labels of its container, and nothing takes them away again: such a container bears its build
            // in its name only.
            labels: run.commit.is_none().then(|| self.labels()),
            healthcheck: config.healthcheck.as_ref().map(|_| no_healthcheck()),
            open_stdin: Some(false),
            tty: Some(false),
            host_config: Some(HostConfig {
                network_mode: (run.network == Network::None).then(|| "none".to_owned()),
                mounts: Some(mounts.iter().map(|mounted| self.mount(mounted)).collect()),
                log_config: (!keeps_log).then(no_log),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }

    /// What the container of an image is made with that runs as it says itself.
    pub(crate) fn body_as_it_says(&self, image: &ImageId, network: Network) -> ContainerCreateBody {
        ContainerCreateBody {
            image: Some(image.as_str().to_owned()),
            labels: Some(self.labels()),
            open_stdin: Some(false),
            tty: Some(false),
            host_config: Some(HostConfig {
                network_mode: (network == Network::None).then(|| "none".to_owned()),
                log_config: Some(no_log()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }

    /// A volume, as a container is given it.
    pub(crate) fn mount(&self, mounted: &Mounted) -> Mount {
        Mount {
            target: Some(mounted.at.clone()),
            source: mounted.volume.clone(),
            typ: Some(MountType::VOLUME),
            volume_options: Some(MountVolumeOptions {
                no_copy: Some(mounted.begins == Begins::Empty),
                labels: Some(self.labels()),
                ..MountVolumeOptions::default()
            }),
            ..Mount::default()
        }
    }

    /// Removes a container, running or not, with the volumes that have no name.
    pub(crate) async fn remove_container(&self, name: &str) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let call = self.requests.quick().remove_container(name, Some(options));
        let answer = self.requests.send(format!("DELETE /containers/{name}"), call).await;
        gone(answer)
    }

    /// Makes an empty volume that is there as long as this build is: by it, unfinished images are known to be nobody's.
    pub(crate) async fn bear_witness(&self, title: &str) -> Result<(), Error> {
        let make = async || {
            let name = Some(self.ledger.volume());
            let volume = VolumeCreateRequest { name, labels: Some(self.labels()), ..VolumeCreateRequest::default() };
            let call = self.requests.quick().create_volume(volume);
            self.requests.send("POST /volumes/create", call).await.map(drop).map_err(|failure| failure.while_creating(title))
        };
        self.witness.get_or_try_init(make).await.copied()
    }

    /// Removes a named volume.
    pub(crate) async fn remove_volume(&self, name: &str) -> Result<(), Failure> {
        let none = None::<bollard::query_parameters::RemoveVolumeOptions>;
        let call = self.requests.quick().remove_volume(name, none);
        let answer = self.requests.send(format!("DELETE /volumes/{name}"), call).await;
        match answer {
            Err(failure) if failure.is_not_found() => Ok(()),
            answer => answer,
        }
    }
}

/// What is not there, or being removed by somebody else, is gone.
fn gone(answer: Result<(), Failure>) -> Result<(), Failure> {
    match answer {
        Err(failure) if failure.is_not_found() => Ok(()),
        Err(failure) if failure.is_conflict() && failure.message().contains("already in progress") => Ok(()),
        answer => answer,
    }
}

fn no_healthcheck() -> HealthConfig {
    HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }
}

/// The output is read as it comes; the engine need not keep a second copy on its disk.
fn no_log() -> HostConfigLogConfig {
    HostConfigLogConfig { typ: Some("none".to_owned()), config: None }
}
