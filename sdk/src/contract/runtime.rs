//! The runtime image of an extended build by the assemble contract: what it gets of the builder, and by whom it is put together.

use super::{ASSEMBLE, found::Brought, locations::Locations, parts, paths::below_top, said};
use crate::{Content, Image, Job, Problem, Run};

/// Deploys what a builder made. A part of [`AssembleParts`](super::AssembleParts).
pub struct RuntimeParts {
    /// What the product is made from.
    pub image: Image,
    /// The script that puts the product together, where there is one.
    pub assemble: Option<String>,
    /// The script that becomes the command of the product.
    pub run: String,
    /// Who the script runs as, where it is not the image's own user.
    pub user: Option<String>,
    /// What is taken from the builder.
    pub artifacts: Vec<RuntimeArtifact>,
    /// Scripts of the source, as they arrive in the product.
    pub(super) brought: Brought,
}

/// A file or directory of the builder, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeArtifact {
    /// The directory of the builder that it lies in.
    pub directory: String,
    /// Its name there.
    pub name: String,
    /// Where it arrives in the runtime image.
    pub at: String,
}

impl RuntimeParts {
    pub(super) fn find(job: &Job, destination: &str) -> Result<Option<Self>, Problem> {
        let Some(name) = job.runtime_image() else { return Ok(None) };
        let image = parts::image(&name, "runtime")?;
        let user = job.assemble_runtime_user().or_else(|| said(&image, &[USER_LABEL], &[]));
        let locations = Locations::of(job, &image, user.is_some())?;
        let mut brought = Brought::below(destination);
        let assemble = locations.find(ASSEMBLE_RUNTIME, &image, job)?;
        let run = locations.find(ASSEMBLE.run, &image, job)?;
        let assemble = assemble.map(|found| brought.place(ASSEMBLE_RUNTIME, found));
        let run = brought.place(ASSEMBLE.run, run.ok_or_else(|| locations.missing(ASSEMBLE.run, &image))?);
        Ok(Some(Self { assemble, run, user, artifacts: artifacts(job, &image)?, brought, image }))
    }
}

impl RuntimeArtifact {
    /// Stands for what the command of a step leaves there; the build fails where it leaves nothing.
    pub fn left_by(&self, run: &Run) -> Result<Content, Problem> {
        run.capture(&self.directory)?.part(&self.name)
    }
}

/// The script that puts the product together in the runtime image.
const ASSEMBLE_RUNTIME: &str = "assemble-runtime";
/// The label by which a runtime image says who that script runs as.
const USER_LABEL: &str = "io.openshift.s2i.assemble-runtime-user";
/// The label by which a runtime image says what it takes of a builder.
const FILES_LABEL: &str = "io.openshift.s2i.assemble-input-files";

/// What the user wants deployed, else what the image asks for.
fn artifacts(job: &Job, image: &Image) -> Result<Vec<RuntimeArtifact>, Problem> {
    let mut written = job.runtime_artifacts();
    if written.is_empty() {
        written = said(image, &[FILES_LABEL], &[]).into_iter().collect();
    }
    let working_directory = image.working_directory();
    let pieces = written.iter().flat_map(|list| list.split(';')).map(str::trim).filter(|piece| !piece.is_empty());
    let artifacts: Vec<_> = pieces.map(|piece| artifact(piece, &working_directory)).collect::<Result<_, _>>()?;
    if artifacts.is_empty() {
        let message = format!(
            "nothing says what `{}` gets of the builder, and by `assemble` an extended build deploys files",
            image.reference()
        );
        return Err(Problem::invalid("runtime-artifact-missing", message)
            .hint(format!("--runtime-artifact /PATH[:DIRECTORY]; or the runtime image says it: LABEL {FILES_LABEL}=/PATH")));
    }
    Ok(artifacts)
}

/// Reads `PATH[:DIRECTORY]`, where the directory is below the working directory of the runtime image.
fn artifact(written: &str, working_directory: &str) -> Result<RuntimeArtifact, Problem> {
    let refuse = |why: &str| {
        let message = format!("`{written}` cannot be taken from the builder: {why}");
        Err(Problem::invalid("invalid-runtime-artifact", message).hint("--runtime-artifact /PATH[:DIRECTORY]"))
    };
    let unquoted = |word: &str| word.trim_matches(['"', '\'']).to_owned();
    let (path, directory) = written.rsplit_once(':').unwrap_or((written, ""));
    let (path, directory) = (unquoted(path), unquoted(directory));
    if path.contains(['*', '?', '[']) {
        return refuse("patterns are not supported; name the directory");
    }
    if !path.starts_with('/') {
        return refuse("its path is not an absolute one");
    }
    if directory.starts_with('/') {
        return refuse("its directory is below the working directory of the runtime image, and so no absolute path");
    }
    let Some(path) = below_top(&path) else {
        return refuse("it leads upwards");
    };
    let (parent, name) = path.rsplit_once('/').unwrap_or_default();
    if parent.is_empty() {
        return refuse("what lies at the top of the file system cannot be told from what is not there; leave it in a directory");
    }
    match below_top(&format!("{working_directory}/{directory}/{name}")) {
        Some(at) => Ok(RuntimeArtifact { directory: parent.to_owned(), name: name.to_owned(), at }),
        None => refuse("it leads upwards"),
    }
}

#[cfg(test)]
mod tests {
    use super::artifact;

    #[test]
    fn reads_what_is_taken_and_where_it_goes() {
        let cases = [
            ("/tmp/app.war", Some(("/tmp", "app.war", "/srv/app.war"))),
            ("/tmp/app.war:.", Some(("/tmp", "app.war", "/srv/app.war"))),
            ("/tmp//app.war:app/dist/", Some(("/tmp", "app.war", "/srv/app/dist/app.war"))),
            ("/opt/data/", Some(("/opt", "data", "/srv/data"))),
            ("'/opt/data':\"x\"", Some(("/opt", "data", "/srv/x/data"))),
            ("/opt/data:/var/lib", None),
            ("/data", None),
            ("opt/data", None),
            ("/", None),
            ("/opt/../etc", None),
            ("/opt/data:../x", None),
            ("/opt/*.jar", None),
        ];
        for (written, expected) in cases {
            let read = artifact(written, "/srv/").ok();
            let read = read.as_ref().map(|read| (read.directory.as_str(), read.name.as_str(), read.at.as_str()));
            assert_eq!(read, expected, "{written}");
        }
        assert_eq!(artifact("/a/b", "").unwrap().at, "/b");
    }
}
