//! The word SOURCE turned into a tree or an address. What lies at the path decides first, then how the word is written.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};
use sti_core::{Blob, Tree, tree};
use sti_network::Login;

use super::{address, scratch};
use crate::{SourceAddress, StiError};

/// What SOURCE means.
pub(super) enum Word {
    /// It is there.
    Tree(Tree),
    /// It is to be fetched, perhaps with a login that stood in the address.
    Address(Box<SourceAddress>, Option<Login>),
}

/// Tells what SOURCE means, and opens what it names on this machine.
pub(super) fn read(word: &Path) -> Result<Word, StiError> {
    let parsed = word.to_str().and_then(address::parse);
    let (mut address, login) = match parsed {
        _ if is_repository(word) => (address::of_path(word, None), None),
        Some(parsed) if !word.exists() => parsed,
        None if let Some((path, reference)) = repository_and_reference(word) => (address::of_path(path, Some(reference)), None),
        _ => return open(word).map(Word::Tree),
    };
    open_what_is_here(&mut address)?;
    Ok(Word::Address(Box::new(address), login))
}

/// Opens a directory or a single file as a source.
///
/// # Errors
/// Where nothing is there, it is neither, or it cannot be read.
pub fn open_source(path: impl AsRef<Path>) -> Result<Tree, StiError> {
    open(path.as_ref())
}

fn open(path: &Path) -> Result<Tree, StiError> {
    let metadata = std::fs::metadata(path).map_err(|error| not_opened(path, &error))?;
    if metadata.is_dir() {
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| not_opened(path, &error))?;
        return Ok(Tree::directory(dir, path)?);
    }
    if !metadata.is_file() {
        return Err(tree::Error::SpecialFile { path: path.display().to_string(), kind: kind_of(&metadata) }.into());
    }
    let (parent, name) = split(path)?;
    let dir = Dir::open_ambient_dir(&parent, ambient_authority()).map_err(|error| not_opened(path, &error))?;
    Ok(Tree::single_file(dir, &name, path)?)
}

/// Opens the file or directory that an address names: the rest of `archive:app.tar`, of `git:./app` and of `file:///srv/app.git`; `-` is
/// standard input. It may be no path at all.
fn open_what_is_here(address: &mut SourceAddress) -> Result<(), StiError> {
    if address.prefix.is_some() && address.text == "-" {
        address.file = Some(scratch::of_standard_input()?);
        return Ok(());
    }
    let Some((path, is_whole)) = address.path_here() else { return Ok(()) };
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(not_opened(&path, &error)),
    };
    if is_whole {
        // A `#` belonged to the name.
        (address.text, address.reference) = (address.with_reference(), None);
    }
    if metadata.is_dir() {
        let dir = Dir::open_ambient_dir(&path, ambient_authority()).map_err(|error| not_opened(&path, &error))?;
        address.input = Some(Arc::new(dir));
    } else if metadata.is_file() {
        address.file = Some(File::open(&path).and_then(Blob::of_user).map_err(|error| not_opened(&path, &error))?);
    } else {
        return Err(tree::Error::SpecialFile { path: path.display().to_string(), kind: kind_of(&metadata) }.into());
    }
    Ok(())
}

/// The two halves of `app.git#v1`.
fn repository_and_reference(word: &Path) -> Option<(&Path, &str)> {
    let (path, reference) = word.to_str()?.rsplit_once('#')?;
    (!word.exists() && is_repository(Path::new(path))).then_some((Path::new(path), reference))
}

/// A bare repository is no source as it stands, but something to be fetched from.
fn is_repository(path: &Path) -> bool {
    path.is_dir() && path.extension().is_some_and(|extension| extension == "git")
}

fn split(path: &Path) -> Result<(PathBuf, Box<OsStr>), StiError> {
    // A link as SOURCE means what it points to, under that file's own name.
    let real = path.canonicalize().map_err(|error| not_opened(path, &error))?;
    let name = real.file_name().ok_or_else(|| StiError::Ours(format!("`{}` has no name", path.display())))?;
    Ok((real.parent().unwrap_or(Path::new("/")).to_owned(), name.into()))
}

fn not_opened(path: &Path, error: &std::io::Error) -> StiError {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            tree::Error::NotFound { path: path.display().to_string() }.into()
        }
        _ => tree::Error::Unreadable { path: path.display().to_string(), why: error.to_string() }.into(),
    }
}

fn kind_of(metadata: &std::fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    match (kind.is_fifo(), kind.is_socket()) {
        (true, _) => "FIFO",
        (_, true) => "socket",
        _ => "device",
    }
}
