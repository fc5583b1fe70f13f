//! Where the scripts of the contract `assemble` are: in the image, or brought along by the source. Each script is looked for on its own.

use super::{
    ASSEMBLE,
    brought::brought_script,
    scripts::{self, Fitness, Script},
};
use crate::{Image, Job, Problem, Tree};

const IN_IMAGE: &str = "image://";

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
}

/// A script that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// In the image, at this path.
    InImage(String),
    /// In the source: what is in it.
    Brought(Vec<u8>),
}

impl Locations {
    /// Where scripts of an image are: as the user says, in the source, as the image says.
    pub(super) fn of(job: &Job, image: &Image, as_another: bool) -> Result<Self, Problem> {
        let mut places = Vec::new();
        if let Some(url) = job.scripts_url() {
            places.push(Place::Image(directory(&url).ok_or_else(|| unknown_place(&url))?));
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
    pub(super) fn find_one(&self, name: &str, image: &Image, source: &Tree) -> Result<Option<Found>, Problem> {
        let paths = self.directories().map(|directory| format!("{directory}/{name}"));
        let examined = scripts::examine(image, paths)?;
        for place in &self.places {
            match place {
                Place::Source => {
                    if let Some((_, bytes)) = brought_script(source, name)? {
                        return Ok(Some(Found::Brought(bytes)));
                    }
                }
                Place::Image(directory) => {
                    let path = format!("{directory}/{name}");
                    let script = examined.iter().find(|script| script.path == path && script.fitness != Fitness::Missing);
                    let Some(script) = script else { continue };
                    return if self.is_fit(script) {
                        Ok(Some(Found::InImage(path)))
                    } else {
                        script.problem(image).map_or(Ok(None), Err)
                    };
                }
            }
        }
        Ok(None)
    }

    fn is_fit(&self, script: &Script) -> bool {
        match script.fitness {
            Fitness::Fit => true,
            Fitness::NotExecutable { mode, .. } => self.as_another && mode & 0o111 != 0,
            Fitness::Missing | Fitness::NotAFile => false,
        }
    }

    /// What is said of a script without which nothing can be built.
    pub(super) fn missing(&self, name: &str, image: &Image) -> Problem {
        let reference = image.reference();
        if let Some(url) = &self.elsewhere {
            return elsewhere(&format!("{name}-missing"), image, url);
        }
        let directories: Vec<String> = self.directories().map(|directory| format!("`{directory}` of `{reference}`")).collect();
        let message = format!("there is no script `{name}` in the source's `.s2i/bin` nor in {}", directories.join(" nor in "));
        Problem::invalid(format!("{name}-missing"), message)
            .hint("`--scripts-url image:///DIRECTORY` says where the image has its scripts; a source brings its own in .s2i/bin")
    }

    fn directories(&self) -> impl Iterator<Item = &str> {
        self.places.iter().filter_map(|place| match place {
            Place::Image(directory) => Some(directory.as_str()),
            Place::Source => None,
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
    let message = format!("`{}` says that its scripts are at {url}, and only those in the image are used", image.reference());
    Problem::invalid(code, message).hint(
        "put them into the image and say so: LABEL io.openshift.s2i.scripts-url=image:///usr/libexec/s2i; or bring them along in .s2i/bin",
    )
}

/// The directory of an image that an address of scripts names.
fn directory(url: &str) -> Option<String> {
    let path = url.strip_prefix(IN_IMAGE)?;
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (path.starts_with('/') && !parts.is_empty() && !parts.contains(&"..")).then(|| format!("/{}", parts.join("/")))
}

fn unknown_place(url: &str) -> Problem {
    Problem::invalid("invalid-scripts-url", format!("`--scripts-url {url}` names no directory of the image"))
        .hint("--scripts-url image:///usr/libexec/s2i; scripts of your own lie in .s2i/bin of the source")
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
