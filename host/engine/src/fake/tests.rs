//! The engine in memory passes the cases that every engine must pass, and keeps what only it can show.

use std::sync::Arc;

use async_trait::async_trait;
use cap_std::{ambient_authority, fs::Dir};
use sti_core::{
    BuildId, ImageFacts, Plan, Pull, Reference,
    plan::{APP, Action, Author, Base, ImageChanges, Network, Product, Run, Step, StepId},
    progress::Silent,
};
use sti_policy::{Named, Origin, PluginIdentity, Policy};
use tempfile::TempDir;

use super::{Container, FakeEngine, FakeImage};
use crate::{
    Contents, Engine, Error, Execution, Outcome,
    cases::{Bench, CASES, Failure, User},
};

struct Memory {
    engine: FakeEngine,
    temporary: TempDir,
}

impl Memory {
    fn new() -> Self {
        let engine = User::ALL.into_iter().fold(FakeEngine::new(), |engine, user| {
            let mut image = FakeImage::fixture(user.written());
            image.environment.push(("STAYS".to_owned(), "yes".to_owned()));
            image.labels.push(("stays".to_owned(), "yes".to_owned()));
            image.exposed_ports.push("8080/tcp".to_owned());
            image.working_directory = "/app".to_owned();
            image.command = ["/usr/bin/fixture", "print", "original"].map(str::to_owned).to_vec();
            engine.with_image(&builder_name(user), image)
        });
        Self { engine, temporary: TempDir::new().unwrap() }
    }
}

fn builder_name(user: User) -> Reference {
    Reference::parse(&format!("builder:{}", format!("{user:?}").to_lowercase())).unwrap()
}

#[async_trait]
impl Bench for Memory {
    fn engine(&self) -> Arc<dyn Engine> {
        Arc::new(self.engine.for_build(BuildId::draw()))
    }

    async fn builder(&self, user: User) -> ImageFacts {
        self.engine.inspect(&builder_name(user), Pull::Never, &Silent).await.unwrap().unwrap()
    }

    fn tag(&self, case: &str) -> Reference {
        Reference::parse(&format!("cases/{case}:1")).unwrap()
    }

    fn directory(&self) -> Dir {
        let top = Dir::open_ambient_dir(self.temporary.path(), ambient_authority()).unwrap();
        let name = BuildId::draw();
        top.create_dir(name.as_str()).unwrap();
        top.open_dir(name.as_str()).unwrap()
    }
}

#[tokio::test]
async fn does_what_every_engine_must_do() {
    let bench = Memory::new();
    let mut failed: Vec<(&str, Failure)> = Vec::new();
    for case in CASES {
        if let Err(failure) = (case.run)(&bench).await {
            failed.push((case.name, failure));
        }
    }
    assert!(CASES.len() > 30 && failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn pulls_as_it_is_told() {
    let name = Reference::parse("registry.example.com/a:1").unwrap();
    let engine = FakeEngine::new().with_registry_image(&name, FakeImage::fixture("5"));
    assert_eq!(engine.inspect(&name, Pull::Never, &Silent).await.unwrap(), None);
    let pulled = engine.inspect(&name, Pull::Missing, &Silent).await.unwrap().unwrap();
    let engine = engine.with_registry_image(&name, FakeImage::fixture("6"));
    assert_eq!(engine.inspect(&name, Pull::Missing, &Silent).await.unwrap().unwrap().id, pulled.id);
    assert_eq!(engine.inspect(&name, Pull::Always, &Silent).await.unwrap().unwrap().user, "6");
    assert_eq!(engine.requests(), 4);
}

/// Runs one program without network in an engine, and keeps its container if it fails.
async fn run_probe(engine: &FakeEngine, image: &Reference) -> Result<Outcome, Error> {
    let facts = engine.inspect(image, Pull::Never, &Silent).await.unwrap().unwrap();
    let digest = "sha256:0".to_owned();
    let mut plan = Plan::empty(Author { plugin: "test".to_owned(), digest: digest.clone() });
    let run = Run { commit: Some(ImageChanges::default()), ..Run::new(vec!["/usr/bin/probe".to_owned()], Network::None) };
    let base = Base::Image { reference: image.clone(), id: facts.id, user: facts.user };
    plan.steps.push(Step { title: "probe".to_owned(), base, action: Action::Run(run) });
    let tag = Reference::parse("probe:1").unwrap();
    plan.products.push(Product { name: APP.to_owned(), tag: tag.clone(), step: StepId(0) });
    let identity = PluginIdentity { name: "test".to_owned(), digest, origin: Origin::Shipped };
    let named = Named::images(vec![image.clone()], tag);
    let approved = Policy::none().approve(plan, &identity, &named).unwrap();
    let contents = Contents::default();
    engine.execute(Execution { plan: &approved, contents: &contents, keep_failed: true, progress: &Silent }).await
}

fn with_probe(mode: u32, probe: impl Fn(&mut Container) -> i32 + Send + Sync + 'static) -> (FakeEngine, Reference) {
    let name = Reference::parse("builder:1").unwrap();
    let image = FakeImage::empty().with_file("/usr/bin/probe", "", mode);
    (FakeEngine::new().with_image(&name, image).with_program("/usr/bin/probe", probe), name)
}

#[tokio::test]
async fn shows_programs_what_network_they_have() {
    let (engine, name) = with_probe(0o755, |container| i32::from(container.network != Network::None));
    let outcome = run_probe(&engine, &name).await.unwrap();
    assert_eq!((outcome.images.len(), engine.image_count()), (1, 2));
}

#[tokio::test]
async fn keeps_the_container_of_a_failed_step_where_asked_until_it_is_swept() {
    let (engine, name) = with_probe(0o755, |_| 3);
    let Err(Error::StepFailed(failure)) = run_probe(&engine, &name).await else { panic!("it exits with 3") };
    assert!(failure.kept.is_some());
    engine.clean_up().await.unwrap();
    assert_eq!(engine.for_build(BuildId::draw()).sweep(engine.build()).await.unwrap(), 1);
}

#[tokio::test]
async fn runs_only_what_is_executable() {
    let (engine, name) = with_probe(0o644, |_| 0);
    assert!(matches!(run_probe(&engine, &name).await, Err(Error::NotRunnable { .. })));
}
