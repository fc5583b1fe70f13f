//! What scripts are lent for their time, of which nothing stays: variables, secrets, directories of the user's.

use super::paths::below_top;
use crate::{Image, Job, Plan, Problem, Run, Variable};

/// Where secrets lie while scripts run, as with `BuildKit`.
const SECRETS: &str = "/run/secrets";

/// What the user lends the scripts of a build. A part of [`Parts`](super::Parts) and [`AssembleParts`](super::AssembleParts).
///
/// ```
/// use sti_plugin::contract::Followed;
/// use sti_plugin::testing::{FakeImage, JobBuilder};
///
/// let scripts = ["/usr/bin/prepare", "/usr/bin/run"];
/// let builder = scripts.into_iter().fold(FakeImage::new("builder"), FakeImage::executable);
/// let job = JobBuilder::new("builder", "app").image(builder).build_environment("PROXY", "http://a").secret("token");
/// let decision = job.decide_with(|job, plan| {
///     let Followed::Prepare(parts) = Followed::find(job)? else { panic!("it has prepare") };
///     parts.lent.to(plan.run("prepare", &parts.builder)?, plan, &parts.builder).map(drop)
/// });
/// let step = &decision.expect_plan().steps[0];
/// assert_eq!(step.places[0].at, "/run/secrets/token");
/// assert_eq!(step.environment[0].name, "PROXY");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lent {
    environment: Vec<Variable>,
    secrets: Vec<String>,
    injected: Vec<Variable>,
}

impl Lent {
    /// Takes from a job what it lends; `kept` are the variables that stay in the product.
    pub(super) fn of(job: &Job, kept: &[Variable]) -> Result<Self, Problem> {
        let lent = Self { environment: job.build_environment(), secrets: job.secrets(), injected: job.injected() };
        match lent.environment.iter().find(|variable| kept.iter().any(|kept| kept.name == variable.name)) {
            None => Ok(lent),
            Some(variable) => {
                let message = format!("`{}` is for the scripts only, and stays in the product", variable.name);
                Err(Problem::invalid("variable-lent-and-kept", message)
                    .hint(format!("leave `--build-env {}=…` out, or `{0}` in .s2i/environment", variable.name)))
            }
        }
    }

    /// Lends it to the command of a step.
    pub fn to(&self, run: Run, plan: &Plan, image: &Image) -> Result<Run, Problem> {
        let mut run = run.environment(self.environment.clone());
        for name in &self.secrets {
            run = run.mount(&plan.secret(name)?, format!("{SECRETS}/{name}"))?;
        }
        for directory in &self.injected {
            run = run.mount(&plan.secret(&directory.name)?, place_in(image, &directory.value)?)?;
        }
        Ok(run)
    }

    /// Refuses to build by instructions: what they use stands in the image's history, and they mount nothing.
    pub fn refuse_in_instructions(&self) -> Result<(), Problem> {
        let flags = [
            ("--build-env", !self.environment.is_empty()),
            ("--secret", !self.secrets.is_empty()),
            ("--inject", !self.injected.is_empty()),
        ];
        let Some((flag, _)) = flags.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
        let message = format!("a Dockerfile cannot do without a trace what `{flag}` asks for");
        Err(Problem::invalid("trace-in-instructions", message).hint("--strategy commit"))
    }
}

/// Where a directory is mounted in an image. What lies there is hidden meanwhile, so it is no place where the scripts work.
fn place_in(image: &Image, written: &str) -> Result<String, Problem> {
    let refuse = |why: String| {
        let message = format!("nothing can be injected at `{written}` of `{}`: {why}", image.reference());
        Err(Problem::invalid("invalid-injection", message).hint("--inject SRC:DEST, where DEST is a directory of its own"))
    };
    let working_directory = image.working_directory();
    let whole = if written.starts_with('/') { written.to_owned() } else { format!("{working_directory}/{written}") };
    let Some(at) = below_top(&whole) else { return refuse("it is no directory below the top".to_owned()) };
    let hides =
        |path: &str| path.trim_end_matches('/').strip_prefix(&at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if hides(&working_directory) || hides(SECRETS) {
        return refuse("it would hide what the scripts work with".to_owned());
    }
    Ok(at)
}
