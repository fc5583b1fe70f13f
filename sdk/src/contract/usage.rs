//! The script by which an image explains itself, by the contract `assemble`.

use super::{ASSEMBLE, PREPARE, found::Brought, locations::Locations, parts};
use crate::{Image, Job, Network, Plan, Problem, Run};

const USAGE: &str = "usage";

/// An image that can explain itself, and the script by which it does.
///
/// ```
/// use sti_plugin::contract::Usage;
/// use sti_plugin::testing::{FakeImage, JobBuilder};
///
/// let job = JobBuilder::new("python", "python").image(FakeImage::new("python").executable("/usr/libexec/s2i/usage"));
/// let script = job.ask(|job| Usage::find(job).map(|usage| usage.script));
/// assert_eq!(script, Ok("/usr/libexec/s2i/usage".to_owned()));
/// ```
pub struct Usage {
    /// What explains itself: the builder image of the job.
    pub image: Image,
    /// Where the script is in a container of it.
    pub script: String,
    brought: Brought,
}

impl Usage {
    /// Finds the script as those of a build are found.
    ///
    /// # Errors
    /// `usage-missing` where the image has none, and what is wrong with it where it cannot be run.
    pub fn find(job: &Job) -> Result<Self, Problem> {
        let image = parts::image(&job.builder_image(), "builder")?;
        let mut brought = Brought::below(ASSEMBLE.destination);
        let locations = Locations::of(job, &image, false)?;
        match locations.find(USAGE, &image, job)? {
            Some(found) => Ok(Self { script: brought.place(USAGE, found), image, brought }),
            None => Err(missing(&image, job.scripts_url().as_deref())?),
        }
    }

    /// Plans the step that runs it, as the image's user and out of reach of any network.
    pub fn explaining(&self, plan: &Plan) -> Result<Run, Problem> {
        let title = format!("{USAGE} of {}", self.image.reference());
        let run = plan.run(&title, &self.image)?.command([self.script.as_str()]).network(Network::None);
        match self.brought.content(plan)? {
            Some(script) => run.mount(&script, &self.brought.at),
            None => Ok(run),
        }
    }
}

/// What is said of an image that has no such script.
fn missing(image: &Image, asked: Option<&str>) -> Result<Problem, Problem> {
    let reference = image.reference();
    let why = match (asked, ASSEMBLE.announced_by(image)) {
        (Some(asked), _) => format!("neither at {asked} nor where it says itself that its scripts are"),
        (None, Some(url)) => format!("it says that its scripts are at {url}"),
        (None, None) if !image.look_at([PREPARE.build_script()])?.is_empty() => {
            format!("it has {}, and the contract `{}` knows no such script", PREPARE.build_script(), PREPARE.name)
        }
        (None, None) => format!("no label says where its scripts are, and there is none in {}", ASSEMBLE.directory),
    };
    let hint = format!("its labels may tell more: docker image inspect --format '{{{{json .Config.Labels}}}}' {reference}");
    Ok(Problem::invalid("usage-missing", format!("`{reference}` has no script `{USAGE}`: {why}")).hint(hint))
}
