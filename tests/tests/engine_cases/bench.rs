//! A bench over a lab: builder images made of the fixture, names that die with the lab, engines that can be asked about afterwards.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use cap_std::{ambient_authority, fs::Dir};
use sti_core::{BuildId, ImageFacts, Pull, Reference, progress::Silent};
use sti_docker::{DockerEngine, Endpoint, Settings};
use sti_engine::{
    Engine,
    cases::{Bench, INSTRUCTIONS, Limit, User},
};
use sti_tests::{Builder, Lab};
use tokio::{runtime::Handle, task::block_in_place};

/// A bench over a lab.
pub(crate) struct LabBench {
    lab: Lab,
    builders: Mutex<BTreeMap<User, String>>,
    engines: Mutex<Vec<Arc<dyn Engine>>>,
    limits: &'static [Limit],
}

impl LabBench {
    /// Lays a bench on a lab whose engine has these limits.
    pub(crate) fn new(lab: Lab, limits: &'static [Limit]) -> Self {
        Self { lab, builders: Mutex::default(), engines: Mutex::default(), limits }
    }

    /// Removes what looking at products made, and fails unless then nothing of any build is left.
    pub(crate) async fn close(self) {
        let engines = std::mem::take(&mut *self.engines.lock().unwrap());
        for engine in &engines {
            engine.clean_up().await.unwrap();
        }
        let stranger = self.engine();
        let leftovers = stranger.leftovers().await.unwrap();
        let is_ours = |build: &BuildId| engines.iter().any(|engine| engine.build() == build);
        let left: Vec<_> = leftovers.into_iter().filter(|left| is_ours(&left.build)).collect();
        assert!(left.is_empty(), "left behind: {left:#?}");
        block_in_place(|| self.remove_names());
        block_in_place(|| self.lab.assert_nothing_left());
    }

    /// Images of the lab that bear no name.
    pub(crate) fn unnamed_images(&self) -> Vec<String> {
        let left = block_in_place(|| self.lab.leftovers()).unwrap();
        left.into_iter().filter(|thing| thing.starts_with("image ")).collect()
    }

    /// Not every product inherits the lab's label: one that is assembled from nothing is known by its name.
    fn remove_names(&self) {
        let prefix = self.lab.tag("");
        let prefix = prefix.trim_end_matches(":1");
        let images = self.lab.engine().get("/images/json").unwrap();
        for tag in images.as_array().into_iter().flatten().filter_map(|image| image["RepoTags"].as_array()).flatten() {
            let tag = tag.as_str().unwrap_or_default();
            if tag.contains(prefix) {
                self.lab.engine().remove_image(tag).unwrap();
            }
        }
    }

    async fn connect(&self) -> DockerEngine {
        let endpoint = Endpoint::parse(self.lab.engine().url()).unwrap();
        let (build, owner) = (BuildId::draw(), "engine-cases".to_owned());
        DockerEngine::connect(Settings { endpoint, tls: None, build, owner, memory: None, requests_told: None }).await.unwrap()
    }

    fn builder_name(&self, user: User) -> String {
        let mut builders = self.builders.lock().unwrap();
        builders.entry(user).or_insert_with(|| self.lab.builder(described(user))).clone()
    }
}

fn described(user: User) -> Builder {
    let named = Builder::new().account("app", 1001, 1002);
    let owned = if user == User::Root { named } else { named.user(user.written()) };
    INSTRUCTIONS.iter().fold(owned, |builder, instruction| builder.config(instruction))
}

#[async_trait]
impl Bench for LabBench {
    fn engine(&self) -> Arc<dyn Engine> {
        let engine: Arc<dyn Engine> = Arc::new(block_in_place(|| Handle::current().block_on(self.connect())));
        self.engines.lock().unwrap().push(Arc::clone(&engine));
        engine
    }

    async fn builder(&self, user: User) -> ImageFacts {
        let name = block_in_place(|| self.builder_name(user));
        let reference = Reference::parse(&name).unwrap();
        self.connect().await.inspect(&reference, Pull::Never, &Silent).await.unwrap().unwrap()
    }

    fn tag(&self, case: &str) -> Reference {
        Reference::parse(&self.lab.tag(&format!("case-{case}"))).unwrap()
    }

    fn is_limited(&self, limit: Limit) -> bool {
        self.limits.contains(&limit)
    }

    fn directory(&self) -> Dir {
        let path: PathBuf = self.lab.root().join(BuildId::draw().as_str());
        fs::create_dir(&path).unwrap();
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    }
}
