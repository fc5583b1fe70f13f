//! Where downloads are kept while somebody reads them: files without a name, which are gone with the last handle, however a build ends.

use std::fs::File;
use std::io;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

/// Makes an empty file that nobody else can open.
pub(crate) fn file(directory: &Dir) -> io::Result<File> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!(".download-{:032x}", u128::from_be_bytes(random));
    let file = directory.open_with(&name, OpenOptions::new().read(true).write(true).create_new(true).mode(0o600))?;
    directory.remove_file(&name)?;
    Ok(file.into_std())
}
