//! Files without a name, for what is kept only while somebody reads it: they are gone with the last handle, however a build ends.

use std::{fs::File, io};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{Mode, OFlags};

/// Makes an empty file that nobody else can open. Where the file system can do that it never had a name, so that it can be given one.
///
/// # Errors
/// Where the directory cannot be written.
pub fn file(directory: &Dir) -> io::Result<File> {
    let nameless = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::openat(directory, c".", nameless, Mode::RUSR | Mode::WUSR) {
        return Ok(file.into());
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!(".download-{:032x}", u128::from_be_bytes(random));
    let file = directory.open_with(&name, OpenOptions::new().read(true).write(true).create_new(true).mode(0o600))?;
    directory.remove_file(&name)?;
    Ok(file.into_std())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn a_file_of_the_spool_has_no_name() {
        let place = tempfile::tempdir().unwrap();
        let directory = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
        let file = file(&directory).unwrap();
        file.write_all_at(b"there", 3).unwrap();
        let mut found = [0; 5];
        file.read_exact_at(&mut found, 3).unwrap();
        assert_eq!((&found, directory.entries().unwrap().count()), (b"there", 0));
    }
}
