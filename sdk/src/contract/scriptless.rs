//! Builds by `ONBUILD` instructions alone, of images that have no scripts.

use super::{
    ASSEMBLE, PREPARE,
    environment::{environment_of, joined},
    lent::Lent,
    parts::refuse_if_required,
    triggers::refuse_unasked,
};
use crate::{EntryKind, Image, Job, Made, Plan, Problem, Tree, Variable, log};

/// The program of a source that becomes the entrypoint, as source-to-image guesses it: one of these at the top, executable.
const ENTRYPOINTS: [&str; 8] = ["exec", "exec.sh", "execute", "execute.sh", "run", "run.sh", "start", "start.sh"];

/// An image that has no scripts, and whose `ONBUILD` instructions make the application. Found by [`Followed::find`](super::Followed::find).
///
/// ```
/// use sti_plugin::contract::Followed;
/// use sti_plugin::testing::{FakeImage, JobBuilder, MemoryTree};
///
/// let builder = FakeImage::new("python").triggers(&["COPY . /app"]);
/// let source = MemoryTree::new().executable("run.sh", "#!/bin/sh\n");
/// let job = JobBuilder::new("python", "app").image(builder).source(source).allow_triggers();
/// let decision = job.decide_with(|job, plan| {
///     let Followed::Triggers(parts) = Followed::find(job)? else { panic!("it has no scripts") };
///     plan.product("app", &parts.build(plan)?)
/// });
/// assert_eq!(decision.expect_plan().steps.len(), 1);
/// ```
pub struct TriggerParts {
    /// Turns source into an application.
    pub builder: Image,
    /// For the product, and for what the instructions run.
    pub environment: Vec<Variable>,
    /// The program of the source that becomes the entrypoint, relative to the working directory; where there is none, the image's own
    /// entrypoint and command stay.
    pub entrypoint: Option<String>,
}

impl TriggerParts {
    pub(super) fn of(job: &Job, builder: Image) -> Result<Self, Problem> {
        refuse_unasked(job, [&builder])?;
        let name = builder.reference();
        log::info(format!("no contract: `{name}` has no scripts, so its ONBUILD instructions are all that is carried out"));
        if job.runtime_image().is_some() {
            let message = format!("an extended build needs scripts, and `{name}` has none");
            return Err(Problem::invalid("scripts-missing", message).hint("leave --runtime out"));
        }
        let why = format!("`{name}` has no script that saves artifacts");
        refuse_if_required(job, &why)?;
        log::info(format!("clean build: {why}"));
        let environment = joined(environment_of(&job.source())?, job.environment());
        Lent::of(job, &environment)?.refuse_in_instructions()?;
        let entrypoint = entrypoint(&job.source())?;
        if let Some(program) = &entrypoint {
            log::info(format!("the entrypoint is `{program}` of the source"));
        }
        Ok(Self { builder, environment, entrypoint })
    }

    /// Whether this is such a build: nothing speaks for a contract, and there are instructions.
    pub(super) fn is_it(job: &Job, builder: &Image) -> Result<bool, Problem> {
        let is_open = job.contract().is_none() && job.scripts_url().is_none() && !builder.triggers().is_empty();
        Ok(is_open && builder.look_at([PREPARE.build_script(), ASSEMBLE.build_script()])?.is_empty())
    }

    /// Plans all of it: one step of the image's own instructions, with the source as their build context.
    pub fn build(&self, plan: &Plan) -> Result<Made, Problem> {
        let build = plan.build("build by ONBUILD instructions", &self.builder)?.carry_out_triggers(&plan.source())?;
        let made = build.environment(self.environment.clone()).finish();
        if let Some(program) = &self.entrypoint {
            made.entrypoint([program.as_str()]);
            // As an engine does it where an entrypoint is said anew.
            made.command(Vec::<String>::new());
        }
        Ok(made)
    }
}

fn entrypoint(source: &Tree) -> Result<Option<String>, Problem> {
    let entries = source.entries("")?;
    let is_program =
        |name: &str| entries.iter().any(|entry| entry.name == name && entry.kind == EntryKind::File && entry.executable);
    Ok(ENTRYPOINTS.into_iter().find(|name| is_program(name)).map(|name| format!("./{name}")))
}
