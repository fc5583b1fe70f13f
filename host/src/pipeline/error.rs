//! Every way in which a build can fail, joined from the rooms, with the condition that it is known by.

use sti_core::{Problem, ProblemKind, Pull, Reference, reference::Malformed, tree};
use sti_docker::NoEndpoint;
use sti_engine as engine;
use sti_policy as policy;
use sti_policy::Settled;
use sti_sandbox as sandbox;
use thiserror::Error;

use super::verdict::ImageVerdict;

/// What a failure is known by outside: the identifier of `--json` and the exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Stable, in kebab-case.
    pub name: &'static str,
    /// Whose fault it is: 1 the project's or image's, 2 the request's, 3 refused by policy, 4 the plugin's, 5 the engine's or network's, 70 ours.
    pub exit: u8,
}

/// Why a build could not be performed, or failed.
#[derive(Debug, Error)]
pub enum StiError {
    /// Something on the command line makes no sense.
    #[error("{what}")]
    InvalidArgument {
        /// What and why.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// No plugin answers to that name.
    #[error("no strategy is called `{name}`")]
    InvalidStrategy {
        /// As it was asked for.
        name: String,
        /// All names and aliases.
        known: Vec<String>,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// The plugin's card declares no such setting.
    #[error("the {kind} `{plugin}` knows no setting `{name}`")]
    UnknownSetting {
        /// As it was given.
        name: String,
        /// `strategy` or `fetcher`.
        kind: &'static str,
        /// The plugin.
        plugin: String,
        /// What it declares.
        known: Vec<String>,
    },
    /// A variable is not `NAME=VALUE`.
    #[error("{what}")]
    InvalidEnvironment {
        /// What and why.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A revision is asked for that the source does not have.
    #[error("{what}")]
    InvalidRef {
        /// What and why.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A name of an image is malformed.
    #[error(transparent)]
    InvalidReference(#[from] Malformed),
    /// The source is not there, or is nothing that can be built.
    #[error(transparent)]
    Source(#[from] tree::Error),
    /// A fetcher could not bring what an address names.
    #[error("cannot fetch `{address}`: {problem}")]
    NotFetched {
        /// As the user wrote it, without credentials.
        address: String,
        /// What the fetcher said.
        problem: Problem,
    },
    /// No plugin fetches such addresses.
    #[error("nobody fetches `{address}`")]
    NoFetcher {
        /// As the user wrote it, without credentials.
        address: String,
        /// What is fetched.
        known: Vec<String>,
    },
    /// Policy refused.
    #[error(transparent)]
    Denied(#[from] policy::Denial),
    /// The policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// A plugin failed.
    #[error(transparent)]
    Plugin(#[from] sandbox::Error),
    /// A component from a file bears the name of a plugin that comes with the program.
    #[error("the component `{shown}` calls itself `{name}`, which is the name of another plugin")]
    NameTaken {
        /// Its path.
        shown: String,
        /// The name that is taken.
        name: String,
    },
    /// Policy vets no validator, so that nobody could judge.
    #[error("policy vets no validator, so no image can be judged")]
    NoValidator,
    /// The builder image is nowhere it may be looked for.
    #[error("there is no builder image `{image}`")]
    NoSuchBuilderImage {
        /// As it was named.
        image: Reference,
        /// How it was looked for.
        pull: Pull,
    },
    /// The runtime image is nowhere it may be looked for.
    #[error("there is no runtime image `{image}`")]
    NoSuchRuntimeImage {
        /// As it was named.
        image: Reference,
        /// How it was looked for.
        pull: Pull,
    },
    /// The image that is to be built again is nowhere it may be looked for.
    #[error("there is no image `{image}`")]
    NoSuchImage {
        /// As it was named.
        image: Reference,
        /// How it was looked for.
        pull: Pull,
    },
    /// Images cannot take part in the build.
    #[error("{}", failing(verdicts))]
    ValidationFailed {
        /// Those that fail, with what was found.
        verdicts: Vec<ImageVerdict>,
    },
    /// No engine was found.
    #[error(transparent)]
    NoEngine(#[from] NoEndpoint),
    /// The engine failed, or a script in it.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A product holds what scripts were only to read. Nothing was tagged.
    #[error("the secret `{secret}` is in `{product}`: in {place}")]
    SecretInProduct {
        /// Its name.
        secret: String,
        /// The name that the product would have borne.
        product: Reference,
        /// Where it was found.
        place: String,
    },
    /// Policy does not let it be told how the build ends, where the user wants it to be.
    #[error("`--callback-url` may not {wish}")]
    CallbackRefused {
        /// What policy refuses.
        wish: String,
        /// What is granted, and by whom.
        because: Option<String>,
        /// What would allow it.
        hint: Option<String>,
    },
    /// A product that was to be run did not end well. It is there all the same.
    #[error("{what}")]
    RunFailed {
        /// What is the matter.
        what: String,
        /// How its command ended, where it ran.
        exit: Option<engine::Exit>,
        /// The last lines that it printed, oldest first.
        last_lines: Vec<String>,
    },
    /// The user asked to stop; everything was cleaned up.
    #[error("interrupted")]
    Interrupted {
        /// 2 or 15.
        signal: u8,
    },
    /// A mistake of this program.
    #[error("{0}")]
    Ours(String),
}

fn failing(verdicts: &[ImageVerdict]) -> String {
    let names: Vec<_> = verdicts.iter().map(|verdict| format!("{} image `{}`", verdict.role, verdict.image)).collect();
    format!("the {} cannot take part in this build", names.join(" and the "))
}

impl StiError {
    pub(crate) fn of_another_kind(shown: &str, kind: sandbox::Kind) -> Self {
        let kind = kind.name();
        let what = format!("the component `{shown}` is no {kind}");
        Self::InvalidArgument { what, hint: Some(format!("a {kind} exports `sti:plugin/{kind}`")) }
    }

    /// What this failure is known by.
    pub fn condition(&self) -> Condition {
        let (name, exit) = match self {
            Self::InvalidArgument { .. }
            | Self::UnknownSetting { .. }
            | Self::NoFetcher { .. }
            | Self::NoEngine(NoEndpoint::Malformed { .. }) => ("invalid-argument", 2),
            Self::InvalidStrategy { .. } => ("invalid-strategy", 2),
            Self::InvalidEnvironment { .. } => ("invalid-environment", 2),
            Self::InvalidRef { .. } => ("invalid-ref", 2),
            Self::InvalidReference(_) => ("invalid-reference", 2),
            Self::Source(tree::Error::Changed { .. }) => ("source-changed", 1),
            Self::Source(_) => ("source-not-found", 2),
            Self::NotFetched { problem, .. } => of_fetch(problem),
            Self::Denied(denial) => (denial.code(), 3),
            Self::Policy(error) => (error.code(), 2),
            Self::Plugin(sandbox::Error::Problem { problem, .. }) => of_problem(problem),
            // The directory is the user's to mend: no plugin had a part in it.
            Self::Plugin(sandbox::Error::Store { .. }) => ("plugin-store", 2),
            Self::Plugin(error) => (error.code(), 4),
            Self::NameTaken { .. } => ("plugin-invalid", 4),
            Self::NoValidator => ("not-vetted", 3),
            Self::NoSuchBuilderImage { .. } => ("no-such-builder-image", 5),
            Self::NoSuchRuntimeImage { .. } => ("no-such-runtime-image", 5),
            Self::NoSuchImage { .. } => ("no-such-image", 5),
            Self::ValidationFailed { .. } => ("validation-failed", 1),
            Self::NoEngine(_) => ("connection-failed", 5),
            Self::Engine(error) => of_engine(error),
            Self::SecretInProduct { .. } => ("secret-in-product", 1),
            Self::CallbackRefused { .. } => ("not-granted", 3),
            Self::RunFailed { .. } => ("run-failed", 1),
            Self::Interrupted { signal } => ("interrupted", 128 + signal),
            Self::Ours(_) => ("internal", 70),
        };
        Condition { name, exit }
    }

    /// The reason, where it is not in the message.
    pub fn because(&self) -> Vec<String> {
        match self {
            Self::InvalidStrategy { known, .. } => vec![format!("known are {}", listed(known))],
            Self::UnknownSetting { known, .. } if known.is_empty() => vec!["it has no settings".to_owned()],
            Self::UnknownSetting { known, .. } => vec![format!("it knows {}", listed(known))],
            Self::NoFetcher { known, .. } => vec![format!("addresses begin with {}", listed(known))],
            Self::Denied(denial) => denial.because().into_iter().collect(),
            Self::Policy(error) => error.because().into_iter().collect(),
            Self::CallbackRefused { because, .. } => because.iter().cloned().collect(),
            Self::Plugin(error) => said_by(error),
            Self::NoSuchBuilderImage { image, pull }
            | Self::NoSuchRuntimeImage { image, pull }
            | Self::NoSuchImage { image, pull } => vec![looked_for(image, *pull)],
            Self::ValidationFailed { verdicts } => verdicts.iter().flat_map(reasons).collect(),
            Self::Engine(engine::Error::StepFailed(failure)) => vec![format!("it ran as the step `{}`", failure.title)],
            _ => Vec::new(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::InvalidArgument { hint, .. } | Self::InvalidEnvironment { hint, .. } | Self::InvalidRef { hint, .. } => {
                hint.clone()
            }
            Self::InvalidStrategy { nearest, .. } => {
                Some(nearest.as_ref().map_or("`sti plugins` lists all".to_owned(), |name| format!("--strategy {name}")))
            }
            Self::InvalidReference(malformed) => malformed.nearest.as_ref().map(|name| format!("did you mean `{name}`?")),
            Self::Source(error) => error.hint(),
            Self::NotFetched { problem, .. } => problem.hint.clone(),
            Self::CallbackRefused { hint, .. } => hint.clone(),
            Self::NoFetcher { .. } => {
                Some("`sti plugins` lists who fetches what; --fetcher NAME|FILE.wasm decides by hand".to_owned())
            }
            Self::Denied(denial) => denial.hint(),
            Self::Policy(error) => error.hint(),
            Self::Plugin(error) => error.hint(),
            Self::NoSuchBuilderImage { pull: Pull::Never, .. } | Self::NoSuchRuntimeImage { pull: Pull::Never, .. } => {
                Some("leave `--pull never` out to have it pulled".to_owned())
            }
            Self::NoSuchImage { pull: Pull::Never, .. } => Some("leave `--pull never` out to have it pulled".to_owned()),
            Self::NoSuchBuilderImage { .. } | Self::NoSuchRuntimeImage { .. } | Self::NoSuchImage { .. } => {
                Some("check the spelling, or build or load the image first".to_owned())
            }
            Self::NoValidator => Some("`sti plugins` prints the digests that a policy file can vet".to_owned()),
            Self::NameTaken { .. } => Some("its author gives it a name of its own, on its card".to_owned()),
            Self::NoEngine(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::SecretInProduct { .. } => Some(
                "a script has put it there: let it read the secret where it is, and remove what keeps it before the script ends"
                    .to_owned(),
            ),
            Self::Ours(_) => Some("this is a mistake of sti; please report it with the output of `sti doctor`".to_owned()),
            Self::RunFailed { .. } => Some("the product was built and has its name: only its own run is what failed".to_owned()),
            Self::ValidationFailed { .. } | Self::UnknownSetting { .. } | Self::Interrupted { .. } => None,
        }
    }
}

/// What the host itself complains about when a plugin calls it with what nobody could mean.
const MISUSES: &[&str] =
    &["bad-path", "invalid-mode", "invalid-name", "invalid-path", "later-step", "no-product", "nul-byte", "secret-copied"];

/// A problem that a plugin answered is the user's to mend, or the plugin's own. What policy or the engine refused was recorded where
/// it was refused and is told instead: a plugin that merely says so is not believed.
fn of_problem(problem: &Problem) -> (&'static str, u8) {
    match problem.kind {
        _ if MISUSES.contains(&problem.code.as_str()) => ("plugin-problem", 4),
        ProblemKind::Invalid | ProblemKind::NotFound => ("validation-failed", 1),
        ProblemKind::Denied
        | ProblemKind::Unavailable
        | ProblemKind::Exhausted
        | ProblemKind::Internal
        | ProblemKind::Cancelled => ("plugin-problem", 4),
    }
}

/// The codes of fetchers that are about a branch, tag or commit.
const OF_REFERENCES: &[&str] =
    &["ambiguous-reference", "commit-not-served", "invalid-reference", "reference-not-found", "revision-not-supported"];

/// Whose move it is where a source could not be fetched.
fn of_fetch(problem: &Problem) -> (&'static str, u8) {
    match (problem.kind, problem.code.as_str()) {
        (_, "no-space") => ("no-space", 5),
        (ProblemKind::Invalid | ProblemKind::NotFound, code) if OF_REFERENCES.contains(&code) => ("invalid-ref", 2),
        (ProblemKind::Invalid, "invalid-address" | "invalid-setting") => ("invalid-argument", 2),
        (ProblemKind::NotFound, _) | (ProblemKind::Invalid, "source-not-found") => ("source-not-found", 2),
        (ProblemKind::Invalid, _) => ("source-invalid", 1),
        (ProblemKind::Exhausted, code) if code != Settled::TOOK_TOO_LONG => ("source-too-large", 1),
        (ProblemKind::Denied, _) => ("not-granted", 3),
        (ProblemKind::Unavailable | ProblemKind::Exhausted, _) => ("fetch-failed", 5),
        (ProblemKind::Internal | ProblemKind::Cancelled, _) => ("plugin-problem", 4),
    }
}

fn of_engine(error: &engine::Error) -> (&'static str, u8) {
    match error {
        engine::Error::ConnectionFailed { .. } | engine::Error::TooOld { .. } => ("connection-failed", 5),
        engine::Error::PullFailed { .. } => ("pull-failed", 5),
        engine::Error::CreateContainerFailed { .. } => ("create-container-failed", 5),
        engine::Error::CommitFailed { .. } => ("commit-failed", 5),
        engine::Error::NoSpace { .. } => ("no-space", 5),
        // Policy refuses by what the path says, the engine by where it leads.
        engine::Error::Detour { .. } => ("not-granted", 3),
        engine::Error::StepFailed(failure) if failure.command.first().is_some_and(|program| is_save_artifacts(program)) => {
            ("save-artifacts-failed", 1)
        }
        engine::Error::OutputInvalid { command, .. } if is_save_artifacts(command) => ("save-artifacts-failed", 1),
        engine::Error::StepFailed(_)
        | engine::Error::NotRunnable { .. }
        | engine::Error::OutputInvalid { .. }
        | engine::Error::LabelsInvalid { .. }
        | engine::Error::NotLeft { .. } => ("build-failed", 1),
        engine::Error::Source(_) => ("source-changed", 1),
        engine::Error::Unsupported { .. } | engine::Error::Refused { .. } => ("engine-failed", 5),
    }
}

/// Both contracts call the script so, wherever it lies.
fn is_save_artifacts(program: &str) -> bool {
    program.rsplit('/').next() == Some("save-artifacts")
}

/// What a plugin that broke down was doing, and what it said last.
fn said_by(error: &sandbox::Error) -> Vec<String> {
    let sandbox::Error::Trap { trace, said, .. } = error else { return Vec::new() };
    let said = said.iter().map(|line| format!("it said: {line}"));
    let trace = trace.first().map(|function| format!("it was running `{function}`"));
    said.chain(trace).collect()
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn looked_for(image: &Reference, pull: Pull) -> String {
    let name = image.canonical();
    match pull {
        Pull::Never => format!("the engine holds no `{name}`, and `--pull never` asks no registry"),
        Pull::Missing => format!("neither the engine nor the registry `{}` has `{name}`", image.registry()),
        Pull::Always => format!("the registry `{}` has no `{name}`", image.registry()),
    }
}

fn reasons(verdict: &ImageVerdict) -> Vec<String> {
    let reason = |finding: &sti_core::Finding| {
        let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let is_named = finding.message.contains(&verdict.image.to_string());
        let about = if is_named { String::new() } else { format!("`{}`: ", verdict.image) };
        format!("{about}{}{hint}", finding.message)
    };
    verdict.findings.iter().map(reason).collect()
}
