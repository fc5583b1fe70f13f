//! Files of a repository below the one directory that was given.

#![expect(clippy::disallowed_methods, reason = "the host shows one directory of the user's, read-only, and nothing else")]

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Component, Path, PathBuf},
};

use gix_config::{Source, file, file::init::Options};
use sti_plugin::Problem;

/// The most that is read of a file that is no pack.
const LIMIT: u64 = 64 << 20;

/// Where a repository keeps its own things.
pub(super) struct Directory {
    /// The directory that was given.
    top: PathBuf,
    /// From there; empty where it is the same.
    git: PathBuf,
}

impl Directory {
    /// Finds the repository: the directory itself, or `.git` in it.
    pub(super) fn find(top: PathBuf, address: &str) -> Result<Self, Problem> {
        let beside = top.join(".git");
        if let Ok(pointer) = fs::read_to_string(&beside) {
            return Self::pointed_at(&top, pointer.trim(), address);
        }
        let git = PathBuf::from(if beside.is_dir() { ".git" } else { "" });
        let own = top.join(&git);
        let is_one = own.join("HEAD").is_file() && own.join("objects").is_dir();
        let directory = Self { top, git };
        if is_one { directory.judged(address) } else { Err(none(address)) }
    }

    /// A work tree of another repository has a file that says where that is. It must lie in the directory, since nothing else is shown.
    fn pointed_at(top: &Path, pointer: &str, address: &str) -> Result<Self, Problem> {
        let inside = pointer
            .strip_prefix("gitdir: ")
            .map(Path::new)
            .filter(|path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)));
        let Some(inside) = inside else {
            return Err(Problem::invalid("local-worktree", format!("`{address}` is a work tree of a repository elsewhere"))
                .hint("give that repository, with the branch as `--ref`, or give the directory without `git:` to build what is on disk"));
        };
        Self { top: top.to_owned(), git: inside.to_owned() }.judged(address)
    }

    /// Tells where the repository was cloned from, which is what addresses of its submodules are relative to.
    pub(super) fn origin(&self) -> Result<Option<String>, Problem> {
        Ok(self.configuration()?.and_then(|config| Some(config.string("remote.origin.url")?.to_string())))
    }

    fn configuration(&self) -> Result<Option<gix_config::File>, Problem> {
        let content = self.read("config")?.unwrap_or_default();
        Ok(gix_config::File::from_bytes_no_includes(&content, file::Metadata::from(Source::Local), Options::default()).ok())
    }

    fn judged(self, address: &str) -> Result<Self, Problem> {
        let config = self.configuration()?;
        let value = |key: &str| config.as_ref().and_then(|config| Some(config.string(key)?.to_string().to_lowercase()));
        for (key, known, what) in
            [("extensions.objectFormat", "sha1", "identifiers"), ("extensions.refStorage", "files", "references")]
        {
            if let Some(other) = value(key).filter(|value| value != known) {
                let message = format!("`{address}` is a repository with `{other}` {what}; only `{known}` is supported");
                return Err(Problem::invalid("object-format-not-supported", message)
                    .hint("give the directory without `git:`: what is on disk is built"));
            }
        }
        Ok(self)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.top.join(&self.git).join(path)
    }

    /// Tells what a path of this machine, or one from a place of the repository, is from the repository; nothing where that would lead
    /// out of the directory that was given. Its own path is known only where the user wrote it from the root.
    pub(super) fn inside(&self, place: &str, path: &str, address: &str) -> Option<String> {
        let path = Path::new(path);
        let from_top = match path.strip_prefix("/") {
            Ok(_) => path.strip_prefix(Path::new(address).is_absolute().then_some(address)?).ok()?.to_owned(),
            Err(_) => self.git.join(place).join(path),
        };
        let mut parts = Vec::new();
        for part in from_top.components() {
            match part {
                Component::Normal(name) => parts.push(name.to_str()?),
                Component::ParentDir => drop(parts.pop()?),
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        let up = self.git.components().map(|_| "..");
        Some(up.chain(parts).collect::<Vec<_>>().join("/"))
    }

    /// Reads a small file; none where there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut content = Vec::new();
        match file.take(LIMIT).read_to_end(&mut content) {
            Err(error) if is_absent(&error) => return Ok(None),
            read => read?,
        };
        if content.len() as u64 == LIMIT {
            return Err(Problem::exhausted(
                "repository-too-large",
                format!("`{path}` of the repository is larger than {} MiB", LIMIT >> 20),
            ));
        }
        Ok(Some(content))
    }

    /// Opens a file; none where there is none. Of a directory, only reading tells.
    pub(super) fn open(&self, path: &str) -> Result<Option<File>, Problem> {
        match File::open(self.path(path)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists a directory: names, and whether they are directories. Links are left out.
    pub(super) fn list(&self, path: &str) -> Result<Vec<(String, bool)>, Problem> {
        let entries = match fs::read_dir(self.path(path)) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if let (Ok(name), false) = (entry.file_name().into_string(), kind.is_symlink()) {
                names.push((name, kind.is_dir()));
            }
        }
        names.sort();
        Ok(names)
    }
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

fn none(address: &str) -> Problem {
    Problem::not_found(
        "not-a-repository",
        format!("`{address}` is no git repository: it has neither `.git` nor `HEAD` and `objects`"),
    )
    .hint("give the top of a work tree or a bare repository, or leave out `git:` to build the directory as it is")
}
