//! Links on the way to a place: policy has judged a path as it is written, and a script may have left a link on it that leads elsewhere.
//!
//! Engines write, mount and copy *through* such links, so they look before they do.

use sti_core::plan::{Action, Base, Instruction, Place, Run, Step};

use crate::Error;

/// The places of a step of which it is doubtful whether they are where they say.
///
/// Those of a step on the image of an earlier one, whose scripts may have left anything. Of an image that the user named only what is
/// put into directories that are the image's own: a place that is a mount, and instructions, are never in doubt.
pub fn places_in_doubt(step: &Step) -> Vec<&str> {
    match (&step.base, &step.action) {
        (Base::Step { .. }, Action::Run(run)) => places(run, |_| true),
        (Base::Image { .. }, Action::Run(run)) => places(run, |place| !run.is_mount(place)),
        (Base::Step { .. }, Action::Build(build)) => build.instructions.iter().filter_map(copied).collect(),
        (Base::Step { .. }, Action::Assemble(assemble)) => assemble.layers.iter().map(|layer| layer.copied.at.as_str()).collect(),
        (Base::Image { .. }, Action::Build(_) | Action::Assemble(_)) | (Base::Scratch, _) => Vec::new(),
    }
}

/// The paths at which a link would lead away from an absolute path: those above it, the highest first, and its own.
pub fn way_to(at: &str) -> impl Iterator<Item = &str> {
    let above = at.match_indices('/').map(|(end, _)| &at[..end]).filter(|path| !path.is_empty());
    above.chain(std::iter::once(at)).filter(|path| *path != "/")
}

/// The refusal of a place to whose way a link belongs.
pub fn refused(step: &Step, at: &str, link: &str, target: &str) -> Error {
    Error::Detour { title: step.title.clone(), at: at.to_owned(), link: link.to_owned(), target: target.to_owned() }
}

fn places(run: &Run, is_in_doubt: impl Fn(&Place) -> bool) -> Vec<&str> {
    run.places.iter().filter(|place| is_in_doubt(place)).map(|place| place.at.as_str()).collect()
}

fn copied(instruction: &Instruction) -> Option<&str> {
    match instruction {
        Instruction::Copy(copied) => Some(&copied.at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::way_to;

    #[test]
    fn names_the_way_to_a_place_from_the_top() {
        let way = |at: &'static str| way_to(at).collect::<Vec<_>>();
        assert_eq!(way("/tmp/x/passwd"), ["/tmp", "/tmp/x", "/tmp/x/passwd"]);
        assert_eq!(way("/srv"), ["/srv"]);
        assert_eq!(way("/"), Vec::<&str>::new());
    }
}
