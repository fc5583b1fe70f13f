//! Whether the scripts of a contract are there, and may be executed by those who must.

use crate::{Image, PathFact, PathKind, Problem, may_execute};

/// What there is to say of one script of an image.
///
/// ```
/// use sti_plugin::contract::{Fitness, PREPARE, examine};
/// use sti_plugin::testing::{FakeImage, FakeImages};
/// use sti_plugin::{Pull, require};
///
/// let images = FakeImages::new([FakeImage::new("builder").executable("/usr/bin/prepare").file("/usr/bin/run", 0o600, 0, 0)]);
/// images.during(|| {
///     let builder = require("builder", Pull::Never)?;
///     let scripts = examine(&builder, [PREPARE.build_script(), PREPARE.run_script()])?;
///     assert_eq!(scripts[0].fitness, Fitness::Fit);
///     assert_eq!(scripts[1].problem(&builder).unwrap().code(), "run-not-executable");
///     Ok::<(), sti_plugin::Problem>(())
/// }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The absolute path that was looked at.
    pub path: String,
    /// What is the case there.
    pub fitness: Fitness,
}

/// Whether a script can be run by the image's user. See [`Script`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// A regular file that the user may execute.
    Fit,
    /// There is nothing.
    Missing,
    /// There is something, but no regular file.
    NotAFile,
    /// There is a file that the user may not execute.
    NotExecutable {
        /// Its permission bits.
        mode: u32,
        /// The user, as the image's configuration writes it.
        user: String,
    },
}

/// Looks at scripts of an image, all in one question. The image's user is resolved only where the answer depends on it.
pub fn examine(image: &Image, scripts: impl IntoIterator<Item = String>) -> Result<Vec<Script>, Problem> {
    let paths: Vec<String> = scripts.into_iter().collect();
    let facts = image.look_at(paths.clone())?;
    let script = |path: String| {
        let fact = facts.iter().find(|fact| fact.path == path);
        Ok(Script { fitness: fact.map_or(Ok(Fitness::Missing), |fact| judge(image, fact))?, path })
    };
    paths.into_iter().map(script).collect()
}

pub(crate) fn judge(image: &Image, fact: &PathFact) -> Result<Fitness, Problem> {
    if fact.kind != PathKind::File {
        return Ok(Fitness::NotAFile);
    }
    // Most scripts may be executed by all, and then it does not matter who asks.
    if fact.mode & 0o111 == 0o111 || may_execute(fact, &image.runs_as()?) {
        return Ok(Fitness::Fit);
    }
    Ok(Fitness::NotExecutable { mode: fact.mode & 0o7777, user: image.user() })
}

impl Script {
    /// Tells the problem that it is, such as `prepare-missing`; `None` where it is fit.
    pub fn problem(&self, image: &Image) -> Option<Problem> {
        let (path, reference) = (&self.path, image.reference());
        let name = path.rsplit('/').next().unwrap_or(path);
        match &self.fitness {
            Fitness::Fit => None,
            Fitness::Missing => Some(
                Problem::invalid(format!("{name}-missing"), format!("`{reference}` has no script `{path}`"))
                    .hint(format!("add it to the image: COPY --chmod=755 {name} {path}")),
            ),
            Fitness::NotAFile => Some(
                Problem::invalid(format!("{name}-not-a-file"), format!("`{path}` in `{reference}` is no regular file"))
                    .hint(format!("put the script itself there: COPY --chmod=755 {name} {path}")),
            ),
            Fitness::NotExecutable { mode, user } => {
                let user = if user.is_empty() { "root" } else { user };
                let message = format!("`{path}` in `{reference}` may not be executed by its user `{user}` (mode {mode:04o})");
                Some(
                    Problem::invalid(format!("{name}-not-executable"), message)
                        .hint(format!("make it executable in the image: COPY --chmod=755 {name} {path}")),
                )
            }
        }
    }
}
