//! What a plugin is asked, answered from what the test said.

mod address;
mod subject;

use std::cell::RefCell;

use super::{
    trees::Tree,
    types::{Network, Problem, Variable},
};
use crate::testing::JobBuilder;

pub(crate) use address::Address;
pub(crate) use subject::{Findings, Step, Subject};
pub use subject::{Moment, Severity};

/// Whether artifacts of an earlier product are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incremental {
    /// The user said nothing: as the contract has it.
    AsUsual,
    /// Where that can be.
    Wanted,
    /// Or the build fails.
    Required,
}

pub struct Job(pub(crate) JobBuilder);

impl Job {
    pub fn strategy(&self) -> String {
        self.0.strategy.clone()
    }

    pub fn source(&self) -> Tree {
        self.0.source.handle()
    }

    pub fn source_fact(&self, name: &str) -> Option<String> {
        self.0.source_facts.get(name).cloned()
    }

    pub fn builder_image(&self) -> String {
        self.0.builder_image.clone()
    }

    pub fn runtime_image(&self) -> Option<String> {
        self.0.runtime_image.clone()
    }

    pub fn tag(&self) -> String {
        self.0.tag.clone()
    }

    pub fn clean(&self) -> bool {
        self.0.clean
    }

    pub fn network(&self) -> Network {
        self.0.network
    }

    pub fn previous_image(&self, product: &str) -> Option<String> {
        let name = if product == "app" { self.0.tag.clone() } else { format!("{}-{product}", self.0.tag) };
        (!self.0.clean).then_some(name)
    }

    pub fn incremental(&self) -> Incremental {
        self.0.incremental
    }

    pub fn scripts_url(&self) -> Option<String> {
        self.0.scripts_url.clone()
    }

    pub fn script(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.scripts.get(name).cloned())
    }

    pub fn destination(&self) -> Option<String> {
        self.0.destination.clone()
    }

    pub fn assemble_user(&self) -> Option<String> {
        self.0.assemble_user.clone()
    }

    pub fn assemble_runtime_user(&self) -> Option<String> {
        self.0.assemble_runtime_user.clone()
    }

    pub fn runtime_artifacts(&self) -> Vec<String> {
        self.0.runtime_artifacts.clone()
    }

    pub fn allows_triggers(&self) -> bool {
        self.0.allows_triggers
    }

    pub fn contract(&self) -> Option<String> {
        self.0.contract.clone()
    }

    pub fn environment(&self) -> Vec<Variable> {
        variables(&self.0.environment)
    }

    pub fn build_environment(&self) -> Vec<Variable> {
        variables(&self.0.build_environment)
    }

    pub fn secrets(&self) -> Vec<String> {
        self.0.secrets.clone()
    }

    pub fn injected(&self) -> Vec<Variable> {
        variables(&self.0.injected)
    }

    pub fn setting(&self, name: &str) -> Option<String> {
        self.0.settings.get(name).cloned()
    }

    pub fn platform(&self) -> String {
        "linux/amd64".to_owned()
    }
}

fn variables(pairs: &[(String, String)]) -> Vec<Variable> {
    pairs.iter().map(|(name, value)| Variable { name: name.clone(), value: value.clone() }).collect()
}

/// Keeps what a plugin said of itself.
#[derive(Default)]
pub struct Card {
    pub(crate) lines: RefCell<Vec<String>>,
}

impl Card {
    pub fn name(&self, name: &str) {
        self.keep(format!("name {name}"));
    }

    pub fn alias(&self, name: &str) {
        self.keep(format!("alias {name}"));
    }

    pub fn version(&self, version: &str) {
        self.keep(format!("version {version}"));
    }

    pub fn summary(&self, text: &str) {
        self.keep(format!("summary {text}"));
    }

    pub fn homepage(&self, url: &str) {
        self.keep(format!("homepage {url}"));
    }

    pub fn setting(&self, name: &str, summary: &str, default: Option<&str>) {
        self.keep(format!("setting {name} ({}): {summary}", default.unwrap_or("no default")));
    }

    pub fn serves_scheme(&self, scheme: &str) {
        self.keep(format!("serves scheme {scheme}"));
    }

    pub fn serves_suffix(&self, suffix: &str) {
        self.keep(format!("serves suffix {suffix}"));
    }

    pub fn judges(&self, moment: Moment) {
        self.keep(format!("judges {moment:?}"));
    }

    fn keep(&self, line: String) {
        self.lines.borrow_mut().push(line);
    }
}
