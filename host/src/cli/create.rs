//! `sti create`: the beginnings of a builder image, which work as they stand.

mod files;

use std::{io::Write, path::PathBuf, process::ExitCode};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};
use clap::Args;
use serde_json::json;
use sti_core::Reference;

use super::{
    args::{ContractChoice, Output},
    report::{print_json, print_line},
};
use crate::StiError;
use files::Skeleton;

#[derive(Debug, Args)]
pub(crate) struct CreateCommand {
    /// The name of the builder image, such as `registry.example.com/team/python`, without a tag
    name: String,
    /// Where to put it: a directory, which may be there already, with none of the files in it
    dir: PathBuf,
    /// The contract that the scripts follow
    #[arg(long, value_name = "NAME", default_value = "assemble")]
    contract: ContractChoice,
}

pub(super) fn run(command: &CreateCommand, output: &Output) -> Result<ExitCode, StiError> {
    check_name(&command.name)?;
    let files = files::of(command.contract);
    let shown = |path: &str| command.dir.join(path).display().to_string();
    let not_written = |path: &str, error: &std::io::Error| StiError::InvalidArgument {
        what: format!("cannot write `{}`: {error}", shown(path)),
        hint: Some("sti create NAME DIR, with a directory that you can write".to_owned()),
    };
    std::fs::create_dir_all(&command.dir).map_err(|error| not_written("", &error))?;
    let dir = Dir::open_ambient_dir(&command.dir, ambient_authority()).map_err(|error| not_written("", &error))?;
    let in_the_way: Vec<String> = files.iter().filter_map(|file| in_the_way(&dir, file.path)).map(|path| shown(&path)).collect();
    if !in_the_way.is_empty() {
        return Err(StiError::InvalidArgument {
            what: format!("nothing was written, because this is there already: `{}`", in_the_way.join("`, `")),
            hint: Some("sti create NAME DIR, with an empty directory, or one that is not there yet".to_owned()),
        });
    }
    for file in files {
        write(&dir, file, &command.name).map_err(|error| not_written(file.path, &error))?;
    }
    let written: Vec<String> = files.iter().map(|file| shown(file.path)).collect();
    if output.json {
        print_json(&json!({"name": command.name, "files": written}));
    } else if !output.quiet {
        for path in &written {
            print_line(&format!("wrote {path}"));
        }
        print_line(&format!("to try it: {}", shown("test/run")));
    }
    Ok(ExitCode::SUCCESS)
}

/// It stands in a Dockerfile, a shell script and labels: what is a name of an image holds nothing that these would read as their own.
fn check_name(name: &str) -> Result<(), StiError> {
    let reference = Reference::parse(name)?;
    let last = name.rsplit('/').next().unwrap_or(name);
    if reference.digest().is_none() && !last.contains(':') {
        return Ok(());
    }
    let bare = name.split('@').next().unwrap_or(name);
    let without_tag = bare.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(bare, |(name, _)| name);
    Err(StiError::InvalidArgument {
        what: format!("`{name}` names one image; what is wanted is the name of all its versions, without tag and digest"),
        hint: Some(without_tag.to_owned()),
    })
}

/// What keeps a file from being made: itself, or something else in the place of a directory above it.
fn in_the_way(dir: &Dir, path: &str) -> Option<String> {
    let ends = path.match_indices('/').map(|(end, _)| end);
    let above = ends.map(|end| &path[..end]).find(|above| dir.symlink_metadata(above).is_ok_and(|metadata| !metadata.is_dir()));
    above.or_else(|| dir.symlink_metadata(path).is_ok().then_some(path)).map(str::to_owned)
}

fn write(dir: &Dir, file: &Skeleton, name: &str) -> std::io::Result<()> {
    if let Some((above, _)) = file.path.rsplit_once('/') {
        dir.create_dir_all(above)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(if file.is_program { 0o755 } else { 0o644 });
    dir.open_with(file.path, &options)?.write_all(file.text.replace("@NAME@", name).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_a_repository_will_do() {
        for name in ["python", "team/python", "registry.example.com:5000/team/python"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for (name, hint) in [("python:3", "python"), ("host:5000/python:3", "host:5000/python")] {
            assert_eq!(check_name(name).expect_err(name).hint().as_deref(), Some(hint));
        }
        for name in ["", "Python", "a b", "a'b", "a\nRUN x", "$(x)", "../x", "-x"] {
            assert_eq!(check_name(name).expect_err(name).condition().exit, 2, "{name}");
        }
    }
}
