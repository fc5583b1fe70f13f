//! A name with its value: of an environment variable, a label, a header.

use crate::host::types;

/// Readers of Dockerfiles take no line that is longer, its end included.
const LONGEST_LINE: usize = 65_535;

/// A name and its value.
///
/// ```
/// use sti_plugin::Variable;
///
/// let variable = Variable::from(("PORT", "8080"));
/// assert_eq!(variable.to_string(), "PORT=8080");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Never empty, never with `=`.
    pub name: String,
    /// Any text.
    pub value: String,
}

impl Variable {
    /// Joins a name and a value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    /// Tells whether an instruction of a [`Build`](crate::Build) can set it: a Dockerfile says nothing in several lines, no control
    /// characters but tabs, and nothing in a line of 64 KiB.
    pub fn fits_an_instruction(&self) -> bool {
        let escaped = self.value.matches(['"', '\\', '$']).count();
        let is_too_long = "ENV =\"\"".len() + self.name.len() + self.value.len() + escaped >= LONGEST_LINE;
        !is_too_long && !self.value.contains(|character: char| character.is_control() && character != '\t')
    }

    pub(crate) fn list(variables: Vec<types::Variable>) -> Vec<Self> {
        variables.into_iter().map(|types::Variable { name, value }| Self { name, value }).collect()
    }
}

impl From<Variable> for types::Variable {
    fn from(Variable { name, value }: Variable) -> Self {
        Self { name, value }
    }
}

impl<N: Into<String>, V: Into<String>> From<(N, V)> for Variable {
    fn from((name, value): (N, V)) -> Self {
        Self::new(name, value)
    }
}

impl std::fmt::Display for Variable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}={}", self.name, self.value)
    }
}
