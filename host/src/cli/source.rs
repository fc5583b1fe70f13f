//! The word SOURCE turned into a tree. A scheme decides first, then what lies at the path.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use sti_core::{Tree, tree};

use crate::StiError;

/// Opens a directory or a single file as a source.
///
/// # Errors
/// Where nothing is there, it is neither, or it cannot be read; and for addresses that this version does not fetch.
pub fn open(path: impl AsRef<Path>) -> Result<Tree, StiError> {
    let path = path.as_ref();
    refuse_addresses(path)?;
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

/// Git and archives are fetched by plugins, which come with a later version. A guess would be worse than an error.
fn refuse_addresses(path: &Path) -> Result<(), StiError> {
    let Some(text) = path.to_str() else { return Ok(()) };
    let kind = if text.starts_with("archive:") || text.starts_with("http://") || text.starts_with("https://") {
        "an archive or an http address"
    } else if is_git(text, path) {
        "a git address"
    } else {
        return Ok(());
    };
    Err(StiError::InvalidArgument {
        what: format!("`{text}` is {kind}, which this version of sti does not fetch"),
        hint: Some("fetch it first and give the directory as SOURCE".to_owned()),
    })
}

fn is_git(text: &str, path: &Path) -> bool {
    const SCHEMES: [&str; 5] = ["git:", "git+", "ssh://", "file://", "git@"];
    let is_scp_like = text.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/')) && !path.exists();
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
        || is_scp_like
        || path.extension().is_some_and(|extension| extension == "git")
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
