//! The images and scripts that take part in a build by the assemble contract, found and checked before anything is planned.

use super::{
    ASSEMBLE, BUILD,
    environment::{environment_of, joined},
    found::{Brought, Found},
    lent::Lent,
    locations::Locations,
    parts::refuse_if_required,
    paths::below_top,
    runtime::RuntimeParts,
    said,
    triggers::{after_triggers, refuse_unasked},
};
use crate::{Base, Content, Image, Incremental, Job, Plan, Problem, ProblemKind, Pull, Run, Variable, find, log};

/// The product that bears the user's tag.
const APP: &str = "app";

/// The parts of a build by the assemble contract. Found by [`Followed::find`](super::Followed::find), which answers every question that a
/// strategy has before it plans, and tells the user what kind of build it is.
///
/// ```
/// use sti_plugin::contract::Followed;
/// use sti_plugin::testing::{FakeImage, JobBuilder, MemoryTree};
///
/// let label = ("io.openshift.s2i.scripts-url", "image:///usr/libexec/s2i");
/// let builder = FakeImage::new("python").label(label.0, label.1);
/// let builder = ["/usr/libexec/s2i/assemble", "/usr/libexec/s2i/run"].into_iter().fold(builder, FakeImage::executable);
/// let source = MemoryTree::new().file(".s2i/bin/run", "#!/bin/sh\nexec sleep 1\n");
/// let job = JobBuilder::new("python", "app").image(builder).source(source);
/// job.decide_with(|job, _plan| {
///     let Followed::Assemble(parts) = Followed::find(job)? else { panic!("it has the label") };
///     assert_eq!(parts.assemble, "/usr/libexec/s2i/assemble");
///     assert_eq!(parts.run, "/tmp/scripts/run");
///     assert_eq!(parts.source_at(), "/tmp/src");
///     Ok(())
/// }).result.unwrap();
/// ```
pub struct AssembleParts {
    /// Turns source into an application.
    pub builder: Image,
    /// An earlier product that can hand over what this build can reuse, in an incremental build.
    pub previous: Option<Previous>,
    /// The script that builds.
    pub assemble: String,
    /// The script that becomes the command of the product.
    pub run: String,
    /// The directory below which everything arrives.
    pub destination: String,
    /// Who the scripts run as, where it is not the image's own user.
    pub user: Option<String>,
    /// For the scripts and the product: those of the source below those of the user, each once.
    pub environment: Vec<Variable>,
    /// What the scripts are lent for their time.
    pub lent: Lent,
    /// Whether the destination is a place for passing things only, so that nothing is lost where nothing of it is kept.
    pub is_passing: bool,
    /// Where the result is deployed, in an extended build.
    pub runtime: Option<RuntimeParts>,
    /// Where scripts arrive that the source brings.
    pub scripts_at: String,
    brought: Brought,
    incremental: Incremental,
}

/// An earlier product that artifacts come from.
pub struct Previous {
    /// The image.
    pub image: Image,
    /// The script that writes them.
    pub script: String,
    brought: Brought,
}

impl AssembleParts {
    pub(super) fn of(job: &Job, builder: Image) -> Result<Self, Problem> {
        let user = job.assemble_user().or_else(|| said(&builder, ASSEMBLE.user_label.as_slice(), &[]));
        let locations = Locations::of(job, &builder, user.is_some())?;
        let destination = destination(job, &builder)?;
        let mut brought = Brought::below(&destination);
        let mut place = |name: &'static str| match locations.find(name, &builder, job)? {
            Some(found) => Ok(brought.place(name, found)),
            None => Err(locations.missing(name, &builder)),
        };
        let assemble = place(ASSEMBLE.build)?;
        let runtime = RuntimeParts::find(job, &destination)?;
        let run = match &runtime {
            Some(runtime) => runtime.run.clone(),
            None => place(ASSEMBLE.run)?,
        };
        refuse_unasked(job, std::iter::once(&builder).chain(runtime.as_ref().map(|runtime| &runtime.image)))?;
        let is_passing = is_passing(&builder, &destination);
        if !is_passing {
            log::info(format!("what the scripts leave of the source in {destination} stays in the product"));
        }
        let product = if runtime.is_some() { BUILD } else { APP };
        let environment = joined(environment_of(&job.source())?, job.environment());
        Ok(Self {
            previous: previous(job, product, &locations, &builder, &destination)?,
            assemble,
            run,
            user,
            lent: Lent::of(job, &environment)?,
            environment,
            is_passing,
            runtime,
            destination,
            scripts_at: brought.at.clone(),
            brought,
            incremental: job.incremental(),
            builder,
        })
    }

    /// Tells where the source arrives.
    pub fn source_at(&self) -> String {
        format!("{}/{}", self.destination, ASSEMBLE.source)
    }

    /// Tells where artifacts of the previous build arrive.
    pub fn artifacts_at(&self) -> String {
        format!("{}/{}", self.destination, ASSEMBLE.artifacts)
    }

    /// Gives the scripts that the source brings and the builder needs; `None` where all are in the image.
    pub fn brought(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        self.brought.content(plan)
    }

    /// Tells whether the script that becomes the command of the product comes with the source.
    pub fn brings_run(&self) -> bool {
        self.brought.has(ASSEMBLE.run)
    }

    /// Gives those of them that the product needs: the one that becomes its command.
    pub fn brought_for_product(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        self.brought.content_of(ASSEMBLE.run, plan)
    }

    /// Plans the step that assembles in a container of the builder.
    ///
    /// The scripts move what they are given and remove the directories it came in, which cannot be done to a mount: so source, artifacts
    /// and scripts lie in a directory of which nothing is committed. Where other files may belong there, they are copied in, and what the
    /// scripts leave of them stays.
    pub fn assembling(&self, plan: &Plan, artifacts: Option<&Content>) -> Result<Run, Problem> {
        let made = after_triggers(plan, &self.builder)?;
        let base = made.as_ref().map_or(Base::Image(&self.builder), Base::Made);
        let mut run = plan.run("assemble", base)?.as_user(self.user.as_deref());
        run = run.command([self.assemble.as_str()]).environment(self.environment.clone());
        run = self.lent.to(run, plan, &self.builder)?;
        if self.is_passing {
            run = run.transient(&self.destination);
        }
        run = self.put(run, &plan.source(), &self.source_at())?;
        if let Some(artifacts) = artifacts {
            run = self.put(run, artifacts, &self.artifacts_at())?;
        }
        match &self.brought(plan)? {
            Some(scripts) => self.put(run, scripts, &self.scripts_at),
            None => Ok(run),
        }
    }

    fn put(&self, run: Run, content: &Content, at: &str) -> Result<Run, Problem> {
        if self.is_passing { run.mount(content, at) } else { run.copy(content, at) }
    }

    /// Lists what the runtime image gets, and where: what assembling has left, and scripts of the source.
    pub fn deployed(&self, plan: &Plan, runtime: &RuntimeParts, assembling: &Run) -> Result<Vec<(Content, String)>, Problem> {
        let left = runtime.artifacts.iter().map(|artifact| Ok((artifact.left_by(assembling)?, artifact.at.clone())));
        let mut deployed = left.collect::<Result<Vec<_>, Problem>>()?;
        deployed.extend(runtime.brought.content(plan)?.map(|scripts| (scripts, self.scripts_at.clone())));
        Ok(deployed)
    }

    /// Makes the builder of an extended build a product of its own, for the artifacts of the next one, where builds are asked to be
    /// incremental.
    pub fn keep_builder(&self, plan: &Plan, assembling: &Run) -> Result<(), Problem> {
        if self.incremental == Incremental::AsUsual {
            return Ok(());
        }
        let builder = assembling.commit();
        builder.environment(self.environment.clone());
        plan.product(BUILD, &builder)
    }

    /// Plans the step that lets the previous image save its artifacts, and gives what they will be; `None` in a clean build.
    ///
    /// A step that fails makes the build a clean one, unless the user demands an incremental one.
    pub fn saved_artifacts(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        let Some(previous) = &self.previous else { return Ok(None) };
        let title = format!("save artifacts of {}", previous.image.reference());
        let mut save = plan.run(&title, &previous.image)?.as_user(self.user.as_deref());
        if let Some(script) = &previous.brought.content(plan)? {
            save = save.mount(script, &previous.brought.at)?;
        }
        save = self.lent.to(save, plan, &previous.image)?;
        if self.incremental != Incremental::Required {
            save = save.tolerate_failure();
        }
        Ok(Some(save.command([previous.script.as_str()]).capture_output()))
    }
}

/// The directory below which everything arrives: as the user says, as the image says, `/tmp`.
fn destination(job: &Job, image: &Image) -> Result<String, Problem> {
    let Some(written) = job.destination().or_else(|| ASSEMBLE.destination_of(image)) else {
        return Ok(ASSEMBLE.destination.to_owned());
    };
    below_top(&written).ok_or_else(|| {
        let message = format!("`{written}` is no directory below which the source could arrive");
        Problem::invalid("invalid-destination", message).hint("--destination /tmp")
    })
}

/// Whether the destination is for passing things only. What an image names itself may be where its application works, and so may be
/// `/tmp` where it is at home there.
fn is_passing(image: &Image, destination: &str) -> bool {
    let home = image.environment().into_iter().find(|variable| variable.name == "HOME").map(|variable| variable.value);
    let own = [Some(image.working_directory()), home];
    destination == ASSEMBLE.destination && !own.iter().flatten().any(|path| lies_in(path, destination))
}

fn lies_in(path: &str, directory: &str) -> bool {
    path.trim_end_matches('/').strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Finds the earlier product that artifacts come from, and tells whether the build is incremental or clean, and why.
fn previous(
    job: &Job,
    product: &str,
    locations: &Locations,
    builder: &Image,
    destination: &str,
) -> Result<Option<Previous>, Problem> {
    if job.incremental() == Incremental::AsUsual || job.is_clean() {
        let why = if job.is_clean() { "asked for" } else { "with --incremental it could reuse what the earlier one saves" };
        log::info(format!("clean build: {why}"));
        return Ok(None);
    }
    let clean = |why: String| {
        refuse_if_required(job, &why)?;
        log::info(format!("clean build: {why}"));
        Ok(None)
    };
    let name = job.previous_image(product).unwrap_or_default();
    let Some(image) = find(&name, Pull::Never)? else { return clean(format!("there is no earlier `{name}`")) };
    let script = ASSEMBLE.save_artifacts;
    let found = match locations.find(script, builder, job) {
        Err(problem) if problem.kind() == ProblemKind::Invalid => return clean(problem.message().to_owned()),
        found => found?,
    };
    let found = match found {
        Some(Found::InImage(path)) if image.look_at([path.as_str()])?.is_empty() => {
            return clean(format!("the earlier `{name}` has no `{path}`"));
        }
        Some(found) => found,
        None => return clean(format!("there is no script `{script}`")),
    };
    log::info(format!("incremental build: reuses what `{name}` saves"));
    let mut brought = Brought::below(destination);
    Ok(Some(Previous { script: brought.place(script, found), image, brought }))
}
