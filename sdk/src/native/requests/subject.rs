//! Something to be judged, and findings that are kept.

use std::cell::RefCell;

use crate::{
    Finding,
    native::{images::Image, trees::Tree, types::Network},
    testing::{MemoryTree, RecordedInstruction, RecordedStep, StepKind, SubjectBuilder},
};

/// When in a build a validator is asked.
///
/// ```
/// use sti_plugin::{Card, Moment};
///
/// let card = Card::new("licences", "1.0.0").judges(Moment::Source).judges(Moment::Product);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before planning: is the image fit to build with?
    Image,
    /// After fetching.
    Source,
    /// Before anything runs.
    Plan,
    /// Before anything is tagged.
    Product,
}

/// How much a finding matters.
///
/// ```
/// use sti_plugin::{Finding, Severity};
///
/// assert_eq!(Finding::note("old", "the image is from last year").severity, Severity::Note);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Shown at the end of the build.
    Warning,
    /// The build does not go on.
    Failure,
}

pub struct Subject(pub(crate) SubjectBuilder);

impl Subject {
    pub fn moment(&self) -> Moment {
        self.0.moment
    }

    pub fn role(&self) -> String {
        self.0.role.clone()
    }

    pub fn image(&self) -> Option<Image> {
        self.0.image.clone().map(|image| Image(image.into()))
    }

    pub fn source(&self) -> Option<Tree> {
        self.0.source.as_ref().map(MemoryTree::handle)
    }

    pub fn steps(&self) -> Vec<Step> {
        self.0.plan.steps.iter().cloned().map(Step).collect()
    }

    pub fn incremental(&self) -> bool {
        self.0.incremental
    }

    pub fn extended(&self) -> bool {
        self.0.extended
    }

    pub fn contract(&self) -> Option<String> {
        self.0.contract.clone()
    }

    pub fn setting(&self, name: &str) -> Option<String> {
        self.0.settings.get(name).cloned()
    }
}

pub struct Step(RecordedStep);

impl Step {
    pub fn title(&self) -> String {
        self.0.title.clone()
    }

    pub fn kind(&self) -> String {
        let kind = match self.0.kind {
            StepKind::Run => "run",
            StepKind::Build => "build",
            StepKind::Assemble => "assemble",
        };
        kind.to_owned()
    }

    pub fn image(&self) -> Option<String> {
        let is_image = self.0.on != "scratch" && !self.0.on.starts_with("step ");
        is_image.then(|| self.0.on.clone())
    }

    pub fn commands(&self) -> Vec<Vec<String>> {
        let instructed = self.0.instructions.iter().filter_map(|instruction| match instruction {
            RecordedInstruction::Run(words) => Some(words.clone()),
            _ => None,
        });
        let own = (!self.0.command.is_empty()).then(|| self.0.command.clone());
        own.into_iter().chain(instructed).collect()
    }

    pub fn user(&self) -> Option<String> {
        self.0.user.clone()
    }

    pub fn network(&self) -> Network {
        self.0.network.unwrap_or(Network::Outgoing)
    }
}

#[derive(Default)]
pub struct Findings(pub(crate) RefCell<Vec<Finding>>);

impl Findings {
    pub fn add(&self, severity: Severity, code: &str, message: &str, hint: Option<&str>) {
        let hint = hint.map(str::to_owned);
        self.0.borrow_mut().push(Finding { severity, code: code.to_owned(), message: message.to_owned(), hint });
    }
}
