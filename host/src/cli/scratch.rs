//! Where what is fetched goes: the store in the user's cache, a directory for one build, and files without a name. Where the cache cannot
//! be written, or cannot be locked, a directory for temporary files takes its place, and nothing is kept.

use std::{env, fs, io, path::PathBuf, sync::Arc};

use cap_std::{ambient_authority, fs::Dir};
use sti_cache::{Scratch, Settings, Store};
use sti_core::{Blob, BuildId, Progress, progress::Level};

use super::surroundings::{Directories, private_dir_if_any};
use crate::{Source, SourceAddress, StiError};

/// How much is kept where nobody says otherwise.
const USUAL_SIZE: u64 = 5 << 30;

/// How a directory of ours begins among everybody's temporary files.
const TEMPORARY: &str = "sti-";

/// What earlier fetches left; nothing where the user does not want it, or nothing can be kept.
pub(super) fn store(no_cache: bool) -> Result<Option<Arc<Store>>, StiError> {
    let limit = size()?;
    if no_cache || limit == 0 { Ok(None) } else { Ok(open(limit)?.map(Arc::new)) }
}

/// The same for whoever tidies up.
pub(super) fn store_to_tidy() -> Result<Option<Store>, StiError> {
    open(size()?)
}

/// Says once that all is fetched anew each time, where that is not what the user asked for.
pub(super) fn tell(source: &Source, no_cache: bool, progress: &dyn Progress) {
    if let Source::Address { address, .. } = source {
        tell_of(address, no_cache, progress);
    }
}

/// The same for an address alone.
pub(super) fn tell_of(address: &SourceAddress, no_cache: bool, progress: &dyn Progress) {
    let is_wanted = !no_cache && size().is_ok_and(|size| size > 0);
    if is_wanted && address.store.is_none() {
        let what = "nothing can be kept in this home: what is fetched is fetched anew by each build (`sti doctor`)";
        progress.say(Level::Warning, what.to_owned());
    }
}

/// A directory for the tree of one build, removed when nobody uses it any more; those that killed builds left are removed now.
pub(super) fn of_build(build: &BuildId, store: Option<&Store>) -> Result<Scratch, StiError> {
    let made = match store {
        Some(store) => store.scratch(build.as_str()),
        None => match open(USUAL_SIZE)? {
            Some(store) => store.scratch(build.as_str()),
            None => temporary(build),
        },
    };
    made.map_err(|error| unwritable(&error))
}

/// Where downloads are kept while they are read; they have no names there.
pub(super) fn spool() -> Result<Dir, StiError> {
    match place()? {
        Some((_, dir)) => Ok(dir),
        None => temporary_files().map(|(_, dir)| dir).map_err(|error| unwritable(&error)),
    }
}

/// All of standard input, in a file of the spool: an archive is read at more than one place.
pub(super) fn of_standard_input() -> Result<Blob, StiError> {
    let dir = spool()?;
    let spooled = || {
        let mut file = sti_core::spool::file(&dir)?;
        io::copy(&mut io::stdin().lock(), &mut file)?;
        Blob::of(file)
    };
    spooled().map_err(|error| unwritable(&error))
}

fn open(limit: u64) -> Result<Option<Store>, StiError> {
    let Some((path, dir)) = place()? else { return Ok(None) };
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|boot| boot.trim().to_owned());
    // A file system without locks, as some of the network are, is no place to share.
    Ok(Store::open(Settings { dir, path, limit, boot }).ok())
}

/// Where the store is; nothing where that cannot be written. What others could have written is an error.
fn place() -> Result<Option<(PathBuf, Dir)>, StiError> {
    let Some(directories) = Directories::of_user() else { return Ok(None) };
    let path = directories.cache.join("sources");
    Ok(private_dir_if_any(&path)?.map(|dir| (path, dir)))
}

fn temporary(build: &BuildId) -> io::Result<Scratch> {
    let (path, dir) = temporary_files()?;
    sti_cache::sweep(&dir, TEMPORARY);
    Scratch::new(&dir, &path, &format!("{TEMPORARY}{build}"))
}

fn temporary_files() -> io::Result<(PathBuf, Dir)> {
    let path = env::temp_dir();
    let dir = Dir::open_ambient_dir(&path, ambient_authority())?;
    Ok((path, dir))
}

/// How much may be kept, by `STI_CACHE_SIZE`.
fn size() -> Result<u64, StiError> {
    match env::var("STI_CACHE_SIZE") {
        Ok(text) if !text.is_empty() => bytes(&text).ok_or_else(|| StiError::InvalidArgument {
            what: format!("`STI_CACHE_SIZE` is `{}`, which is no size", text.escape_debug()),
            hint: Some("STI_CACHE_SIZE=5G, with K, M, G or T; 0 keeps nothing".to_owned()),
        }),
        _ => Ok(USUAL_SIZE),
    }
}

/// Reads `1500`, `500M` and `5G`.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: &[(char, u32)] = &[('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let unit = UNITS.iter().find(|(letter, _)| text.ends_with([*letter, letter.to_ascii_lowercase()]));
    let (digits, shift) = unit.map_or((text, 0), |(_, shift)| (&text[..text.len() - 1], *shift));
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn unwritable(error: &io::Error) -> StiError {
    let place = Directories::of_user().map_or_else(env::temp_dir, |directories| directories.cache.join("sources"));
    StiError::InvalidArgument {
        what: format!("cannot write in `{}`: {error}", place.display()),
        hint: Some("free some space, or set XDG_CACHE_HOME to a directory that you can write".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1500", Some(1500)),
            ("4k", Some(4096)),
            ("500M", Some(500 << 20)),
            ("5G", Some(5 << 30)),
            ("1T", Some(1 << 40)),
            ("", None),
            ("G", None),
            ("-1", None),
            ("5 G", None),
            ("99999999999T", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
