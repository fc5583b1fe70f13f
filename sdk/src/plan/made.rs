//! An image that a plan makes, and what it says of itself.

use super::{Content, words};
use crate::{Problem, Variable, host::plans};

/// An image that the plan makes. What is not set here stays as the base has it.
///
/// ```
/// use sti_plugin::{Made, Plan, Problem};
///
/// fn deliver(plan: &Plan, app: &Made) -> Result<(), Problem> {
///     app.command(["/usr/bin/run"]).environment([("PORT", "8080")]).expose("8080/tcp");
///     plan.product("app", app)
/// }
/// ```
pub struct Made(pub(super) plans::Made);

impl Made {
    /// Replaces the entrypoint.
    pub fn entrypoint<W: Into<String>>(&self, arguments: impl IntoIterator<Item = W>) -> &Self {
        self.0.entrypoint(&words(arguments));
        self
    }

    /// Replaces the command.
    pub fn command<W: Into<String>>(&self, arguments: impl IntoIterator<Item = W>) -> &Self {
        self.0.command(&words(arguments));
        self
    }

    /// Adds variables to the environment.
    pub fn environment<V: Into<Variable>>(&self, variables: impl IntoIterator<Item = V>) -> &Self {
        for Variable { name, value } in variables.into_iter().map(Into::into) {
            self.0.environment(&name, &value);
        }
        self
    }

    /// Adds a label.
    pub fn label(&self, name: &str, value: &str) -> &Self {
        self.0.label(name, value);
        self
    }

    /// Replaces the user.
    pub fn user(&self, user: &str) -> &Self {
        self.0.user(user);
        self
    }

    /// Replaces the working directory.
    pub fn working_directory(&self, path: &str) -> &Self {
        self.0.working_directory(path);
        self
    }

    /// Adds an exposed port, such as `8080/tcp`.
    pub fn expose(&self, port: &str) -> &Self {
        self.0.expose(port);
        self
    }

    /// Stands for files at an absolute path of the image.
    pub fn files_at(&self, path: impl AsRef<str>) -> Result<Content, Problem> {
        Ok(Content(self.0.files_at(path.as_ref())?))
    }
}
