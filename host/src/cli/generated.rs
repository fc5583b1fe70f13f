//! `--dir`: what a build generates, put where the user wants it.

use std::{fs, path::Path};

use sti_core::Plan;

use crate::StiError;

/// Makes sure that the directory can be written before any work is done.
pub(super) fn check(dir: &Path) -> Result<(), StiError> {
    fs::create_dir_all(dir).map_err(|error| not_written(dir, &error))
}

/// Writes `plan.json`, and a Dockerfile for each step that has instructions: `Dockerfile` for the first, `Dockerfile.2`, …. Files of an
/// earlier build are replaced.
pub(super) fn keep(dir: &Path, plan: &Plan) -> Result<(), StiError> {
    let json = serde_json::to_string_pretty(plan).map_err(|error| StiError::Ours(format!("cannot write the plan: {error}")))?;
    write(dir, "plan.json", &(json + "\n"))?;
    for (number, dockerfile) in (1..).zip(sti_docker::dockerfiles(plan)) {
        let name = if number == 1 { "Dockerfile".to_owned() } else { format!("Dockerfile.{number}") };
        write(dir, &name, &dockerfile)?;
    }
    Ok(())
}

fn write(dir: &Path, name: &str, text: &str) -> Result<(), StiError> {
    let path = dir.join(name);
    fs::write(&path, text).map_err(|error| not_written(&path, &error))
}

fn not_written(path: &Path, error: &std::io::Error) -> StiError {
    StiError::InvalidArgument {
        what: format!("cannot write `{}`: {error}", path.display()),
        hint: Some("--dir DIR, with a directory that you can write".to_owned()),
    }
}
