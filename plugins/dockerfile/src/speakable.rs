//! What no Dockerfile can say: refused before anything runs.

use sti_plugin::{Problem, Variable};

/// Refuses a variable that no Dockerfile can say, before anything runs.
pub(crate) fn check_values(variables: &[Variable]) -> Result<(), Problem> {
    match variables.iter().find(|variable| !variable.fits_an_instruction()) {
        Some(variable) => {
            let message = format!(
                "the value of `{}` has several lines, control characters or 64 KiB, which a Dockerfile cannot say",
                variable.name
            );
            Err(Problem::invalid("value-has-newline", message).hint("--strategy commit"))
        }
        None => Ok(()),
    }
}
