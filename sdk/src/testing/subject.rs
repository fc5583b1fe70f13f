//! A subject that a test has judged, and the verdict.

use std::collections::BTreeMap;

use super::{FakeImage, FakeImages, LogLine, MemoryTree, RecordedPlan};
use crate::{
    Finding, Findings, Moment, Problem, Severity, Subject, Validator,
    native::{log, requests},
};

/// Something to be judged in a test.
///
/// ```
/// use sti_plugin::{Card, Finding, Findings, Problem, Subject, Validator};
/// use sti_plugin::testing::{MemoryTree, SubjectBuilder};
///
/// struct HasReadme;
///
/// impl Validator for HasReadme {
///     fn card() -> Card {
///         Card::new("has-readme", "0.1.0")
///     }
///
///     fn validate(subject: &Subject, findings: &Findings) -> Result<(), Problem> {
///         let Some(source) = subject.source() else { return Ok(()) };
///         if !source.contains("README.md")? {
///             findings.add(Finding::note("no-readme", "nobody explains this"));
///         }
///         Ok(())
///     }
/// }
///
/// assert_eq!(SubjectBuilder::source(MemoryTree::new()).validate::<HasReadme>().codes(), ["no-readme"]);
/// ```
#[derive(Clone, Debug)]
pub struct SubjectBuilder {
    pub(crate) moment: Moment,
    pub(crate) role: String,
    pub(crate) image: Option<FakeImage>,
    pub(crate) source: Option<MemoryTree>,
    pub(crate) plan: RecordedPlan,
    pub(crate) incremental: bool,
    pub(crate) extended: bool,
    pub(crate) contract: Option<String>,
    pub(crate) settings: BTreeMap<String, String>,
}

impl SubjectBuilder {
    /// Makes a subject of an image that plays the role `builder` or `runtime`.
    pub fn image(role: &str, image: FakeImage) -> Self {
        Self { role: role.to_owned(), image: Some(image), ..Self::at(Moment::Image) }
    }

    /// Makes a subject of a source.
    pub fn source(source: MemoryTree) -> Self {
        Self { source: Some(source), ..Self::at(Moment::Source) }
    }

    /// Gives the source as well, as in a build.
    #[must_use]
    pub fn with_source(self, source: MemoryTree) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Makes a subject of a plan, such as another plugin's test made one.
    pub fn plan(plan: RecordedPlan) -> Self {
        Self { plan, ..Self::at(Moment::Plan) }
    }

    /// Makes a subject of a product.
    pub fn product(name: &str, image: FakeImage) -> Self {
        Self { role: name.to_owned(), image: Some(image), ..Self::at(Moment::Product) }
    }

    /// Asks for an incremental build.
    #[must_use]
    pub fn incremental(self) -> Self {
        Self { incremental: true, ..self }
    }

    /// Makes the image one half of an extended build.
    #[must_use]
    pub fn extended(self) -> Self {
        Self { extended: true, ..self }
    }

    /// Forces a contract.
    #[must_use]
    pub fn contract(self, name: &str) -> Self {
        Self { contract: Some(name.to_owned()), ..self }
    }

    /// Sets a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Lets a validator judge.
    pub fn validate<V: Validator>(&self) -> Verdict {
        let findings = requests::Findings::default();
        let subject = requests::Subject(self.clone());
        log::take();
        let judge = || V::validate(&Subject::new(&subject, V::card().into_settings()), &Findings::new(&findings));
        let result = FakeImages::new(self.image.clone()).during(judge);
        let log = log::take().into_iter().map(|(level, text)| LogLine { level, text }).collect();
        Verdict { result, findings: findings.0.take(), log }
    }

    fn at(moment: Moment) -> Self {
        Self {
            moment,
            role: String::new(),
            image: None,
            source: None,
            plan: RecordedPlan::default(),
            incremental: false,
            extended: false,
            contract: None,
            settings: BTreeMap::new(),
        }
    }
}

/// What a validator answered. See [`SubjectBuilder`] for an example.
#[derive(Debug)]
pub struct Verdict {
    /// Whether it could judge.
    pub result: Result<(), Problem>,
    /// In the order in which they were written.
    pub findings: Vec<Finding>,
    /// What it said.
    pub log: Vec<LogLine>,
}

impl Verdict {
    /// Lists the codes of all findings, in order.
    pub fn codes(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    /// Tells whether the build may go on: the validator could judge, and found no failure.
    pub fn passes(&self) -> bool {
        self.result.is_ok() && self.findings.iter().all(|finding| finding.severity != Severity::Failure)
    }
}
