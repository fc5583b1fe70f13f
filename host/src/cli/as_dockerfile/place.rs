//! Where a Dockerfile and its context are put: beside each other, in the place of what was written there before and of nothing else.
//!
//! The context holds a file that says which Dockerfile was written with it. Where that, or the directory, is another by now, somebody
//! has had a hand in it, and nothing is touched. All is written aside and then named: a call that is killed leaves what the next
//! one knows as its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use sti_core::digest;

use crate::{AsDockerfile, StiError, cli::args::WhatToBuild};

/// The Dockerfile's name where PATH is a directory.
const DOCKERFILE: &str = "Dockerfile";
/// What the context's name is made with.
const CONTEXT: &str = ".context";
/// What is added to the context's name until all is written.
const ASIDE: &str = ".new";
/// The file of the context that says which Dockerfile belongs to it.
const MARK: &str = "written-by-sti";
/// Files by which builders leave parts of a context out.
const IGNORE_FILES: [&str; 2] = [".dockerignore", ".containerignore"];

/// Where it is put.
pub(super) struct Place {
    /// As the user wrote it.
    directory: PathBuf,
    dir: Dir,
    file: String,
    context: String,
}

impl Place {
    /// Reads PATH, makes the directory it lies in, and makes sure that nothing there is in the way.
    pub(super) fn at(path: &Path, what: &WhatToBuild) -> Result<Self, StiError> {
        let is_directory = path.is_dir() || path.to_string_lossy().ends_with('/');
        let (directory, file) = if is_directory { (path, DOCKERFILE.to_owned()) } else { split(path)? };
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        check_apart(directory, what)?;
        let cannot = |error: io::Error| refused(format!("cannot write in `{}`: {error}", directory.display()));
        fs::create_dir_all(directory).map_err(cannot)?;
        let dir = Dir::open_ambient_dir(directory, ambient_authority()).map_err(cannot)?;
        let place = Self { directory: directory.to_owned(), dir, context: format!("{file}{CONTEXT}"), file };
        place.check()?;
        Ok(place)
    }

    /// The name of the Dockerfile.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The name of the directory that it copies from.
    pub(super) fn context(&self) -> &str {
        &self.context
    }

    pub(super) fn shown_file(&self) -> String {
        self.shown(&self.file)
    }

    /// The directory that a builder is given as its context.
    pub(super) fn shown_directory(&self) -> String {
        self.directory.display().to_string()
    }

    /// Writes both, in the place of what was written before.
    pub(super) fn write(&self, written: &AsDockerfile, is_wanted: &dyn Fn() -> bool) -> Result<(), StiError> {
        let aside = Aside { place: self, context: self.aside() };
        self.remove_context(&aside.context)?;
        self.dir.create_dir(&aside.context).map_err(|error| self.cannot(&aside.context, &error))?;
        let context = self.dir.open_dir(&aside.context).map_err(|error| self.cannot(&aside.context, &error))?;
        context.write(MARK, mark(&written.rendered.text)).map_err(|error| self.cannot(&aside.context, &error))?;
        written.write_context(&context, is_wanted)?;
        context.write(DOCKERFILE, &written.rendered.text).map_err(|error| self.cannot(&self.file, &error))?;
        // Somebody may have been here meanwhile.
        self.check()?;
        self.remove_file(&self.file)?;
        self.remove_context(&self.context)?;
        self.rename(&aside.context, &self.context)?;
        self.rename(&format!("{}/{DOCKERFILE}", self.context), &self.file)
    }

    /// Makes sure that all names are free, or bear what was written here before.
    fn check(&self) -> Result<(), StiError> {
        let ignoring = IGNORE_FILES.map(str::to_owned).into_iter().chain([format!("{}.dockerignore", self.file)]);
        if let Some(name) = ignoring.into_iter().find(|name| self.dir.symlink_metadata(name).is_ok()) {
            return Err(refused(format!("`{}` would leave parts of the context out", self.shown(&name))));
        }
        let in_the_way = |name: &str, why: &str| Err(refused(format!("`{}` is in the way: {why}", self.shown(name))));
        let foreign = "it was not written by `sti build --as-dockerfile`";
        if self.mark_in(&self.aside())?.is_none() {
            return in_the_way(&self.aside(), foreign);
        }
        let Some(mark_there) = self.mark_in(&self.context)? else { return in_the_way(&self.context, foreign) };
        match self.dir.symlink_metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.cannot(&self.file, &error)),
            Ok(metadata) if metadata.is_file() => {
                let text = self.dir.read_to_string(&self.file).map_err(|error| self.cannot(&self.file, &error))?;
                if mark(&text) == mark_there {
                    return Ok(());
                }
                in_the_way(&self.file, "it is not what `sti build --as-dockerfile` has written")
            }
            Ok(_) => in_the_way(&self.file, "it is no file"),
        }
    }

    /// What the mark in a context says: nothing where there is no context or nothing in it, and `None` where it has no mark.
    fn mark_in(&self, context: &str) -> Result<Option<String>, StiError> {
        match self.dir.symlink_metadata(context) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(String::new())),
            Err(error) => Err(self.cannot(context, &error)),
            Ok(metadata) if metadata.is_dir() => {
                let dir = self.dir.open_dir(context).map_err(|error| self.cannot(context, &error))?;
                let is_empty = dir.entries().map_err(|error| self.cannot(context, &error))?.next().is_none();
                let is_file = dir.symlink_metadata(MARK).is_ok_and(|metadata| metadata.is_file());
                Ok(if is_empty { Some(String::new()) } else { is_file.then(|| dir.read_to_string(MARK).ok()).flatten() })
            }
            Ok(_) => Ok(None),
        }
    }

    /// Removes a context that was found to be ours. The mark goes last, so that what is left of it is still known as ours.
    fn remove_context(&self, name: &str) -> Result<(), StiError> {
        let cannot = |error: io::Error| self.cannot(name, &error);
        let context = match self.dir.open_dir(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            context => context.map_err(cannot)?,
        };
        sti_cache::empty_but(&context, MARK).map_err(cannot)?;
        sti_cache::empty(&context).map_err(cannot)?;
        self.dir.remove_dir(name).map_err(cannot)
    }

    fn remove_file(&self, name: &str) -> Result<(), StiError> {
        match self.dir.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.cannot(name, &error)),
            _ => Ok(()),
        }
    }

    /// Where the context lies until all is written.
    fn aside(&self) -> String {
        format!("{}{ASIDE}", self.context)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StiError> {
        self.dir.rename(from, &self.dir, to).map_err(|error| self.cannot(to, &error))
    }

    fn shown(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn cannot(&self, name: &str, error: &io::Error) -> StiError {
        refused(format!("cannot write `{}`: {error}", self.shown(name)))
    }
}

/// What is not finished, and goes away unless it got its name.
struct Aside<'a> {
    place: &'a Place,
    context: String,
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next call.
        let _left = self.place.remove_context(&self.context);
    }
}

/// Refuses a place within the source: each call would find what the one before has written.
fn check_apart(directory: &Path, what: &WhatToBuild) -> Result<(), StiError> {
    let source = fs::canonicalize(what.source.join(&what.context_dir)).ok().filter(|source| source.is_dir());
    let mut above = directory.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let place = above.find_map(|above| fs::canonicalize(above).ok());
    match (source, place) {
        (Some(source), Some(place)) if place.starts_with(&source) => Err(refused(format!(
            "`{}` lies within the source `{}`, and would be a part of it",
            directory.display(),
            what.source.display()
        ))),
        _ => Ok(()),
    }
}

/// The directory and the name of a file, which stands in a Dockerfile and on command lines as it is.
fn split(path: &Path) -> Result<(&Path, String), StiError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(is_plain) {
        return Err(refused(format!("`{}` is no plain name of a file", path.display())));
    }
    Ok((path.parent().unwrap_or(Path::new("")), name.to_owned()))
}

/// What the mark of a Dockerfile's context says.
fn mark(text: &str) -> String {
    format!("sha256:{}\n", digest::sha256(text.as_bytes()))
}

fn refused(what: String) -> StiError {
    StiError::InvalidArgument { what, hint: Some("--as-dockerfile PATH, in a new directory".to_owned()) }
}
