//! An engine, an image made without pulling anything, and a look at what is left in the daemon.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use bollard::{
    Docker,
    models::ImageInspect,
    query_parameters::{
        BuildImageOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder,
        RemoveImageOptionsBuilder,
    },
};
use futures_util::TryStreamExt;
use sti_core::{
    BuildId, Event, ImageFacts, ImageId, Progress, Pull, Reference, Tree,
    plan::{APP, Action, Author, Base, ImageChanges, Network, Plan, Product, Run, Step, StepId},
    progress::Silent,
};
use sti_docker::{DockerEngine, Endpoint, Settings};
use sti_engine::Engine;
use sti_policy::{ApprovedPlan, Named, Origin, PluginIdentity, Policy};

const SOCKET: &str = "unix:///var/run/docker.sock";
const BUSYBOX: &str = "/bin/busybox";

/// Keeps what a script printed.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Told {
    /// All lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Progress for Told {
    fn tell(&self, event: Event) {
        if let Event::Output { line, .. } = event {
            self.0.lock().unwrap().push(line);
        }
    }
}

/// What a test works on.
pub(crate) struct Bench {
    pub(crate) engine: DockerEngine,
    pub(crate) docker: Docker,
    pub(crate) builder: ImageFacts,
    pub(crate) told: Told,
    name: String,
}

impl Bench {
    /// Makes the image `sti-test-docker-NAME`; `None` where no daemon answers.
    pub(crate) async fn open(name: &str, user: &str) -> Option<Self> {
        let engine = engine().await;
        let engine = match engine {
            Ok(engine) => engine,
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "no daemon: {error}");
                println!("skipped `{name}`: {error}");
                return None;
            }
        };
        let endpoint = Endpoint::parse(&socket()).unwrap();
        let docker = Docker::connect_with_unix(endpoint.address(), 120, bollard::API_DEFAULT_VERSION).unwrap();
        let reference = Reference::parse(&format!("sti-test-docker-{name}:1")).unwrap();
        import(&docker, &reference, user).await;
        let builder = engine.inspect(&reference, Pull::Never, &Silent).await.unwrap().unwrap();
        Some(Self { engine, docker, builder, told: Told::default(), name: name.to_owned() })
    }

    /// Another build on the same daemon.
    pub(crate) async fn another_engine(&self) -> DockerEngine {
        engine().await.unwrap()
    }

    /// Another build that shares what is remembered of images.
    pub(crate) async fn engine_with_memory(&self, path: &Path) -> DockerEngine {
        let memory = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
        DockerEngine::connect(Settings { memory: Some(memory), ..settings() }).await.unwrap()
    }

    /// An image that is not the builder's.
    pub(crate) async fn other_image(&self) -> ImageFacts {
        let reference = Reference::parse(&format!("sti-test-docker-{}-other:1", self.name)).unwrap();
        import(&self.docker, &reference, "0").await;
        self.engine.inspect(&reference, Pull::Never, &Silent).await.unwrap().unwrap()
    }

    /// All images of the daemon that no other test of this file makes, those without a name included.
    pub(crate) async fn image_ids(&self) -> std::collections::BTreeSet<String> {
        let all = ListImagesOptionsBuilder::new().all(true).build();
        let found = self.docker.list_images(Some(all)).await.unwrap();
        let mark = format!("sti.build={}", self.engine.build());
        let mut ids = std::collections::BTreeSet::new();
        for image in found {
            let Some(image) = self.inspect_id(&ImageId(image.id)).await else { continue };
            let command = image.config.and_then(|config| config.cmd).unwrap_or_default();
            if image.comment.as_deref() == Some(&mark) || command.contains(&mark) {
                ids.extend(image.id);
            }
        }
        ids
    }

    /// The name of the product.
    pub(crate) fn tag(&self) -> Reference {
        Reference::parse(&format!("sti-test-docker-{}-app:1", self.name)).unwrap()
    }

    /// What policy says to a plan on this builder image.
    pub(crate) fn approve(&self, mut plan: Plan) -> ApprovedPlan {
        let step = product_of(&mut plan);
        plan.products.push(Product { name: APP.to_owned(), tag: self.tag(), step });
        let plugin = PluginIdentity { name: "test".to_owned(), digest: "sha256:0".to_owned(), origin: Origin::Shipped };
        let named = Named {
            images: vec![self.builder.reference.clone()],
            tag: self.tag(),
            environment: vec![sti_core::Variable::new("GIVEN", "yes")],
            network: Network::None,
            caches: Vec::new(),
            secrets: Vec::new(),
        };
        Policy::none().approve(plan, &plugin, &named).unwrap_or_else(|denial| panic!("{denial}"))
    }

    /// An image by its id.
    pub(crate) async fn inspect_id(&self, id: &ImageId) -> Option<ImageInspect> {
        self.docker.inspect_image(id.as_str()).await.ok()
    }

    /// Nothing of this build is in the daemon.
    pub(crate) async fn assert_nothing_left(&self) {
        let mark = self.engine.build().to_string();
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let containers = self.docker.list_containers(Some(all)).await.unwrap();
        let names: Vec<String> = containers.into_iter().flat_map(|container| container.names.unwrap_or_default()).collect();
        assert!(!names.iter().any(|name| name.contains(&mark)), "{names:?}");
        let filters = std::collections::HashMap::from([("label", vec![format!("sti.build={mark}")])]);
        let volumes = self.docker.list_volumes(Some(ListVolumesOptionsBuilder::new().filters(&filters).build())).await.unwrap();
        assert_eq!(volumes.volumes.unwrap_or_default(), []);
    }

    /// Removes a product.
    pub(crate) async fn remove_image_of(&self, reference: &Reference) {
        remove(&self.docker, reference).await;
    }

    /// Removes the builder image.
    pub(crate) async fn close(self) {
        remove(&self.docker, &self.builder.reference).await;
    }
}

async fn remove(docker: &Docker, reference: &Reference) {
    let options = RemoveImageOptionsBuilder::new().force(true).build();
    docker.remove_image(&reference.canonical(), Some(options), None).await.unwrap();
}

fn socket() -> String {
    std::env::var("STI_TEST_ENGINE").unwrap_or_else(|_| SOCKET.to_owned())
}

async fn engine() -> Result<DockerEngine, sti_engine::Error> {
    DockerEngine::connect(settings()).await
}

fn settings() -> Settings {
    let told: Option<Arc<dyn Progress>> = None;
    Settings {
        endpoint: Endpoint::parse(&socket()).unwrap(),
        tls: None,
        build: BuildId::draw(),
        owner: "test".to_owned(),
        memory: None,
        requests_told: told,
    }
}

/// A source tree.
pub(crate) fn tree(path: &Path) -> Tree {
    let dir = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
    Tree::directory(dir, path).unwrap()
}

/// A plan of one run step.
pub(crate) fn plan_of(bench: &Bench, run: Run) -> Plan {
    let mut plan = Plan::empty(Author { plugin: "test".to_owned(), digest: "sha256:0".to_owned() });
    let builder = &bench.builder;
    let base = Base::Image { reference: builder.reference.clone(), id: builder.id.clone(), user: builder.user.clone() };
    plan.steps.push(Step { title: "prepare".to_owned(), base, action: Action::Run(run) });
    plan
}

/// The step whose image is the product; where none makes one, the last is told to.
fn product_of(plan: &mut Plan) -> StepId {
    let made = plan.numbered().filter(|(_, step)| step.changes().is_some()).last().map(|(id, _)| id);
    made.unwrap_or_else(|| {
        let last = plan.steps.len() - 1;
        if let Action::Run(run) = &mut plan.steps[last].action {
            run.commit = Some(ImageChanges::default());
        }
        StepId(u32::try_from(last).unwrap())
    })
}

/// A run that is given nothing.
pub(crate) fn run_of(command: &[&str]) -> Run {
    Run {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        environment: Vec::new(),
        user: None,
        working_directory: None,
        network: Network::None,
        places: Vec::new(),
        commit: None,
    }
}

/// Builds the image: an import would be shorter, but Podman's takes neither tags nor changes.
async fn import(docker: &Docker, reference: &Reference, user: &str) {
    let user = if user.is_empty() { String::new() } else { format!("USER {user}\n") };
    let text = format!("FROM scratch\nCOPY root /\nENTRYPOINT [\"/bin/busybox\"]\nENV PATH=/bin\nLABEL sti.test=docker\n{user}");
    let options =
        BuildImageOptionsBuilder::new().dockerfile("Dockerfile").t(&reference.canonical()).nocache(true).rm(true).build();
    let built = docker.build_image(options, None, Some(bollard::body_full(image_tar(&text).into())));
    built.try_collect::<Vec<_>>().await.unwrap();
}

fn image_tar(dockerfile: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |path: &str, mode: u32, owner: u64, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_size(bytes.len() as u64);
        header.set_entry_type(if path.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular });
        tar.append_data(&mut header, path, bytes).unwrap();
    };
    add("Dockerfile", 0o644, 0, dockerfile.as_bytes());
    add("root/tmp/", 0o1777, 0, b"");
    add("root/srv/", 0o755, 0, b"");
    add("root/srv/out/", 0o777, 0, b"");
    add("root/etc/passwd", 0o644, 0, b"root:x:0:0::/root:/bin/sh\nbuilder:x:431:433::/home/builder:/bin/sh\n");
    add("root/etc/group", 0o644, 0, b"root:x:0:\nstaff:x:50:\n");
    add("root/etc/odd", 0o755, 0, b"no program at all\n");
    add("root/bin/busybox", 0o755, 0, &std::fs::read(BUSYBOX).unwrap());
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    tar.append_link(&mut link, "root/bin/sh", "busybox").unwrap();
    tar.append_link(&mut link, "root/bin/cp", "../bin/busybox").unwrap();
    for name in ["ls", "cat", "touch", "mkdir", "rm", "seq"] {
        tar.append_link(&mut link, format!("root/bin/{name}"), "busybox").unwrap();
    }
    tar.get_mut().flush().unwrap();
    tar.into_inner().unwrap()
}
