//! What a strategy wrote, step by step, to be asserted on.

use std::collections::BTreeMap;

use crate::{Network, Placement, Variable};

/// A plan as it was written.
///
/// ```
/// use sti_plugin::{Scratch, testing::JobBuilder};
///
/// let decision = JobBuilder::new("builder", "app").decide_with(|_, plan| {
///     let app = plan.run("prepare", Scratch)?.command(["/usr/bin/prepare"]).commit();
///     plan.product("app", &app)
/// });
/// assert_eq!(decision.plan.steps[0].command, ["/usr/bin/prepare"]);
/// assert_eq!(decision.plan.products[0].step, 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedPlan {
    /// In the order in which they were written.
    pub steps: Vec<RecordedStep>,
    /// In the order in which they were declared.
    pub products: Vec<RecordedProduct>,
    /// Files that the plugin wrote itself, by path: permission bits and bytes.
    pub files: BTreeMap<String, (u32, Vec<u8>)>,
}

/// One step of a recorded plan. What its kind does not know stays empty.
///
/// ```
/// use sti_plugin::testing::{RecordedStep, StepKind};
///
/// fn runs_on(step: &RecordedStep, image: &str) -> bool {
///     step.kind == StepKind::Run && step.on == image
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedStep {
    /// What it is.
    pub kind: StepKind,
    /// What the user reads while it is carried out.
    pub title: String,
    /// What it starts from: the name of an image, `step N` or `scratch`.
    pub on: String,
    /// Runs: program and arguments.
    pub command: Vec<String>,
    /// Runs: variables.
    pub environment: Vec<Variable>,
    /// Runs: the user, where one was set.
    pub user: Option<String>,
    /// Runs: the working directory, where one was set.
    pub working_directory: Option<String>,
    /// Runs and builds: the network, where one was set.
    pub network: Option<Network>,
    /// Runs: directories of which nothing is committed.
    pub transient: Vec<String>,
    /// Runs: the file that labels are taken from, where one was named.
    pub labels_from: Option<String>,
    /// Runs: whether the build goes on where it fails.
    pub tolerates_failure: bool,
    /// Runs: what was mounted or copied, in order.
    pub places: Vec<RecordedPlace>,
    /// Runs: paths that later steps may use, and `standard output`.
    pub captures: Vec<String>,
    /// Runs: whether an image is made of it.
    pub is_committed: bool,
    /// Whether the image that it starts from has ONBUILD instructions.
    pub has_triggers: bool,
    /// Builds: what lies at the top of the build context of ONBUILD instructions, where those are carried out.
    pub triggers_context: Option<String>,
    /// Builds: in order.
    pub instructions: Vec<RecordedInstruction>,
    /// Assemblies: in order.
    pub layers: Vec<RecordedLayer>,
    /// What the image that it makes says of itself.
    pub changes: RecordedChanges,
}

/// What kind of step it is.
///
/// ```
/// use sti_plugin::testing::StepKind;
///
/// assert_ne!(StepKind::Run, StepKind::Build);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// One container.
    Run,
    /// Instructions.
    Build,
    /// Layers, without running anything.
    Assemble,
}

/// Content at a path of a container. Content reads as `source`, `empty`, `/tmp/artifacts after step 1`, `pages of source`, ….
///
/// ```
/// use sti_plugin::{Placement, testing::RecordedPlace};
///
/// let place = RecordedPlace { content: "source".into(), at: "/tmp/src".into(), placement: Placement::Mounted };
/// assert_eq!(place.to_string(), "mount source at /tmp/src");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPlace {
    /// What.
    pub content: String,
    /// Where.
    pub at: String,
    /// How.
    pub placement: Placement,
}

/// One instruction of a build.
///
/// ```
/// use sti_plugin::testing::RecordedInstruction;
///
/// let run = RecordedInstruction::Run(vec!["/usr/bin/prepare".into()]);
/// assert_eq!(run.to_string(), "run /usr/bin/prepare");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedInstruction {
    /// Copies content.
    Copy {
        /// What.
        content: String,
        /// Where.
        at: String,
        /// Whose, where that was said.
        owner: Option<String>,
    },
    /// Runs program and arguments.
    Run(Vec<String>),
    /// Sets a variable.
    Environment(Variable),
    /// Sets the user.
    User(String),
    /// Sets the working directory.
    WorkingDirectory(String),
}

/// One layer of an assembly.
///
/// ```
/// use sti_plugin::testing::RecordedLayer;
///
/// let layer = RecordedLayer { title: "files".into(), content: "source".into(), at: "/srv".into(), owner: None };
/// assert_eq!(layer.to_string(), "layer `files`: source at /srv");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedLayer {
    /// What the user reads.
    pub title: String,
    /// What.
    pub content: String,
    /// Where.
    pub at: String,
    /// Whose, where that was said.
    pub owner: Option<String>,
}

/// What an image says of itself beyond its base.
///
/// ```
/// use sti_plugin::testing::RecordedChanges;
///
/// assert_eq!(RecordedChanges::default().entrypoint, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedChanges {
    /// The entrypoint, where it was replaced.
    pub entrypoint: Option<Vec<String>>,
    /// The command, where it was replaced.
    pub command: Option<Vec<String>>,
    /// Added variables.
    pub environment: Vec<Variable>,
    /// Added labels.
    pub labels: Vec<Variable>,
    /// The user, where it was replaced.
    pub user: Option<String>,
    /// The working directory, where it was replaced.
    pub working_directory: Option<String>,
    /// Added ports.
    pub expose: Vec<String>,
}

/// A result that was declared.
///
/// ```
/// use sti_plugin::testing::RecordedProduct;
///
/// let product = RecordedProduct { name: "app".into(), step: 1 };
/// assert_eq!(product.to_string(), "product app: step 1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedProduct {
    /// `app`, or another name.
    pub name: String,
    /// The number of the step that makes it; the first step is 1.
    pub step: usize,
}

impl RecordedStep {
    pub(crate) fn new(kind: StepKind, title: &str, on: String) -> Self {
        Self {
            kind,
            title: title.to_owned(),
            on,
            command: Vec::new(),
            environment: Vec::new(),
            user: None,
            working_directory: None,
            network: None,
            transient: Vec::new(),
            labels_from: None,
            tolerates_failure: false,
            places: Vec::new(),
            captures: Vec::new(),
            is_committed: false,
            has_triggers: false,
            triggers_context: None,
            instructions: Vec::new(),
            layers: Vec::new(),
            changes: RecordedChanges::default(),
        }
    }
}
