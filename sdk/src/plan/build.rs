//! A step that builds with instructions.

use super::{Content, Made, words};
use crate::{Network, Problem, Variable, host::plans};

/// A list of instructions, carried out in the order in which they are written, each with a layer of its own.
///
/// ```
/// use sti_plugin::{Image, Made, Plan, Problem};
///
/// fn prepared(plan: &Plan, builder: &Image) -> Result<Made, Problem> {
///     let build = plan
///         .build("build", builder)?
///         .copy(&plan.source(), "/tmp/src", Some("431"))?
///         .environment([("MODE", "production")])
///         .run(["/usr/bin/prepare"]);
///     Ok(build.finish())
/// }
/// ```
#[must_use = "a build is of use by the image it makes"]
pub struct Build(pub(super) plans::Build);

impl Build {
    /// Carries out the `ONBUILD` instructions of the image that the step starts from, before all instructions of its own, with content at the top
    /// of their build context. Granted where the user allows it; an image without any stays as it is.
    pub fn carry_out_triggers(self, context: &Content) -> Result<Self, Problem> {
        self.0.carry_out_triggers(&context.0)?;
        Ok(self)
    }

    /// Copies content to an absolute path; it belongs to `owner` (`user`, `uid`, `user:group`, `uid:gid`), else to the base's user.
    pub fn copy(self, content: &Content, at: impl AsRef<str>, owner: Option<&str>) -> Result<Self, Problem> {
        self.0.copy(&content.0, at.as_ref(), owner)?;
        Ok(self)
    }

    /// Runs a program with arguments, through no shell.
    pub fn run<W: Into<String>>(self, arguments: impl IntoIterator<Item = W>) -> Self {
        self.0.run(&words(arguments));
        self
    }

    /// Sets variables for what follows and for the image.
    pub fn environment<V: Into<Variable>>(self, variables: impl IntoIterator<Item = V>) -> Self {
        for Variable { name, value } in variables.into_iter().map(Into::into) {
            self.0.environment(&name, &value);
        }
        self
    }

    /// Sets the user for what follows and for the image.
    pub fn user(self, user: &str) -> Self {
        self.0.user(user);
        self
    }

    /// Sets the working directory for what follows and for the image.
    pub fn working_directory(self, path: &str) -> Self {
        self.0.working_directory(path);
        self
    }

    /// Sets what the commands reach; without it, it is what the user gave the build.
    pub fn network(self, network: Network) -> Self {
        self.0.network(network);
        self
    }

    /// Makes the image.
    pub fn finish(&self) -> Made {
        Made(self.0.finish())
    }
}
