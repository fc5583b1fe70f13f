//! What no Dockerfile can say, or would say more than was asked for: refused before anything runs.

use sti_plugin::{Image, Problem, Variable};

/// Refuses a variable that no Dockerfile can say, before anything runs.
pub(crate) fn check_values(variables: &[Variable]) -> Result<(), Problem> {
    let is_unspeakable = |character: char| character.is_control() && character != '\t';
    match variables.iter().find(|variable| variable.value.contains(is_unspeakable)) {
        Some(variable) => {
            let message = format!(
                "the value of `{}` has several lines or control characters, which a Dockerfile cannot say",
                variable.name
            );
            Err(Problem::invalid("value-has-newline", message).hint("--strategy commit"))
        }
        None => Ok(()),
    }
}

/// Refuses an image that brings instructions along: a builder of an engine carries them out, and nobody asked for that.
pub(crate) fn check_triggers(image: &Image) -> Result<(), Problem> {
    let triggers = image.triggers();
    let Some(first) = triggers.first() else { return Ok(()) };
    let message =
        format!("`{}` has ONBUILD instructions, such as `{first}`, which the engine would carry out unasked", image.reference());
    Err(Problem::invalid("triggers-unasked", message).hint("--strategy commit, which carries none of them out"))
}
