//! A step that runs one container.

use super::{Content, Made, words};
use crate::{Network, Placement, Problem, Variable, host::plans};

/// One container, from its creation to its end. It fails the build unless its command exits with 0.
///
/// ```
/// use sti_plugin::{Content, Image, Plan, Problem};
///
/// /// What `save-artifacts` leaves, for a later step.
/// fn saved(plan: &Plan, previous: &Image) -> Result<Content, Problem> {
///     plan.run("save artifacts", previous)?
///         .command(["/usr/bin/save-artifacts"])
///         .mount(&plan.empty(), "/tmp/artifacts")?
///         .capture("/tmp/artifacts")
/// }
/// ```
#[must_use = "a run is of use by what it captures or commits"]
pub struct Run(pub(super) plans::Run);

impl Run {
    /// Sets program and arguments; they never pass through a shell, nor through the image's entrypoint.
    pub fn command<W: Into<String>>(self, arguments: impl IntoIterator<Item = W>) -> Self {
        self.0.command(&words(arguments));
        self
    }

    /// Adds variables to the image's environment.
    pub fn environment<V: Into<Variable>>(self, variables: impl IntoIterator<Item = V>) -> Self {
        for Variable { name, value } in variables.into_iter().map(Into::into) {
            self.0.environment(&name, &value);
        }
        self
    }

    /// Sets the user; without it, it is the image's own.
    pub fn user(self, user: &str) -> Self {
        self.0.user(user);
        self
    }

    /// The same where there is one; the image's own else.
    pub fn as_user(self, user: Option<&str>) -> Self {
        match user {
            Some(user) => self.user(user),
            None => self,
        }
    }

    /// Sets the working directory; without it, it is the image's own.
    pub fn working_directory(self, path: &str) -> Self {
        self.0.working_directory(path);
        self
    }

    /// Sets what the container reaches; without it, it is what the user gave the build.
    pub fn network(self, network: Network) -> Self {
        self.0.network(network);
        self
    }

    /// Names a directory of which nothing is committed: it begins as the image has it, and what is mounted below it lies there as files do,
    /// so that the command can move and remove it.
    pub fn transient(self, path: &str) -> Self {
        self.0.transient(path);
        self
    }

    /// Lets the build go on where the command fails: the user is warned, and what it should leave is nowhere.
    pub fn tolerate_failure(self) -> Self {
        self.0.tolerate_failure();
        self
    }

    /// Names a file that the command may leave, with labels for the image that is committed: `{"labels": [{"name": "value"}]}`.
    pub fn labels_from(self, path: &str) -> Self {
        self.0.labels_from(path);
        self
    }

    /// Puts content at an absolute path while the step runs: writable, owned by the container's user, no part of what is committed.
    pub fn mount(self, content: &Content, at: impl AsRef<str>) -> Result<Self, Problem> {
        self.0.place(&content.0, at.as_ref(), Placement::Mounted)?;
        Ok(self)
    }

    /// Copies content to an absolute path first, owned by the container's user, as a part of what is committed.
    pub fn copy(self, content: &Content, at: impl AsRef<str>) -> Result<Self, Problem> {
        self.0.place(&content.0, at.as_ref(), Placement::Copied)?;
        Ok(self)
    }

    /// Stands for what lies at an absolute path when the command has ended.
    pub fn capture(&self, path: impl AsRef<str>) -> Result<Content, Problem> {
        Ok(Content(self.0.capture(path.as_ref())?))
    }

    /// Stands for what the command writes to its standard output, read as a tar and unpacked.
    pub fn capture_output(&self) -> Content {
        Content(self.0.capture_output())
    }

    /// Makes an image of the filesystem at the end: one new layer, and nothing of what was mounted.
    pub fn commit(&self) -> Made {
        Made(self.0.commit())
    }
}
