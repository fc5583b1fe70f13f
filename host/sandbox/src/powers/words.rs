//! The words of `types.wit` turned into those of `sti-core`, and back.

use sti_bindings::host::sti::host::types as wit;
use sti_core::{Problem, ProblemKind, Variable, plan::Network};

use crate::hygiene;

const MESSAGE: usize = 2_000;

pub(crate) fn problem_to_wit(problem: Problem) -> wit::Problem {
    let kind = match problem.kind {
        ProblemKind::Invalid => wit::ProblemKind::Invalid,
        ProblemKind::NotFound => wit::ProblemKind::NotFound,
        ProblemKind::Denied => wit::ProblemKind::Denied,
        ProblemKind::Unavailable => wit::ProblemKind::Unavailable,
        ProblemKind::Exhausted => wit::ProblemKind::Exhausted,
        ProblemKind::Cancelled => wit::ProblemKind::Cancelled,
        ProblemKind::Internal => wit::ProblemKind::Internal,
    };
    wit::Problem { kind, code: problem.code, message: problem.message, hint: problem.hint }
}

/// Cleans a guest's problem: what is no identifier becomes `plugin-problem`.
pub(crate) fn problem_from_wit(problem: &wit::Problem) -> Problem {
    let kind = match problem.kind {
        wit::ProblemKind::Invalid => ProblemKind::Invalid,
        wit::ProblemKind::NotFound => ProblemKind::NotFound,
        wit::ProblemKind::Denied => ProblemKind::Denied,
        wit::ProblemKind::Unavailable => ProblemKind::Unavailable,
        wit::ProblemKind::Exhausted => ProblemKind::Exhausted,
        wit::ProblemKind::Cancelled => ProblemKind::Cancelled,
        wit::ProblemKind::Internal => ProblemKind::Internal,
    };
    let code = if hygiene::is_kebab(&problem.code) { &problem.code } else { "plugin-problem" };
    let message = hygiene::line(&problem.message, MESSAGE);
    let hint = problem.hint.as_ref().map(|hint| hygiene::lines(hint, MESSAGE));
    Problem { kind, code: code.to_owned(), message, hint }
}

pub(crate) fn variables_to_wit(variables: &[Variable]) -> Vec<wit::Variable> {
    let to_wit = |variable: &Variable| wit::Variable { name: variable.name.clone(), value: variable.value.clone() };
    variables.iter().map(to_wit).collect()
}

pub(crate) fn network_to_wit(network: Network) -> wit::Network {
    match network {
        Network::None => wit::Network::None,
        Network::Outgoing => wit::Network::Outgoing,
    }
}

pub(crate) fn network_from_wit(network: wit::Network) -> Network {
    match network {
        wit::Network::None => Network::None,
        wit::Network::Outgoing => Network::Outgoing,
    }
}

pub(crate) fn value_of(variables: &[Variable], name: &str) -> Option<String> {
    variables.iter().find(|variable| variable.name == name).map(|variable| variable.value.clone())
}
