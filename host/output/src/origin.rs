//! Where a stage copies a content from: the context, or an earlier stage.

use std::collections::BTreeMap;

use sti_core::{
    Plan,
    plan::{Content, ContentId, StepId},
};

/// Where the bytes of a content are when the Dockerfile is built.
pub(crate) struct Origin {
    /// The stage; none for the context.
    pub(crate) stage: Option<String>,
    /// A path there.
    pub(crate) path: String,
}

/// The contents that lie in the context, by the name that each has there.
pub(crate) type Placed = BTreeMap<String, ContentId>;

/// What a content is copied from; what goes into the context is noted in `used`. Answers what the matter is, where there is no such place.
pub(crate) fn origin_of(plan: &Plan, id: ContentId, directory: &str, used: &mut Placed) -> Result<Origin, String> {
    let (_, content, below) = plan.resolve(id).ok_or("it is given a content that leads nowhere")?;
    if let Some(glob) = plan.glob(id) {
        // COPY has patterns, too, but takes what lies in a directory for the directory.
        return Err(format!("it is given what matches `{glob}`, and no instruction copies directories by patterns"));
    }
    let name = match content {
        Content::Capture { step, path } | Content::ImageFiles { step, path } => {
            let path = if below.is_empty() { path.clone() } else { format!("{path}/{below}") };
            return Ok(Origin { stage: Some(stage_name(*step)), path });
        }
        Content::Output { .. } => return Err("it is given what another one prints, which no instruction unpacks".to_owned()),
        Content::Cache { name } => return Err(format!("it is given the cache `{name}`")),
        Content::Secret { name } => return Err(format!("it is to keep the secret `{name}`")),
        Content::Part { .. } | Content::Matching { .. } => return Err("it is given a part of itself".to_owned()),
        Content::Source if below.is_empty() => "source".to_owned(),
        Content::Empty if below.is_empty() => "empty".to_owned(),
        Content::Files { .. } if below.is_empty() => format!("files-{}", id.0),
        Content::Source | Content::Empty | Content::Files { .. } => format!("part-{}", id.0),
    };
    let path = format!("{directory}/{name}");
    used.entry(name).or_insert(id);
    Ok(Origin { stage: None, path })
}

/// The name of the stage of a step, which counts from 1 as the text of a plan does.
pub(crate) fn stage_name(step: StepId) -> String {
    format!("step-{}", step.0 + 1)
}
