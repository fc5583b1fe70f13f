//! What a case stands on: a plan that grows, an engine that carries it out, and questions about what came of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use sti_core::{
    BuildId, Event, ImageFacts, Plan, Progress, Pull, Reference, Secret, Tree,
    plan::{
        APP, Action, Author, Base, Content, ContentId, ImageChanges, Network, Place, Placement, PlanFile, Product, Run, Step,
        StepId,
    },
    progress::{Level, Silent},
};
use sti_policy::{Named, Origin, PluginIdentity, Policy};

use super::{Bench, Failure, User};
use crate::{Contents, Engine, Error, Execution, Outcome};

const AUTHOR: &str = "cases";
const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

pub(super) struct Stage<'a> {
    pub(super) bench: &'a dyn Bench,
    pub(super) engine: Arc<dyn Engine>,
    /// The image that steps start from unless they say otherwise.
    pub(super) builder: ImageFacts,
    pub(super) tag: Reference,
    pub(super) plan: Plan,
    pub(super) source: Option<Tree>,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) told: Told,
    images: Vec<Reference>,
}

/// What was told.
#[derive(Default)]
pub(super) struct Told(Mutex<Vec<Event>>);

impl Told {
    /// The lines that commands printed.
    pub(super) fn lines(&self) -> Vec<String> {
        self.texts(|event| match event {
            Event::Output { line, .. } => Some(line),
            _ => None,
        })
    }

    /// The lines that images printed.
    pub(super) fn lines_of_images(&self) -> Vec<String> {
        self.texts(|event| match event {
            Event::RunOutput { line, .. } => Some(line),
            _ => None,
        })
    }

    /// What the engine warned of.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.texts(|event| match event {
            Event::Message { level: Level::Warning, text, .. } => Some(text),
            _ => None,
        })
    }

    fn texts(&self, of: impl Fn(Event) -> Option<String>) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().filter_map(of).collect()
    }
}

impl Progress for Told {
    fn tell(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl<'a> Stage<'a> {
    pub(super) async fn new(bench: &'a dyn Bench, case: &str, user: User) -> Self {
        let builder = bench.builder(user).await;
        Self {
            bench,
            engine: bench.engine(),
            images: vec![builder.reference.clone()],
            builder,
            tag: bench.tag(case),
            plan: empty_plan(),
            source: None,
            secrets: BTreeMap::new(),
            told: Told::default(),
        }
    }

    /// A further build, with an engine of its own and the same name for what comes out.
    pub(super) fn again(&mut self) {
        self.engine = self.bench.engine();
        self.plan = empty_plan();
    }

    /// The same under another name, so that what the build before made keeps its own and can be started from.
    pub(super) fn again_as(&mut self, case: &str) {
        self.again();
        self.images.push(std::mem::replace(&mut self.tag, self.bench.tag(case)));
    }

    /// A second image to start from.
    pub(super) async fn image(&mut self, user: User) -> Base {
        let image = self.bench.builder(user).await;
        self.images.push(image.reference.clone());
        base(&image)
    }

    pub(super) fn base(&self) -> Base {
        base(&self.builder)
    }

    pub(super) fn content(&mut self, content: Content) -> ContentId {
        self.plan.contents.push(content);
        ContentId(number(self.plan.contents.len() - 1))
    }

    pub(super) fn files(&mut self, files: &[(&str, &str)]) -> ContentId {
        let file =
            |(path, text): &(&str, &str)| PlanFile { path: (*path).to_owned(), mode: 0o644, bytes: text.as_bytes().to_vec() };
        self.content(Content::Files { files: files.iter().map(file).collect() })
    }

    pub(super) fn capture(&mut self, step: StepId, path: &str) -> ContentId {
        self.content(Content::Capture { step, path: path.to_owned() })
    }

    pub(super) fn step(&mut self, base: Base, action: Action) -> StepId {
        let title = format!("step {}", self.plan.steps.len() + 1);
        self.plan.steps.push(Step { title, base, action });
        StepId(number(self.plan.steps.len() - 1))
    }

    /// A step on the builder image that commits nothing.
    pub(super) fn run(&mut self, words: &str, places: Vec<Place>) -> StepId {
        let base = self.base();
        self.step(base, Action::Run(Run { commit: None, ..run(words, places) }))
    }

    /// A step on the builder image whose filesystem becomes an image.
    pub(super) fn commit(&mut self, words: &str, places: Vec<Place>) -> StepId {
        let base = self.base();
        self.step(base, Action::Run(run(words, places)))
    }

    /// Carries the plan out with a step's image as its product.
    pub(super) async fn execute(&mut self, app: StepId) -> Result<Outcome, Failure> {
        self.try_execute(app).await?.map_err(Failure::new)
    }

    /// The same, for cases that expect it to fail.
    pub(super) async fn try_execute(&mut self, app: StepId) -> Result<Result<Outcome, Error>, Failure> {
        self.plan.products.push(Product { name: APP.to_owned(), tag: self.tag.clone(), step: app });
        let identity = PluginIdentity { name: AUTHOR.to_owned(), digest: DIGEST.to_owned(), origin: Origin::Shipped };
        let named = Named {
            network: Network::Outgoing,
            secrets: self.secrets.keys().cloned().collect(),
            ..Named::images(self.images.clone(), self.tag.clone())
        };
        let approved = Policy::none().approve(self.plan.clone(), &identity, &named).map_err(Failure::new)?;
        let contents = Contents { source: self.source.clone(), secrets: self.secrets.clone() };
        let execution = Execution { plan: &approved, contents: &contents, keep_failed: false, progress: &self.told };
        Ok(self.engine.execute(execution).await)
    }

    /// Carries the plan out, gives the product its name, and looks at it under that name.
    pub(super) async fn product(&mut self, app: StepId) -> Result<ImageFacts, Failure> {
        let outcome = self.execute(app).await?;
        let image = outcome.images.get(&app).ok_or_else(|| Failure::new("the step has no image"))?;
        self.engine.tag(image, &self.tag).await.map_err(Failure::new)?;
        self.engine.clean_up().await.map_err(Failure::new)?;
        let facts = self.find(&self.tag).await?.ok_or_else(|| Failure::new("the product is not there"))?;
        same("the image behind the tag", &facts.id, image)?;
        Ok(facts)
    }

    pub(super) async fn find(&self, tag: &Reference) -> Result<Option<ImageFacts>, Failure> {
        self.engine.inspect(tag, Pull::Never, &Silent).await.map_err(Failure::new)
    }

    pub(super) async fn text(&self, image: &ImageFacts, path: &str) -> Result<String, Failure> {
        let bytes = self.engine.read(image, path, 1 << 20).await.map_err(Failure::new)?;
        let bytes = bytes.ok_or_else(|| Failure::new(format!("there is no `{path}`")))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) async fn holds(&self, image: &ImageFacts, path: &str, expected: &str) -> Result<(), Failure> {
        same(path, &self.text(image, path).await?.as_str(), &expected)
    }

    pub(super) async fn lacks(&self, image: &ImageFacts, path: &str) -> Result<(), Failure> {
        let facts = self.engine.look_at(image, &[path.to_owned()]).await.map_err(Failure::new)?;
        same(path, &facts, &Vec::new())
    }

    /// How many things a build has left, as another build sees it.
    pub(super) async fn left_by(&self, build: &BuildId) -> Result<u64, Failure> {
        let leftovers = self.bench.engine().leftovers().await.map_err(Failure::new)?;
        Ok(leftovers.iter().find(|leftover| leftover.build == *build).map_or(0, |leftover| leftover.things))
    }
}

/// The fixture with these words, and its filesystem as an image.
pub(super) fn run(words: &str, places: Vec<Place>) -> Run {
    Run { places, commit: Some(ImageChanges::default()), ..Run::new(command(words), Network::Outgoing) }
}

pub(super) fn command(words: &str) -> Vec<String> {
    std::iter::once("/usr/bin/fixture").chain(words.split_whitespace()).map(str::to_owned).collect()
}

pub(super) fn mounted(content: ContentId, at: &str) -> Place {
    Place { content, at: at.to_owned(), placement: Placement::Mounted }
}

pub(super) fn copied(content: ContentId, at: &str) -> Place {
    Place { content, at: at.to_owned(), placement: Placement::Copied }
}

/// Holds what was seen against what was expected.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Result<(), Failure> {
    if seen == expected { Ok(()) } else { Err(Failure::new(format!("{what}: expected {expected:?}, and it is {seen:?}"))) }
}

pub(super) fn holds_true(what: &str, is_so: bool) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(Failure::new(format!("{what}: it is not so"))) }
}

pub(super) fn base(image: &ImageFacts) -> Base {
    Base::Image { reference: image.reference.clone(), id: image.id.clone(), user: image.user.clone() }
}

fn empty_plan() -> Plan {
    Plan::empty(Author { plugin: AUTHOR.to_owned(), digest: DIGEST.to_owned() })
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a case has a handful of steps")
}
