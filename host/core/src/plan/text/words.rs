//! Words of a plan's text: names, commands, contents and bases as a person reads them.

use crate::Variable;
use crate::plan::{Base, Content, ContentId, Network, Plan, PlanFile, StepId};

const MOST_FILES_NAMED: usize = 4;

/// A word as it is where it is plain, else in quotes with what is odd spelled out.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || " ._-/:=@,+%~*()[]{}`#'&!?<>|$;^".contains(character);
    let is_odd = word.is_empty() || word.starts_with(' ') || word.ends_with(' ') || !word.chars().all(is_plain);
    if is_odd { format!("{word:?}") } else { word.to_owned() }
}

/// Program and arguments: what holds a space is in quotes.
pub(super) fn command(arguments: &[String]) -> String {
    let argument = |argument: &String| if argument.contains(' ') { format!("{argument:?}") } else { quoted(argument) };
    if arguments.is_empty() { "(none)".to_owned() } else { arguments.iter().map(argument).collect::<Vec<_>>().join(" ") }
}

/// `NAME=VALUE`.
pub(super) fn pair(variable: &Variable) -> String {
    format!("{}={}", quoted(&variable.name), quoted(&variable.value))
}

/// A user as an image's configuration writes it.
pub(super) fn user(written: &str) -> String {
    if written.is_empty() { "root".to_owned() } else { quoted(written) }
}

/// What containers reach.
pub(super) fn network(network: Network) -> &'static str {
    match network {
        Network::None => "none",
        Network::Outgoing => "outgoing",
    }
}

/// A step by its number.
pub(super) fn step(step: StepId) -> String {
    format!("step {}", u64::from(step.0) + 1)
}

/// The image that a step makes.
pub(super) fn image_of(made_by: StepId) -> String {
    format!("the image of {}", step(made_by))
}

/// What a step starts from.
pub(super) fn base(base: &Base) -> String {
    match base {
        Base::Image { reference, id, user: own } => format!("{reference} ({}), whose user is {}", quoted(id.short()), user(own)),
        Base::Step { step } => image_of(*step),
        Base::Scratch => "an empty filesystem".to_owned(),
    }
}

/// A content, by where it comes from. One that is part of another names both.
pub(super) fn content(plan: &Plan, id: ContentId) -> String {
    match plan.resolve(id) {
        None => format!("content {}, which is not there", id.0),
        Some((_, whole, below)) => {
            let within = [Some(below.as_str()).filter(|below| !below.is_empty()), plan.glob(id)];
            let parts = within.into_iter().flatten().collect::<Vec<_>>().join("/");
            if parts.is_empty() { whole_content(whole) } else { format!("{} of {}", quoted(&parts), whole_content(whole)) }
        }
    }
}

fn whole_content(content: &Content) -> String {
    match content {
        Content::Source => "the source".to_owned(),
        Content::Empty => "an empty directory".to_owned(),
        Content::Files { files } => written_files(files),
        Content::Capture { step: of, path } => format!("{} of {}", quoted(path), step(*of)),
        Content::Output { step: of } => format!("the output of {}", step(*of)),
        Content::ImageFiles { step: of, path } => format!("{} of {}", quoted(path), image_of(*of)),
        Content::Cache { name } => format!("the cache {}", quoted(name)),
        Content::Secret { name } => format!("the secret {}", quoted(name)),
        Content::Part { path, .. } => quoted(path),
        Content::Matching { glob, .. } => quoted(glob),
    }
}

fn written_files(files: &[PlanFile]) -> String {
    let named: Vec<String> = files.iter().take(MOST_FILES_NAMED).map(|file| quoted(&file.path)).collect();
    let more =
        if files.len() > MOST_FILES_NAMED { format!(" and {} more", files.len() - MOST_FILES_NAMED) } else { String::new() };
    format!("files of the plan ({}{more})", named.join(", "))
}
