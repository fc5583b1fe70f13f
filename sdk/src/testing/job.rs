//! A job that a test asks a strategy for, and what the strategy answered.

use std::collections::BTreeMap;

use super::{FakeImage, FakeImages, MemoryTree, RecordedPlan};
use crate::{
    Incremental, Job, Network, Plan, Problem, Setting, Strategy,
    log::Level,
    native::{log, plans, requests},
};

/// A job, as a user would ask for it. Without anything said: an empty source, no images, everything as the flags' defaults.
///
/// ```
/// use sti_plugin::testing::{FakeImage, JobBuilder, MemoryTree};
///
/// let job = JobBuilder::new("builder", "app:1")
///     .source(MemoryTree::new().file("main.py", "print(1)"))
///     .image(FakeImage::new("builder").executable("/usr/bin/prepare"))
///     .environment("PORT", "80");
/// assert_eq!(job.ask(|job| job.previous_image("build")), Some("app:1-build".to_owned()));
/// ```
#[derive(Clone, Debug)]
pub struct JobBuilder {
    pub(crate) strategy: String,
    pub(crate) source: MemoryTree,
    pub(crate) source_facts: BTreeMap<String, String>,
    pub(crate) builder_image: String,
    pub(crate) runtime_image: Option<String>,
    pub(crate) tag: String,
    pub(crate) clean: bool,
    pub(crate) network: Network,
    pub(crate) incremental: Incremental,
    pub(crate) scripts_url: Option<String>,
    pub(crate) scripts: BTreeMap<String, Vec<u8>>,
    pub(crate) destination: Option<String>,
    pub(crate) assemble_user: Option<String>,
    pub(crate) assemble_runtime_user: Option<String>,
    pub(crate) runtime_artifacts: Vec<String>,
    pub(crate) allows_triggers: bool,
    pub(crate) contract: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) build_environment: Vec<(String, String)>,
    pub(crate) secrets: Vec<String>,
    pub(crate) injected: Vec<(String, String)>,
    pub(crate) settings: BTreeMap<String, String>,
    images: Vec<FakeImage>,
}

impl JobBuilder {
    /// Starts with the names of the builder image and of the product.
    pub fn new(builder_image: &str, tag: &str) -> Self {
        Self {
            strategy: String::new(),
            source: MemoryTree::new(),
            source_facts: BTreeMap::new(),
            builder_image: builder_image.to_owned(),
            runtime_image: None,
            tag: tag.to_owned(),
            clean: false,
            network: Network::Outgoing,
            incremental: Incremental::AsUsual,
            scripts_url: None,
            scripts: BTreeMap::new(),
            destination: None,
            assemble_user: None,
            assemble_runtime_user: None,
            runtime_artifacts: Vec::new(),
            allows_triggers: false,
            contract: None,
            environment: Vec::new(),
            build_environment: Vec::new(),
            secrets: Vec::new(),
            injected: Vec::new(),
            settings: BTreeMap::new(),
            images: Vec::new(),
        }
    }

    /// Sets the name under which the strategy is called.
    #[must_use]
    pub fn strategy(self, name: &str) -> Self {
        Self { strategy: name.to_owned(), ..self }
    }

    /// Sets the source.
    #[must_use]
    pub fn source(self, source: MemoryTree) -> Self {
        Self { source, ..self }
    }

    /// Adds something that is known of where the source came from.
    #[must_use]
    pub fn source_fact(mut self, name: &str, value: &str) -> Self {
        self.source_facts.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Asks for an extended build.
    #[must_use]
    pub fn runtime_image(self, name: &str) -> Self {
        Self { runtime_image: Some(name.to_owned()), ..self }
    }

    /// Asks for a clean build.
    #[must_use]
    pub fn clean(self) -> Self {
        Self { clean: true, ..self }
    }

    /// Sets what containers may reach.
    #[must_use]
    pub fn network(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// Says whether artifacts of an earlier product are wanted.
    #[must_use]
    pub fn incremental(self, incremental: Incremental) -> Self {
        Self { incremental, ..self }
    }

    /// Says where scripts are.
    #[must_use]
    pub fn scripts_url(self, url: &str) -> Self {
        Self { scripts_url: Some(url.to_owned()), ..self }
    }

    /// Puts a script at the address that [`JobBuilder::scripts_url`] says.
    #[must_use]
    pub fn script(mut self, name: &str, text: &str) -> Self {
        self.scripts.insert(name.to_owned(), text.as_bytes().to_vec());
        self
    }

    /// Says below which directory everything arrives.
    #[must_use]
    pub fn destination(self, directory: &str) -> Self {
        Self { destination: Some(directory.to_owned()), ..self }
    }

    /// Says who the script runs as that builds.
    #[must_use]
    pub fn assemble_user(self, user: &str) -> Self {
        Self { assemble_user: Some(user.to_owned()), ..self }
    }

    /// Says who the script runs as that puts the product of an extended build together.
    #[must_use]
    pub fn assemble_runtime_user(self, user: &str) -> Self {
        Self { assemble_runtime_user: Some(user.to_owned()), ..self }
    }

    /// Adds what an extended build deploys.
    #[must_use]
    pub fn runtime_artifact(mut self, written: &str) -> Self {
        self.runtime_artifacts.push(written.to_owned());
        self
    }

    /// Allows ONBUILD instructions of images.
    #[must_use]
    pub fn allow_triggers(self) -> Self {
        Self { allows_triggers: true, ..self }
    }

    /// Forces a contract.
    #[must_use]
    pub fn contract(self, name: &str) -> Self {
        Self { contract: Some(name.to_owned()), ..self }
    }

    /// Adds a variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a variable for the scripts only.
    #[must_use]
    pub fn build_environment(mut self, name: &str, value: &str) -> Self {
        self.build_environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        self.secrets.push(name.to_owned());
        self
    }

    /// Adds a secret that is a directory, and where it is to be mounted.
    #[must_use]
    pub fn injected(mut self, name: &str, at: &str) -> Self {
        self.injected.push((name.to_owned(), at.to_owned()));
        self
    }

    /// Sets a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds an image that there is.
    #[must_use]
    pub fn image(mut self, image: FakeImage) -> Self {
        self.images.push(image);
        self
    }

    /// Asks something of the job, as a strategy would.
    pub fn ask<T>(&self, question: impl FnOnce(&Job) -> T) -> T {
        self.ask_with(Vec::new(), question)
    }

    /// Lets a strategy decide. Its card's name and defaults hold where nothing else was set.
    pub fn decide<S: Strategy>(&self) -> Decision {
        let mut job = self.clone();
        let card = S::card();
        if job.strategy.is_empty() {
            card.name().clone_into(&mut job.strategy);
        }
        job.record(card.into_settings(), S::decide)
    }

    /// Lets a function decide.
    pub fn decide_with(&self, decide: impl FnOnce(&Job, &Plan) -> Result<(), Problem>) -> Decision {
        self.record(Vec::new(), decide)
    }

    fn record(&self, settings: Vec<Setting>, decide: impl FnOnce(&Job, &Plan) -> Result<(), Problem>) -> Decision {
        let plan = plans::Plan::default();
        log::take();
        let result = self.ask_with(settings, |job| decide(job, &Plan::new(&plan)));
        let log = log::take().into_iter().map(|(level, text)| LogLine { level, text }).collect();
        Decision { result, plan: plan.0.take(), log }
    }

    fn ask_with<T>(&self, settings: Vec<Setting>, question: impl FnOnce(&Job) -> T) -> T {
        let job = requests::Job(self.clone());
        FakeImages::new(self.images.clone()).during(|| question(&Job::new(&job, settings)))
    }
}

/// What a strategy answered.
///
/// ```
/// use sti_plugin::{Problem, testing::JobBuilder};
///
/// let job = JobBuilder::new("builder", "app");
/// let decision = job.decide_with(|_, _| Err(Problem::invalid("no-thanks", "this is not for me")));
/// assert_eq!(decision.expect_problem().code(), "no-thanks");
/// ```
#[derive(Debug)]
pub struct Decision {
    /// Whether it decided.
    pub result: Result<(), Problem>,
    /// What it wrote, which counts only where it decided.
    pub plan: RecordedPlan,
    /// What it said.
    pub log: Vec<LogLine>,
}

/// A line that a plugin said.
///
/// ```
/// use sti_plugin::{log, testing::JobBuilder};
///
/// let decision = JobBuilder::new("builder", "app").decide_with(|_, _| Ok(log::info("clean build")));
/// assert_eq!(decision.log[0].text, "clean build");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// What.
    pub text: String,
}

impl Decision {
    /// Gives the plan.
    ///
    /// # Panics
    ///
    /// Where the strategy answered with a problem, which it shows.
    pub fn expect_plan(&self) -> &RecordedPlan {
        assert_eq!(self.result, Ok(()), "the strategy must decide");
        &self.plan
    }

    /// Gives the problem.
    ///
    /// # Panics
    ///
    /// Where the strategy wrote a plan, which it shows.
    pub fn expect_problem(&self) -> &Problem {
        self.result.as_ref().expect_err(&self.plan.to_text())
    }

    /// Tells whether a line of this level was said that holds this text.
    pub fn says(&self, level: Level, text: &str) -> bool {
        self.log.iter().any(|line| line.level == level && line.text.contains(text))
    }
}
