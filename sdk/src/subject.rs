//! Something to be judged, and where a validator writes what it found.

use crate::{Image, Moment, Network, Problem, Setting, Severity, Tree, card::default_of, host::requests};

/// Something to be judged. Given to [`Validator::validate`](crate::Validator::validate), which has an example.
pub struct Subject<'a> {
    subject: &'a requests::Subject,
    settings: Vec<Setting>,
}

impl<'a> Subject<'a> {
    /// Joins the handle with the settings of the plugin's card, whose defaults a host does not fill in.
    pub(crate) fn new(subject: &'a requests::Subject, settings: Vec<Setting>) -> Self {
        Self { subject, settings }
    }

    /// Tells when in a build it is asked.
    pub fn moment(&self) -> Moment {
        self.subject.moment()
    }

    /// Tells `builder`, `runtime`, or the product's name.
    pub fn role(&self) -> String {
        self.subject.role()
    }

    /// Gives the image, where it is one.
    pub fn image(&self) -> Option<Image> {
        self.subject.image().map(Image)
    }

    /// Gives the source, where it is known.
    pub fn source(&self) -> Option<Tree> {
        self.subject.source().map(Tree::new)
    }

    /// Lists the steps of the plan, in order; empty before there is one.
    pub fn steps(&self) -> Vec<PlannedStep> {
        self.subject.steps().into_iter().map(PlannedStep).collect()
    }

    /// Tells whether an incremental build is asked for.
    pub fn is_incremental(&self) -> bool {
        self.subject.incremental()
    }

    /// Tells whether the image is one half of an extended build.
    pub fn is_extended(&self) -> bool {
        self.subject.extended()
    }

    /// Tells the contract that the user forced, `prepare` or `assemble`.
    pub fn contract(&self) -> Option<String> {
        self.subject.contract()
    }

    /// Tells a setting that the card declares: what the user set, or its default.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.subject.setting(name).or_else(|| default_of(&self.settings, name))
    }
}

/// A step of a plan, to look at.
///
/// ```
/// use sti_plugin::{PlannedStep, Subject};
///
/// fn runs_as_root(subject: &Subject) -> bool {
///     subject.steps().iter().any(|step: &PlannedStep| step.user().as_deref() == Some("root"))
/// }
/// ```
pub struct PlannedStep(requests::Step);

impl PlannedStep {
    /// Tells what the user reads while it is carried out.
    pub fn title(&self) -> String {
        self.0.title()
    }

    /// Tells `run`, `build` or `assemble`.
    pub fn kind(&self) -> String {
        self.0.kind()
    }

    /// Names the image that it starts from, where that is not a step.
    pub fn image(&self) -> Option<String> {
        self.0.image()
    }

    /// Lists all commands that it would run.
    pub fn commands(&self) -> Vec<Vec<String>> {
        self.0.commands()
    }

    /// Tells the user, where the step sets one.
    pub fn user(&self) -> Option<String> {
        self.0.user()
    }

    /// Tells what it reaches.
    pub fn network(&self) -> Network {
        self.0.network()
    }
}

/// One thing that a validator has to say.
///
/// ```
/// use sti_plugin::{Finding, Problem, Severity};
///
/// let finding = Finding::warning("large", "the image is larger than 1 GiB").hint("leave compilers out of it");
/// assert_eq!(finding.severity, Severity::Warning);
///
/// let from_problem = Finding::from(Problem::invalid("run-missing", "there is no `/usr/bin/run`"));
/// assert_eq!(from_problem.severity, Severity::Failure);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// A stable identifier in kebab-case.
    pub code: String,
    /// What is the case: a lower-case fragment without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// Makes a finding that is worth knowing.
    pub fn note(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, code: code.into(), message: message.into(), hint: None }
    }

    /// Makes a finding that is shown at the end of the build.
    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::note(code, message) }
    }

    /// Makes a finding with which the build does not go on.
    pub fn failure(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Failure, ..Self::note(code, message) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        let hint = problem.hinted().map(str::to_owned);
        Self { hint, ..Self::failure(problem.code(), problem.message()) }
    }
}

/// Where a validator writes what it found. Given to [`Validator::validate`](crate::Validator::validate), which has an example.
pub struct Findings<'a>(&'a requests::Findings);

impl<'a> Findings<'a> {
    pub(crate) fn new(findings: &'a requests::Findings) -> Self {
        Self(findings)
    }

    /// Writes one down.
    pub fn add(&self, finding: impl Into<Finding>) {
        let Finding { severity, code, message, hint } = finding.into();
        self.0.add(severity, &code, &message, hint.as_deref());
    }
}
