//! What a source brings along for the contract `assemble`: scripts and variables, in `.s2i` or, as it was called before, `.sti`.

use crate::{EntryKind, Problem, ProblemKind, Tree};

const DIRECTORIES: [&str; 2] = [".s2i", ".sti"];

/// Longer than any script, and short enough for a plan to hold all of them.
const MOST_BYTES: u32 = 512 << 10;

/// A script that the source brings: its path there, and what is in it.
pub(super) fn brought_script(source: &Tree, name: &str) -> Result<Option<(String, Vec<u8>)>, Problem> {
    brought(source, &format!("bin/{name}"), MOST_BYTES)
}

/// A file that the source brings: its path there, and what is in it.
pub(super) fn brought(source: &Tree, name: &str, most: u32) -> Result<Option<(String, Vec<u8>)>, Problem> {
    for directory in DIRECTORIES {
        let path = format!("{directory}/{name}");
        let entry = match source.look_at(&path) {
            Err(problem) if problem.kind() == ProblemKind::NotFound => None,
            found => found?,
        };
        match entry.map(|entry| entry.kind) {
            None => {}
            Some(EntryKind::File) => return Ok(Some((path.clone(), source.read(&path, most).map_err(too_large)?))),
            Some(EntryKind::Directory | EntryKind::Symlink) => {
                let message = format!("`{path}` of the source is no regular file");
                return Err(Problem::invalid("brought-not-a-file", message).hint("put the file itself there"));
            }
        }
    }
    Ok(None)
}

/// A file that is longer than any of its kind is the project's mistake.
fn too_large(problem: Problem) -> Problem {
    if problem.kind() != ProblemKind::Exhausted {
        return problem;
    }
    Problem::invalid("brought-too-large", problem.message()).hint("put what is that long beside it, where the scripts find it")
}
