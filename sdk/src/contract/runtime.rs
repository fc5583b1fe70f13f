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
    /// What it is called there.
    pub name: ArtifactName,
    /// Where it arrives in the runtime image: its own path, or the directory for all that match.
    pub at: String,
}

/// What is taken of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactName {
    /// The file or directory of this name.
    Is(String),
    /// All files and directories whose names match this glob.
    Matches(String),
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
        let directory = run.capture(&self.directory)?;
        match &self.name {
            ArtifactName::Is(name) => directory.part(name),
            ArtifactName::Matches(glob) => directory.matching(glob),
        }
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

/// How what is taken is written.
const WRITTEN: &str =
    "--runtime-artifact /PATH[:DIRECTORY], or /PATH:=NEW_PATH for another name; the last part of PATH may be a pattern";

/// Reads `PATH[:DIRECTORY]` or `PATH:=NEW_PATH`, where both are below the working directory of the runtime image.
fn artifact(written: &str, working_directory: &str) -> Result<RuntimeArtifact, Problem> {
    let refuse = |why: &str| {
        let message = format!("`{written}` cannot be taken from the builder: {why}");
        Err(Problem::invalid("invalid-runtime-artifact", message).hint(WRITTEN))
    };
    let unquoted = |word: &str| word.trim_matches(['"', '\'']).to_owned();
    let (path, to) = written.rsplit_once(':').unwrap_or((written, ""));
    let (path, to) = (unquoted(path), unquoted(to));
    let (new_path, directory) = match to.strip_prefix('=') {
        Some(new_path) => (Some(new_path), ""),
        None => (None, to.as_str()),
    };
    if !path.starts_with('/') {
        return refuse("its path is not an absolute one");
    }
    if directory.starts_with('/') || new_path.is_some_and(|path| path.starts_with('/')) {
        return refuse("where it goes is below the working directory of the runtime image, and so no absolute path");
    }
    let Some(path) = below_top(&path) else {
        return refuse("it leads upwards");
    };
    let (parent, name) = path.rsplit_once('/').unwrap_or_default();
    if parent.is_empty() {
        return refuse("what lies at the top of the file system cannot be told from what is not there; leave it in a directory");
    }
    if is_pattern(parent) {
        return refuse("only the last part of its path can be a pattern");
    }
    let (name, goes_to) = match (is_pattern(name), new_path) {
        (true, Some(_)) => return refuse("what matches a pattern keeps its names"),
        (true, None) => (ArtifactName::Matches(name.to_owned()), directory.to_owned()),
        (false, Some("")) => return refuse("behind `=` there is no name"),
        (false, Some(new_path)) => (ArtifactName::Is(name.to_owned()), new_path.to_owned()),
        (false, None) => (ArtifactName::Is(name.to_owned()), format!("{directory}/{name}")),
    };
    match below_top(&format!("{working_directory}/{goes_to}")) {
        Some(at) => Ok(RuntimeArtifact { directory: parent.to_owned(), name, at }),
        None => refuse("it leads upwards, or to the top of the file system"),
    }
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

#[cfg(test)]
mod tests {
    use super::{ArtifactName, artifact};

    /// What is taken, of which directory, and where it goes; a pattern is written with a `~` before it.
    fn read(written: &str) -> Option<(String, String, String)> {
        let artifact = artifact(written, "/srv/").ok()?;
        let name = match artifact.name {
            ArtifactName::Is(name) => name,
            ArtifactName::Matches(glob) => format!("~{glob}"),
        };
        Some((artifact.directory, name, artifact.at))
    }

    #[test]
    fn reads_what_is_taken_and_where_it_goes() {
        let cases = [
            ("/tmp/app.war", ("/tmp", "app.war", "/srv/app.war")),
            ("/tmp/app.war:.", ("/tmp", "app.war", "/srv/app.war")),
            ("/tmp//app.war:app/dist/", ("/tmp", "app.war", "/srv/app/dist/app.war")),
            ("/opt/data/", ("/opt", "data", "/srv/data")),
            ("'/opt/data':\"x\"", ("/opt", "data", "/srv/x/data")),
            ("/tmp/app-1.war:=app.war", ("/tmp", "app-1.war", "/srv/app.war")),
            ("/tmp/app-1.war:=deployments/ROOT.war", ("/tmp", "app-1.war", "/srv/deployments/ROOT.war")),
            ("/opt/*.jar", ("/opt", "~*.jar", "/srv")),
            ("/opt/lib/*.{jar,war}:lib", ("/opt/lib", "~*.{jar,war}", "/srv/lib")),
        ];
        for (written, (directory, name, at)) in cases {
            let expected = Some((directory.to_owned(), name.to_owned(), at.to_owned()));
            assert_eq!(read(written), expected, "{written}");
        }
        assert_eq!(artifact("/a/b", "").unwrap().at, "/b");
    }

    #[test]
    fn refuses_what_leads_elsewhere() {
        let refused = [
            "/opt/data:/var/lib",
            "/opt/data:=/var/lib/x",
            "/opt/data:=",
            "/opt/data:=../x",
            "/opt/*.jar:=app.jar",
            "/opt/*/app.jar",
            "/data",
            "opt/data",
            "/",
            "/opt/../etc",
            "/opt/data:../x",
        ];
        for written in refused {
            assert_eq!(read(written), None, "{written}");
        }
    }
}
