//! Reads the components that the site's policy file installs by a path: plain files, of exactly the bytes that the file vets.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use rustix::fs::{FileType, Mode, OFlags};
use sti_policy::{Error, Installed, Policy};

use crate::{StiError, plugins};

/// As large as a component may be.
const MOST_BYTES: u64 = 64 << 20;

/// All of them. One that cannot be read is an error, though nobody may need it now: it is found out today and not in the night build.
pub(super) fn read_all(policy: &Policy) -> Result<Vec<plugins::Installed>, StiError> {
    policy.installed().map(|installed| read(&installed)).collect()
}

fn read(installed: &Installed<'_>) -> Result<plugins::Installed, StiError> {
    let refused = |why: String, hint: String| {
        let (file, path) = (installed.file.to_owned(), installed.path.to_owned());
        StiError::from(Error::NotInstalled { file, line: installed.line, path, why, hint })
    };
    let bytes = plain_file(installed.path)
        .map_err(|error| refused(format!("cannot be read: {error}"), "install it there, or leave `path` out".to_owned()))?;
    let digest = sti_sandbox::digest_of(&bytes);
    if !installed.digests.contains(&digest) {
        let digests: Vec<_> = installed.digests.iter().chain([&digest]).map(|digest| format!("\"{digest}\"")).collect();
        let hint = format!("where it is the right one:  digest = [{}]", digests.join(", "));
        return Err(refused(format!("is {digest}, and that is not listed"), hint));
    }
    Ok(plugins::Installed { path: installed.path.to_owned(), digest, bytes })
}

/// Waits for nobody and follows no link: what is there must be the file itself.
fn plain_file(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&opened)?;
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || size > MOST_BYTES {
        return Err(io::Error::other("it is no plain file of at most 64 MiB"));
    }
    let mut bytes = Vec::new();
    File::from(opened).take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
