//! Where the scripts of the contract `assemble` are: in the image, or brought along by the source. Each script is looked for on its own.

use super::{
    ASSEMBLE,
    brought::brought_script,
    found::Found,
    paths::below_top,
    scripts::{self, Fitness, Script},
};
use crate::{Image, Job, Problem};

const IN_IMAGE: &str = "image://";
/// Addresses that the host reads.
const GIVEN: [&str; 3] = ["file://", "http://", "https://"];
/// How a page begins, and no script does.
const PAGES: [&str; 2] = ["<!doctype", "<html"];

/// The places at which scripts are looked for, the first one first.
pub(super) struct Locations {
    places: Vec<Place>,
    /// Whether scripts run as somebody else than the image's own user, of whom nothing is known.
    as_another: bool,
    /// Where an image says that its scripts are, and where nobody looks.
    elsewhere: Option<String>,
}

enum Place {
    /// A directory of the image.
    Image(String),
    /// The source.
    Source,
    /// Where the user says, outside of the image.
    Given(String),
}

impl Locations {
    /// Where scripts of an image are: as the user says, in the source, as the image says.
    pub(super) fn of(job: &Job, image: &Image, as_another: bool) -> Result<Self, Problem> {
        let mut places = Vec::new();
        if let Some(url) = job.scripts_url() {
            places.push(place(url)?);
        }
        places.push(Place::Source);
        let announced = ASSEMBLE.announced_by(image);
        let elsewhere = announced.clone().filter(|url| directory(url).is_none());
        match announced.as_deref().map(directory) {
            Some(Some(directory)) => places.push(Place::Image(directory)),
            Some(None) => {}
            None => places.push(Place::Image(ASSEMBLE.directory.to_owned())),
        }
        Ok(Self { places, as_another, elsewhere })
    }

    /// Looks for a script. One that is found and cannot be used is a problem: nobody means the next one then.
    pub(super) fn find(&self, name: &str, image: &Image, job: &Job) -> Result<Option<Found>, Problem> {
        for place in &self.places {
            let found = match place {
                Place::Source => brought_script(&job.source(), name)?.map(|(_, bytes)| Found::Brought(bytes)),
                Place::Given(url) => given(job, url, name)?.map(Found::Brought),
                Place::Image(directory) => self.find_in(image, format!("{directory}/{name}"))?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn find_in(&self, image: &Image, path: String) -> Result<Option<Found>, Problem> {
        let examined = scripts::examine(image, [path.clone()])?;
        let Some(script) = examined.iter().find(|script| script.fitness != Fitness::Missing) else { return Ok(None) };
        match script.problem(image) {
            Some(problem) if !self.is_fit(script) => Err(problem),
            _ => Ok(Some(Found::InImage(path))),
        }
    }

    /// Whether somebody else than the image's own user may execute a script that its own may not.
    fn is_fit(&self, script: &Script) -> bool {
        matches!(script.fitness, Fitness::NotExecutable { mode, .. } if self.as_another && mode & 0o111 != 0)
    }

    /// What is said of a script without which nothing can be built.
    pub(super) fn missing(&self, name: &str, image: &Image) -> Problem {
        let reference = image.reference();
        if let Some(url) = &self.elsewhere {
            return elsewhere(&format!("{name}-missing"), image, url);
        }
        let given = self.places.iter().find_map(|place| match place {
            Place::Given(url) => Some(format!("at {url} nor ")),
            _ => None,
        });
        let given = given.unwrap_or_default();
        let directories: Vec<String> = self.directories().map(|directory| format!("`{directory}` of `{reference}`")).collect();
        let message =
            format!("there is no script `{name}` {given}in the source's `.s2i/bin` nor in {}", directories.join(" nor in "));
        Problem::invalid(format!("{name}-missing"), message)
            .hint("`--scripts-url image:///DIRECTORY` says where the image has its scripts; a source brings its own in .s2i/bin")
    }

    fn directories(&self) -> impl Iterator<Item = &str> {
        self.places.iter().filter_map(|place| match place {
            Place::Image(directory) => Some(directory.as_str()),
            Place::Source | Place::Given(_) => None,
        })
    }
}

/// Tells in which directory of an image its scripts of the contract `assemble` are.
///
/// # Errors
/// `scripts-elsewhere` where the image names a place that is not in it.
pub fn scripts_directory(image: &Image) -> Result<String, Problem> {
    let Some(url) = ASSEMBLE.announced_by(image) else { return Ok(ASSEMBLE.directory.to_owned()) };
    directory(&url).ok_or_else(|| elsewhere("scripts-elsewhere", image, &url))
}

fn elsewhere(code: &str, image: &Image, url: &str) -> Problem {
    let message = format!("`{}` says that its scripts are at {url}, which is read only where you name it", image.reference());
    Problem::invalid(code, message).hint(format!("--scripts-url {url}"))
}

/// The directory of an image that an address of scripts names.
fn directory(url: &str) -> Option<String> {
    url.strip_prefix(IN_IMAGE).and_then(below_top)
}

/// The place that an address names.
fn place(url: String) -> Result<Place, Problem> {
    if GIVEN.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(Place::Given(url));
    }
    match directory(&url) {
        Some(directory) => Ok(Place::Image(directory)),
        None => Err(unknown_place(&url)),
    }
}

fn unknown_place(url: &str) -> Problem {
    Problem::invalid("invalid-scripts-url", format!("`--scripts-url {url}` names no directory of the image"))
        .hint("--scripts-url image:///usr/libexec/s2i; or file:///DIRECTORY, https://HOST/DIRECTORY; scripts of your own may lie in .s2i/bin of the source")
}

/// A script at the user's address.
fn given(job: &Job, url: &str, name: &str) -> Result<Option<Vec<u8>>, Problem> {
    let Some(bytes) = job.script(name)? else { return Ok(None) };
    let begins_with =
        |text: &str| bytes.trim_ascii_start().get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()));
    if bytes.trim_ascii().is_empty() || PAGES.iter().any(|text| begins_with(text)) {
        let message = format!("what {url} gives for `{name}` is a page or nothing, and no script");
        return Err(Problem::invalid("script-is-a-page", message).hint("the address has to lead to the files themselves"));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::directory;

    #[test]
    fn reads_addresses_of_scripts() {
        let cases = [
            ("image:///usr/libexec/s2i", Some("/usr/libexec/s2i")),
            ("image:////usr//libexec/./s2i/", Some("/usr/libexec/s2i")),
            ("image://usr/libexec", None),
            ("image:///", None),
            ("image:///usr/../etc", None),
            ("http://example.com/scripts", None),
            ("/usr/libexec/s2i", None),
        ];
        for (url, expected) in cases {
            assert_eq!(directory(url).as_deref(), expected, "{url}");
        }
    }
}
