//! Hand-written components, and what it takes to ask them. No guest needs to be built for these tests.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use cap_std::{ambient_authority, fs::Dir};
use sti_core::{
    Event, Identity, ImageFacts, PathFact, Plan, Problem, Progress, Reference, Tree, Variable, Wishes, plan::Network,
};
use sti_engine::Questions;
use sti_sandbox::{Component, Error, Job, Limits, Plugin, Powers, Sandbox, Settings};

/// The types and imports that every strategy has, and a body for `decide`. `EXTRA` is put among the imports of the core module,
/// `WIRES` into what it is instantiated with.
pub(crate) struct Guest<'a> {
    /// Declarations of the core module.
    pub core: &'a str,
    /// Instructions of `describe`, before the card is dropped.
    pub describe: &'a str,
    /// Instructions of `decide`; 0 as the result means that all is well.
    pub decide: &'a str,
    pub host_version: &'a str,
    pub plugin_version: &'a str,
    /// Component-level declarations before the core modules, such as an import.
    pub imports: &'a str,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self {
            core: "",
            describe: "(call $name (local.get $card) (i32.const 1024) (i32.const 4))",
            decide: "(call $plan-something (local.get $plan)) (i32.const 0)",
            host_version: "0.1.0",
            plugin_version: "0.1.0",
            imports: "",
        }
    }
}

impl Guest<'_> {
    pub(crate) fn wat(&self) -> String {
        include_str!("guest.wat")
            .replace("{core}", self.core)
            .replace("{describe}", self.describe)
            .replace("{decide}", self.decide)
            .replace("{host}", self.host_version)
            .replace("{plugin}", self.plugin_version)
            .replace("{imports}", self.imports)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        wat::parse_str(self.wat()).unwrap_or_else(|error| panic!("{error}\n{}", self.wat()))
    }
}

/// The limits of most tests: patient, because a machine that is busy is no mistake of a plugin.
pub(crate) fn patient() -> Limits {
    Limits { answer: Duration::from_secs(30), introduction: Duration::from_secs(30), ..Limits::default() }
}

/// Limits for what never ends.
pub(crate) fn brief() -> Limits {
    Limits { answer: Duration::from_millis(300), ..patient() }
}

pub(crate) fn sandbox(limits: Limits) -> Sandbox {
    Sandbox::new(Settings { store: None, limits }).expect("a sandbox without a store needs nothing")
}

pub(crate) fn stored(dir: &Path) -> Result<Sandbox, Error> {
    let store = Dir::open_ambient_dir(dir, ambient_authority()).expect("the directory was made for this test");
    Sandbox::new(Settings { store: Some(store), limits: Limits::default() })
}

pub(crate) async fn load(bytes: &[u8]) -> Result<Plugin, Error> {
    sandbox(patient()).load(Component { shown: "guest.wasm", digest: None, bytes }).await
}

pub(crate) async fn decide(guest: &Guest<'_>) -> Result<Plan, Error> {
    load(&guest.bytes()).await?.decide(job(), powers(Arc::new(Heard::default()))).await
}

pub(crate) fn job() -> Job {
    let folder = tempfile::tempdir().expect("there is room for an empty directory");
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).expect("it was made just now");
    let reference = |name| Reference::parse(name).expect("these names are well-formed");
    Job {
        strategy: "test".to_owned(),
        source: Tree::directory(dir, folder.path()).expect("an empty directory is a tree"),
        source_facts: vec![Variable::new("address", ".")],
        builder_image: reference("builder:1"),
        runtime_image: None,
        tag: reference("app:1"),
        clean: false,
        wishes: Wishes::default(),
        allows_triggers: false,
        contract: None,
        environment: Vec::new(),
        build_environment: Vec::new(),
        secrets: Vec::new(),
        injected: Vec::new(),
        settings: Vec::new(),
        platform: "linux/amd64".to_owned(),
        network: Network::Outgoing,
    }
}

pub(crate) fn powers(progress: Arc<Heard>) -> Powers {
    Powers { questions: Arc::new(NoImages), scripts: None, progress }
}

/// Keeps everything that is told.
#[derive(Default)]
pub(crate) struct Heard(pub Mutex<Vec<Event>>);

impl Progress for Heard {
    fn tell(&self, event: Event) {
        self.0.lock().expect("nobody panics while listening").push(event);
    }
}

/// An engine without any image.
pub(crate) struct NoImages;

#[async_trait]
impl Questions for NoImages {
    async fn find(&self, _: &str, _: bool) -> Result<Option<ImageFacts>, Problem> {
        Ok(None)
    }

    async fn look_at(&self, _: &ImageFacts, _: &[String]) -> Result<Vec<PathFact>, Problem> {
        Ok(Vec::new())
    }

    async fn read(&self, _: &ImageFacts, _: &str, _: u64) -> Result<Option<Vec<u8>>, Problem> {
        Ok(None)
    }

    async fn identity(&self, _: &ImageFacts) -> Result<Identity, Problem> {
        Ok(Identity { uid: 0, gid: 0, written: String::new(), home: None })
    }
}
