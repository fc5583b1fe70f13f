//! The images and scripts that take part in a build by the assemble contract, found and checked before anything is planned.

use super::{
    ASSEMBLE,
    environment::{environment_of, joined},
    locations::{Found, Locations},
    parts::refuse_if_required,
    runtime::{self, RuntimeParts},
};
use crate::{Content, Image, Incremental, Job, Plan, Problem, Pull, Run, Variable, find, log};

/// What scripts have, wherever they come from.
pub(super) const EXECUTABLE: u32 = 0o755;
/// The product that bears the user's tag.
const APP: &str = "app";
/// The product that holds the builder of an extended build.
const BUILD: &str = "build";

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
    /// Whether nothing of the image's own lies at the destination, so that nothing is lost where nothing of it is kept.
    pub is_passing: bool,
    /// Where the result is deployed, in an extended build.
    pub runtime: Option<RuntimeParts>,
    /// Whether the builder becomes a product of its own, for the artifacts of the next extended build.
    pub keeps_builder: bool,
    brought: Vec<(&'static str, Vec<u8>)>,
    is_required: bool,
}

/// An earlier product that artifacts come from.
pub struct Previous {
    /// The image.
    pub image: Image,
    /// The script that writes them.
    pub script: String,
    bytes: Option<Vec<u8>>,
}

impl AssembleParts {
    pub(super) fn of(job: &Job, builder: Image) -> Result<Self, Problem> {
        let locations = Locations::of(job, &builder)?;
        let destination = destination(job, &builder)?;
        let names = [ASSEMBLE.build, ASSEMBLE.run, ASSEMBLE.save_artifacts];
        let found = locations.find(&names, &builder, &job.source())?;
        let [assemble, run, save_artifacts] = <[_; 3]>::try_from(found).unwrap_or_default();
        let mut brought = Vec::new();
        let mut place = |name: &'static str, found: Option<Found>| match found {
            None => Err(locations.missing(name, &builder)),
            Some(Found::InImage(path)) => Ok(path),
            Some(Found::Brought(bytes)) => {
                brought.push((name, bytes));
                Ok(format!("{destination}/{}/{name}", ASSEMBLE.scripts))
            }
        };
        let assemble = place(ASSEMBLE.build, assemble)?;
        let runtime = RuntimeParts::find(job, &destination)?;
        let run = match &runtime {
            Some(runtime) => runtime.run.clone(),
            None => place(ASSEMBLE.run, run)?,
        };
        let is_passing = is_passing(&builder, &destination)?;
        if !is_passing {
            let image = builder.reference();
            log::info(format!(
                "`{image}` keeps files of its own in {destination}: what its scripts leave of the source there stays"
            ));
        }
        let product = if runtime.is_some() { BUILD } else { APP };
        Ok(Self {
            previous: previous(job, product, save_artifacts.as_ref(), &destination)?,
            assemble,
            run,
            user: job.assemble_user().or_else(|| ASSEMBLE.user_label.and_then(|label| builder.label(label))),
            environment: joined(environment_of(&job.source())?, job.environment()),
            is_passing,
            keeps_builder: runtime.is_some() && job.incremental() != Incremental::AsUsual,
            runtime,
            destination,
            brought,
            is_required: job.incremental() == Incremental::Required,
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

    /// Tells where scripts arrive that the source brings.
    pub fn scripts_at(&self) -> String {
        format!("{}/{}", self.destination, ASSEMBLE.scripts)
    }

    /// Gives the scripts that the source brings and the builder needs; `None` where all are in the image.
    pub fn brought(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        runtime::brought(plan, &self.brought)
    }

    /// Gives those of them that the product needs: the one that becomes its command.
    pub fn brought_for_product(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        let run: Vec<_> = self.brought.iter().filter(|(name, _)| *name == ASSEMBLE.run).cloned().collect();
        runtime::brought(plan, &run)
    }

    /// Plans the step that assembles in a container of the builder.
    ///
    /// The scripts move what they are given and remove the directories it came in, which cannot be done to a mount: so source, artifacts
    /// and scripts lie in a directory of which nothing is committed. Where the image keeps files of its own there, they are copied in,
    /// and what the scripts leave of them stays.
    pub fn assembling(&self, plan: &Plan, artifacts: Option<&Content>) -> Result<Run, Problem> {
        let mut run = self.as_user(plan.run("assemble", &self.builder)?);
        run = run.command([self.assemble.as_str()]).environment(self.environment.clone());
        if self.is_passing {
            run = run.transient(&self.destination);
        }
        run = self.put(run, &plan.source(), &self.source_at())?;
        if let Some(artifacts) = artifacts {
            run = self.put(run, artifacts, &self.artifacts_at())?;
        }
        match &self.brought(plan)? {
            Some(scripts) => self.put(run, scripts, &self.scripts_at()),
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
        deployed.extend(runtime::brought(plan, &runtime.brought)?.map(|scripts| (scripts, self.scripts_at())));
        Ok(deployed)
    }

    /// Plans the step that lets the previous image save its artifacts, and gives what they will be; `None` in a clean build.
    ///
    /// A step that fails makes the build a clean one, unless the user demands an incremental one.
    pub fn saved_artifacts(&self, plan: &Plan) -> Result<Option<Content>, Problem> {
        let Some(previous) = &self.previous else { return Ok(None) };
        let mut save = self.as_user(plan.run(&format!("save artifacts of {}", previous.image.reference()), &previous.image)?);
        if let Some(bytes) = &previous.bytes {
            let script = plan.files([(ASSEMBLE.save_artifacts, EXECUTABLE, bytes.clone())])?;
            save = save.mount(&script, self.scripts_at())?;
        }
        if !self.is_required {
            save = save.tolerate_failure();
        }
        Ok(Some(save.command([previous.script.as_str()]).capture_output()))
    }

    /// Sets the user of a run, where it is not the image's own.
    pub fn as_user(&self, run: Run) -> Run {
        match &self.user {
            Some(user) => run.user(user),
            None => run,
        }
    }
}

/// The directory below which everything arrives: as the user says, as the image says, `/tmp`.
fn destination(job: &Job, image: &Image) -> Result<String, Problem> {
    let of_image = || ASSEMBLE.destination_labels.iter().find_map(|label| image.label(label));
    let of_variable =
        || image.environment().into_iter().find(|variable| variable.name == "STI_LOCATION").map(|found| found.value);
    let written = job.destination().or_else(of_image).or_else(of_variable);
    let Some(written) = written.filter(|written| !written.is_empty()) else { return Ok(ASSEMBLE.destination.to_owned()) };
    let parts: Vec<&str> = written.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if !written.starts_with('/') || parts.is_empty() || parts.contains(&"..") {
        let message = format!("`{written}` is no directory below which the source could arrive");
        return Err(Problem::invalid("invalid-destination", message).hint("--destination /tmp"));
    }
    Ok(format!("/{}", parts.join("/")))
}

/// Whether nothing of the image's own lies at the destination. Scripts that work where the source arrives leave the application there.
fn is_passing(image: &Image, destination: &str) -> Result<bool, Problem> {
    if destination == ASSEMBLE.destination {
        return Ok(!lies_in(&image.working_directory(), destination));
    }
    let home = image.runs_as()?.home;
    Ok(!lies_in(&image.working_directory(), destination) && !home.is_some_and(|home| lies_in(&home, destination)))
}

fn lies_in(path: &str, directory: &str) -> bool {
    path.trim_end_matches('/').strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Finds the earlier product that artifacts come from, and tells whether the build is incremental or clean, and why.
fn previous(job: &Job, product: &str, script: Option<&Found>, destination: &str) -> Result<Option<Previous>, Problem> {
    let wish = job.incremental();
    if wish == Incremental::AsUsual || job.is_clean() {
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
    let (script, bytes) = match script {
        Some(Found::InImage(path)) if image.has_executable(path)? => (path.clone(), None),
        Some(Found::InImage(path)) => return clean(format!("the earlier `{name}` has no `{path}`")),
        Some(Found::Brought(bytes)) => {
            (format!("{destination}/{}/{}", ASSEMBLE.scripts, ASSEMBLE.save_artifacts), Some(bytes.clone()))
        }
        None => return clean(format!("there is no script `{}`", ASSEMBLE.save_artifacts)),
    };
    log::info(format!("incremental build: reuses what `{name}` saves"));
    Ok(Some(Previous { image, script, bytes }))
}
