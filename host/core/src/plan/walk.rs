//! Questions about the order of a plan: what a step needs, and what later steps need of it.

use std::collections::BTreeSet;

use super::{Base, Content, ContentId, Plan, Step, StepId};

impl Plan {
    /// The steps that must have ended before `step` can begin.
    pub fn needs(&self, step: &Step) -> BTreeSet<StepId> {
        let from_base = match step.base {
            Base::Step { step } => Some(step),
            Base::Image { .. } | Base::Scratch => None,
        };
        let from_contents = step.contents().into_iter().filter_map(|content| self.made_by(content));
        from_base.into_iter().chain(from_contents).collect()
    }

    /// The content that a chain of parts ends in, with the path below it (`""` for the whole). `None` where a number leads nowhere.
    /// Entries that are picked by their names lead to the directory that holds them: see [`Plan::glob`].
    pub fn resolve(&self, id: ContentId) -> Option<(ContentId, &Content, String)> {
        let mut below = String::new();
        let mut at = id;
        loop {
            match self.content(at)? {
                // A part is written after what it is a part of: a chain that does not descend has no end.
                Content::Part { of, path } if of.0 < at.0 => {
                    below = if below.is_empty() { path.clone() } else { format!("{path}/{below}") };
                    at = *of;
                }
                // Nothing is a part of what was picked.
                Content::Matching { of, .. } if of.0 < at.0 && at == id => at = *of,
                Content::Part { .. } | Content::Matching { .. } => return None,
                content => return Some((at, content, below)),
            }
        }
    }

    /// The glob of a content that is entries of a directory; `None` for all others.
    pub fn glob(&self, id: ContentId) -> Option<&str> {
        match self.content(id)? {
            Content::Matching { glob, .. } => Some(glob),
            _ => None,
        }
    }

    /// Where content lies in the container or image that leaves it, with the glob where it is entries of a directory. `None` for what has
    /// no such place.
    pub fn path_of(&self, id: ContentId) -> Option<String> {
        let (_, whole, below) = self.resolve(id)?;
        let (Content::Capture { path, .. } | Content::ImageFiles { path, .. }) = whole else { return None };
        let parts = [path.as_str(), &below, self.glob(id).unwrap_or_default()];
        Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
    }

    /// The step that makes a content; `None` for what is there before any step.
    pub fn made_by(&self, content: ContentId) -> Option<StepId> {
        match self.resolve(content)?.1 {
            Content::Capture { step, .. } | Content::Output { step } | Content::ImageFiles { step, .. } => Some(*step),
            _ => None,
        }
    }

    /// The paths of `step` that later steps use, with the contents that stand for them.
    pub fn captures_of(&self, step: StepId) -> impl Iterator<Item = (ContentId, &str)> {
        (0..).map(ContentId).zip(&self.contents).filter_map(move |(id, content)| match content {
            Content::Capture { step: of, path } if *of == step => Some((id, path.as_str())),
            _ => None,
        })
    }

    /// All contents that `step` leaves: what later steps use of its paths, and its standard output.
    pub fn left_by(&self, step: StepId) -> impl Iterator<Item = ContentId> {
        self.captures_of(step).map(|(content, _)| content).chain(self.output_of(step))
    }

    /// The content that stands for the standard output of `step`.
    pub fn output_of(&self, step: StepId) -> Option<ContentId> {
        (0..).map(ContentId).zip(&self.contents).find_map(|(id, content)| match content {
            Content::Output { step: of } if *of == step => Some(id),
            _ => None,
        })
    }
}
