//! Contents: what they are made of must exist, lie at an honest path, and be granted.

use sti_core::Plan;
use sti_core::plan::{Action, Content, ContentId, Names, PlanFile, StepId};

use super::At;
use super::paths::{judge_absolute, judge_relative};
use crate::denial::{Denial, Where};
use crate::grant::Grant;
use crate::quoting::{listed, shown};

const PERMISSION_BITS: u32 = 0o777;

/// Parts of parts are looked up again and again: a short chain keeps that cheap.
const MOST_PARTS_OF_PARTS: usize = 16;

pub(super) fn judge(plan: &Plan, grant: &Grant) -> Result<(), Denial> {
    let mut depths: Vec<usize> = Vec::new();
    for (index, content) in plan.contents.iter().enumerate() {
        let at = At { grant, place: Where::Content { index } };
        judge_content(plan, content, &at)?;
        depths.push(judge_depth(&depths, content, &at)?);
    }
    Ok(())
}

fn judge_content(plan: &Plan, content: &Content, at: &At<'_>) -> Result<(), Denial> {
    match content {
        Content::Source | Content::Empty => Ok(()),
        Content::Files { files } => judge_files(at, files),
        Content::Capture { step, path } => {
            judge_runs(plan, *step, at)?;
            judge_absolute(at, "capture", path)
        }
        Content::Output { step } => judge_runs(plan, *step, at),
        Content::ImageFiles { step, path } => {
            judge_makes_image(plan, *step, at)?;
            judge_absolute(at, "take files from", path)
        }
        Content::Cache { name } => judge_granted(at, "cache", name, &at.grant.named.caches),
        Content::Secret { name } => at.grant.judge_secret(name, &at.place),
        Content::Part { path, .. } => judge_relative(at, "take the part", path),
        Content::Matching { of, glob } => judge_choice(plan, *of, glob, at),
    }
}

/// Entries of a directory that a step leaves; which ones is said by names, which lead nowhere else.
fn judge_choice(plan: &Plan, of: ContentId, glob: &str, at: &At<'_>) -> Result<(), Denial> {
    let wish = || format!("pick what matches `{}`", shown(glob));
    if let Err(why) = Names::of(glob) {
        return Err(at.refuse(wish(), format!("that stands for no names: {why}")));
    }
    if plan.made_by(of).is_none() || plan.glob(of).is_some() {
        return Err(at.refuse(wish(), "only of what a step leaves can entries be picked"));
    }
    Ok(())
}

/// How many parts a content is deep, by the depths of the earlier ones.
fn judge_depth(earlier: &[usize], content: &Content, at: &At<'_>) -> Result<usize, Denial> {
    let (Content::Part { of, .. } | Content::Matching { of, .. }) = content else { return Ok(0) };
    match earlier.get(of.0 as usize) {
        None => Err(at.refuse(format!("take a part of content {}", of.0), "a part is written after what it is a part of")),
        Some(depth) if *depth >= MOST_PARTS_OF_PARTS => {
            Err(at.refuse("take a part of so many parts", format!("parts go {MOST_PARTS_OF_PARTS} deep")))
        }
        Some(depth) => Ok(depth + 1),
    }
}

fn judge_files(at: &At<'_>, files: &[PlanFile]) -> Result<(), Denial> {
    for file in files {
        judge_relative(at, "write the file", &file.path)?;
        if file.mode & !PERMISSION_BITS != 0 {
            let wish = format!("give `{}` the mode {:o}", shown(&file.path), file.mode);
            return Err(at.refuse(wish, "a mode holds the nine permission bits and no other"));
        }
    }
    // With NUL in the place of the slash, what lies below a file comes right behind it.
    let mut paths: Vec<String> = files.iter().map(|file| file.path.replace('/', "\0")).collect();
    paths.sort_unstable();
    for pair in paths.windows(2) {
        let (path, next) = (&pair[0], pair[1].replace('\0', "/"));
        match pair[1].strip_prefix(path) {
            Some("") => return Err(at.refuse(format!("write `{}` twice", shown(&next)), "each file is written once")),
            Some(below) if below.starts_with('\0') => {
                return Err(at.refuse(format!("write `{}` below a file", shown(&next)), "only directories have something below"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn judge_runs(plan: &Plan, step: StepId, at: &At<'_>) -> Result<(), Denial> {
    match plan.step(step).map(|step| &step.action) {
        Some(Action::Run(_)) => Ok(()),
        Some(_) => {
            Err(at.refuse(format!("capture from step {}", step.0 + 1), "only a step that runs a container can be captured from"))
        }
        None => Err(no_such_step(plan, step, at)),
    }
}

/// Tells that a step exists and that an image comes out of it.
pub(super) fn judge_makes_image(plan: &Plan, step: StepId, at: &At<'_>) -> Result<(), Denial> {
    match plan.step(step).map(sti_core::plan::Step::changes) {
        Some(Some(_)) => Ok(()),
        Some(None) => {
            Err(at.refuse(format!("use the image of step {}", step.0 + 1), "that step commits nothing, so it makes no image"))
        }
        None => Err(no_such_step(plan, step, at)),
    }
}

fn no_such_step(plan: &Plan, step: StepId, at: &At<'_>) -> Denial {
    let wish = format!("use step {}", u64::from(step.0) + 1);
    at.refuse(wish, format!("the last step of the plan is {}", plan.steps.len()))
}

fn judge_granted(at: &At<'_>, kind: &str, name: &str, granted: &[String]) -> Result<(), Denial> {
    if granted.iter().any(|own| own == name) {
        return Ok(());
    }
    let grant = format!("of {kind}s, the command line names {}", listed(granted));
    Err(at.refuse(format!("use the {kind} `{}`", shown(name)), grant))
}
