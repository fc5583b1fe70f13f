//! What a test works on: a builder image of a lab, an engine for one build, and a look from outside at what the daemon holds of it.

use std::{collections::BTreeSet, path::Path, sync::Mutex};

use cap_std::{ambient_authority, fs::Dir};
use serde_json::{Value, json};
use sti_core::{
    BuildId, Event, ImageFacts, ImageId, Plan, Progress, Pull, Reference, Tree, Variable,
    plan::{APP, Product},
    progress::Silent,
};
use sti_docker::{DockerEngine, Endpoint, Settings};
use sti_engine::{Contents, Engine, Error, Execution, Outcome};
use sti_policy::{ApprovedPlan, Named, Origin, PluginIdentity, Policy};
use sti_tests::{Builder, Lab, needs_engine};
use tokio::runtime::Runtime;

use super::plans::product_of;

/// Runs a test on a builder image of this user, and holds that nothing but its product is left.
pub(crate) fn check(user: &str, test: impl AsyncFnOnce(&Bench)) {
    needs_engine!();
    let lab = Lab::new();
    Runtime::new().unwrap().block_on(async {
        let bench = Bench::open(lab, user).await;
        test(&bench).await;
        bench.engine.clean_up().await.unwrap();
        bench.assert_nothing_left();
    });
}

/// What a test works on.
pub(crate) struct Bench {
    pub(crate) engine: DockerEngine,
    pub(crate) builder: ImageFacts,
    pub(crate) told: Told,
    lab: Lab,
}

impl Bench {
    async fn open(lab: Lab, user: &str) -> Self {
        let reference = Reference::parse(&lab.builder(described(user))).unwrap();
        let engine = connect(&lab, None).await;
        let builder = engine.inspect(&reference, Pull::Never, &Silent).await.unwrap().unwrap();
        Self { engine, builder, told: Told::default(), lab }
    }

    /// Another build on the same daemon.
    pub(crate) async fn another_engine(&self) -> DockerEngine {
        connect(&self.lab, None).await
    }

    /// Another build that shares what is remembered of images.
    pub(crate) async fn engine_with_memory(&self) -> DockerEngine {
        connect(&self.lab, Some(opened(&self.lab.root().join("home")))).await
    }

    /// An image that is not the builder's.
    pub(crate) async fn other_image(&self) -> ImageFacts {
        let reference = Reference::parse(&self.lab.builder(described("0"))).unwrap();
        self.engine.inspect(&reference, Pull::Never, &Silent).await.unwrap().unwrap()
    }

    /// A source of these files; a path that ends in `/` is an empty directory.
    pub(crate) fn source(&self, files: &[(&str, &str)]) -> Tree {
        let path = self.lab.source(files);
        Tree::directory(opened(path.as_ref()), path.as_ref()).unwrap()
    }

    /// The name of the product.
    pub(crate) fn tag(&self) -> Reference {
        Reference::parse(&self.lab.tag("app")).unwrap()
    }

    /// Carries out a plan on the builder image.
    pub(crate) async fn execute(&self, plan: Plan, source: Option<Tree>) -> Result<Outcome, Error> {
        self.execute_with(&self.engine, plan, source).await
    }

    /// The same with another engine.
    pub(crate) async fn execute_with(&self, engine: &DockerEngine, plan: Plan, source: Option<Tree>) -> Result<Outcome, Error> {
        let approved = self.approve(plan);
        let contents = Contents { source, ..Contents::default() };
        engine.execute(Execution { plan: &approved, contents: &contents, keep_failed: false, progress: &self.told }).await
    }

    /// What policy says to a plan on the builder image.
    fn approve(&self, mut plan: Plan) -> ApprovedPlan {
        let step = product_of(&mut plan);
        plan.products.push(Product { name: APP.to_owned(), tag: self.tag(), step });
        let plugin = PluginIdentity { name: "test".to_owned(), digest: "sha256:0".to_owned(), origin: Origin::Shipped };
        let environment = vec![Variable::new("GIVEN", "yes")];
        let named = Named { environment, ..Named::images(vec![self.builder.reference.clone()], self.tag()) };
        Policy::none().approve(plan, &plugin, &named).unwrap_or_else(|denial| panic!("{denial}"))
    }

    /// Whether the daemon holds an image.
    pub(crate) fn holds(&self, id: &ImageId) -> bool {
        self.lab.engine().find(&format!("/images/{id}/json")).unwrap().is_some()
    }

    /// The images that say that this build made them, those without a name included.
    pub(crate) fn image_ids(&self) -> BTreeSet<String> {
        let mark = format!("sti.build={}", self.engine.build());
        let daemon = self.lab.engine();
        let found = daemon.get("/images/json?all=1").unwrap();
        let ids = found.as_array().into_iter().flatten().filter_map(|image| image["Id"].as_str());
        // Another test's image may be on its way out.
        let inspected = |id: &str| daemon.find(&format!("/images/{id}/json")).ok().flatten();
        ids.filter(|id| inspected(id).is_some_and(|image| bears(&image, &mark))).map(str::to_owned).collect()
    }

    /// A container on an image, with a name that the daemon chooses: as its builder leaves one that is killed.
    pub(crate) fn leave_container_on(&self, image: &str) -> String {
        let request = json!({ "Image": image, "Cmd": ["/usr/bin/fixture"], "Labels": { "sti.test": self.lab.label() } });
        self.lab.engine().create_container(&request).unwrap()
    }

    /// Removes a container.
    pub(crate) fn remove_container(&self, id: &str) {
        self.lab.engine().remove_container(id).unwrap();
    }

    /// Whether the daemon holds a container.
    pub(crate) fn holds_container(&self, id: &str) -> bool {
        self.lab.engine().find(&format!("/containers/{id}/json")).unwrap().is_some()
    }

    fn assert_nothing_left(&self) {
        let build = self.engine.build().to_string();
        let containers = self.lab.engine().get("/containers/json?all=1").unwrap();
        let named = |container: &&Value| container["Names"].to_string().contains(&build);
        assert_eq!(containers.as_array().into_iter().flatten().filter(named).collect::<Vec<_>>(), [&Value::Null; 0]);
        let volumes = self.lab.engine().get("/volumes").unwrap();
        let labelled = |volume: &&Value| volume["Labels"]["sti.build"] == build;
        assert_eq!(volumes["Volumes"].as_array().into_iter().flatten().filter(labelled).collect::<Vec<_>>(), [&Value::Null; 0]);
        self.lab.assert_nothing_left();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A product that is assembled from nothing has not the label by which the lab finds the others; that there is none is fine.
        let removed = self.lab.engine().remove_image(&self.lab.tag("app"));
        assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
    }
}

/// Keeps what commands printed.
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

/// An image with a directory for everybody, two accounts, and things that look like programs. The accounts are written by hand because
/// user and group bear different names.
fn described(user: &str) -> Builder {
    let image = Builder::new()
        .file("/etc/passwd", 0o644, "root:x:0:0::/root:/none\nbuilder:x:431:433::/home/builder:/none\n")
        .file("/etc/group", 0o644, "root:x:0:\nstaff:x:50:\n")
        .file("/etc/odd", 0o755, "no program at all\n")
        .link("/usr/bin/linked", "fixture")
        .directory("/srv", 0o755)
        .directory("/srv/out", 0o777)
        .config("ENTRYPOINT [\"/usr/bin/fixture\"]")
        .config("ENV PATH=/usr/bin");
    if user.is_empty() { image } else { image.config(&format!("USER {user}")) }
}

async fn connect(lab: &Lab, memory: Option<Dir>) -> DockerEngine {
    let endpoint = Endpoint::parse(lab.engine().url()).unwrap();
    let (build, owner) = (BuildId::draw(), "test".to_owned());
    DockerEngine::connect(Settings { endpoint, tls: None, build, owner, memory, requests_told: None }).await.unwrap()
}

fn opened(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn bears(image: &Value, mark: &str) -> bool {
    let command = image["Config"]["Cmd"].as_array();
    image["Comment"] == mark || command.is_some_and(|words| words.iter().any(|word| word == mark))
}
