//! Names, values and commands: what may stand in them.

use sti_core::Variable;

use super::At;
use crate::denial::Denial;
use crate::quoting::shown;

/// Labels that begin so say which build a thing belongs to, and are the host's own: clean-up goes by them.
const OUR_LABELS: &str = "sti.";

/// A title is shown while the step runs: one line without control characters.
pub(super) fn judge_title(at: &At<'_>, title: &str) -> Result<(), Denial> {
    if title.trim().is_empty() || title.len() > 500 || title.chars().any(char::is_control) {
        let wish = format!("call a step `{}`", shown(title));
        return Err(at.refuse(wish, "a title is one line of 1 to 500 bytes without control characters"));
    }
    Ok(())
}

/// A program and its arguments, to be run.
pub(super) fn judge_command(at: &At<'_>, command: &[String]) -> Result<(), Denial> {
    if command.first().is_none_or(String::is_empty) {
        return Err(at.refuse("run an empty command", "a command names its program"));
    }
    judge_arguments(at, command)
}

/// A program and its arguments, to be written into an image; may be empty, which takes the base's away.
pub(super) fn judge_arguments(at: &At<'_>, arguments: &[String]) -> Result<(), Denial> {
    match arguments.iter().find(|argument| argument.contains('\0')) {
        Some(argument) => Err(at.refuse(format!("pass the argument `{}`", shown(argument)), "arguments hold no NUL byte")),
        None => Ok(()),
    }
}

/// Variables of a plan. A strategy may set its own, which carry no authority; one that the user set keeps the user's value.
pub(super) fn judge_variables<'a>(at: &At<'_>, variables: impl IntoIterator<Item = &'a Variable>) -> Result<(), Denial> {
    variables.into_iter().try_for_each(|variable| judge_variable(at, variable))
}

fn judge_variable(at: &At<'_>, variable: &Variable) -> Result<(), Denial> {
    let name = &variable.name;
    let is_odd = |character: char| character == '=' || character.is_whitespace() || character.is_control();
    if name.is_empty() || name.contains(is_odd) || variable.value.contains('\0') {
        let wish = format!("set the variable `{}`", shown(name));
        return Err(at.refuse(wish, "names of variables hold no `=`, no space and no control character, values no NUL byte"));
    }
    let mut users_own = at.grant.all_variables().filter(|own| own.name == *name).peekable();
    if users_own.peek().is_some() && users_own.all(|own| own.value != variable.value) {
        let wish = format!("set the variable `{}` to another value than the user's", shown(name));
        return Err(at.refuse(wish, format!("the command line sets `{}`", shown(name))));
    }
    Ok(())
}

/// Variables that an image keeps: none of those that the user gave for the scripts only.
pub(super) fn judge_kept_variables<'a>(at: &At<'_>, variables: impl IntoIterator<Item = &'a Variable>) -> Result<(), Denial> {
    variables.into_iter().try_for_each(|variable| {
        if at.grant.named.build_environment.iter().any(|own| own.name == variable.name) {
            let wish = format!("keep the variable `{}` in an image", shown(&variable.name));
            return Err(at.refuse(wish, format!("`--build-env` gives `{}` to scripts only", shown(&variable.name))));
        }
        judge_variable(at, variable)
    })
}

/// Labels of an image.
pub(super) fn judge_labels(at: &At<'_>, labels: &[Variable]) -> Result<(), Denial> {
    for label in labels {
        if let Some(why) = refused_label(label) {
            return Err(at.refuse(format!("set the label `{}`", shown(&label.name)), why));
        }
    }
    Ok(())
}

/// Tells why no image may bear a label; `None` where one may.
pub fn refused_label(label: &Variable) -> Option<&'static str> {
    let name = &label.name;
    let is_odd = |character: char| !character.is_ascii_graphic() || matches!(character, '=' | '"' | '\'' | '\\' | '$');
    if name.is_empty() || name.contains(is_odd) || label.value.contains('\0') {
        return Some("names of labels are printable ASCII without spaces, quotes, `=`, `$` and `\\`, values hold no NUL byte");
    }
    name.to_ascii_lowercase().starts_with(OUR_LABELS).then_some("labels that begin with `sti.` are the host's own")
}

/// Ports of an image, such as `8080` or `8080/tcp`.
pub(super) fn judge_ports(at: &At<'_>, ports: &[String]) -> Result<(), Denial> {
    match ports.iter().find(|port| !is_port(port)) {
        Some(port) => Err(at
            .refuse(format!("expose `{}`", shown(port)), "ports are 1 to 65535, with `/tcp`, `/udp`, `/sctp` or nothing behind")),
        None => Ok(()),
    }
}

fn is_port(written: &str) -> bool {
    let (number, protocol) = written.split_once('/').unwrap_or((written, "tcp"));
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u16>().is_ok_and(|number| number > 0);
    is_number && matches!(protocol, "tcp" | "udp" | "sctp")
}
