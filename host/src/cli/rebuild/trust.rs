//! What a label may say. It may name whatever is open to a stranger too: images, the part of this machine that the user is in, servers at
//! public addresses without anybody's login. What is the user's own needs the user's word.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{asked::Asked, recorded::Recorded};
use crate::{StiError, cli::address};

/// Whose word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// The user's own, where something is at stake.
    User,
    /// That of the labels too.
    Labels,
}

/// The word SOURCE: the user's, or the label's where that may say it.
pub(super) fn source(recorded: &Recorded, asked: &Asked) -> Result<OsString, StiError> {
    let location = &recorded.location;
    match (&asked.source, path_here(location)) {
        (Some(source), _) => Ok(source.clone()),
        (None, None) if location.ends_with(":-") => Err(StiError::InvalidArgument {
            what: format!("it was built from `{location}`, which is standard input, and cannot be read again"),
            hint: Some("--source SOURCE says what to build".to_owned()),
        }),
        (None, None) => Ok(location.into()),
        (None, Some(path)) => {
            let real = path.canonicalize().map_err(|error| gone(location, &error))?;
            match asked.trust {
                Trust::Labels => Ok(location.into()),
                Trust::User if is_in_current_directory(&real) => Ok(location.into()),
                Trust::User => Err(needs_a_word(
                    format!("its label has `{location}` of this machine built, which is not in the current directory"),
                    format!("where that is right: --source {location}; or --trust-labels for all that its labels say"),
                )),
            }
        }
    }
}

/// Refuses flags that give something away which is not a stranger's to give.
pub(super) fn check_flags(recorded: &Recorded, asked: &Asked) -> Result<(), StiError> {
    if let Some(digest) = recorded.component.as_ref().filter(|_| !asked.gives("strategy")) {
        return Err(needs_a_word(
            format!("it was built by a component of a file ({digest}), and no label says where that is"),
            "--strategy FILE.wasm".to_owned(),
        ));
    }
    for field in ["strategy", "fetcher"] {
        if let Some(word) = said(recorded, asked, field).filter(|word| is_file(word)) {
            return Err(needs_a_word(format!("its label names a file `{word}` as its {field}"), format!("--{field} {word}")));
        }
    }
    if asked.trust == Trust::Labels {
        return Ok(());
    }
    for (field, flag) in [("assemble_user", "--assemble-user"), ("assemble_runtime_user", "--assemble-runtime-user")] {
        if let Some(user) = said(recorded, asked, field).filter(|user| !is_plain_number(user)) {
            return Err(needs_a_word(
                format!("its label lets scripts run as `{user}`, who may be root"),
                format!("where that is right: {flag} {user}; or --trust-labels for all that its labels say"),
            ));
        }
    }
    match said(recorded, asked, "scripts_url").filter(|url| !url.starts_with("image://")) {
        Some(url) => Err(needs_a_word(
            format!("its label has scripts taken from `{url}`"),
            format!("where that is right: --scripts-url {url}; or --trust-labels for all that its labels say"),
        )),
        None => Ok(()),
    }
}

/// What a label says of a flag that the user says nothing of.
fn said<'a>(recorded: &'a Recorded, asked: &Asked, field: &str) -> Option<&'a str> {
    recorded.flag(field).filter(|_| !asked.gives(field))
}

/// The path of this machine that a location names, if it is one.
fn path_here(location: &str) -> Option<PathBuf> {
    let whole = Path::new(location);
    match address::parse(location) {
        Some((address, _)) if !whole.exists() => address.path_here().map(|(path, _)| path).filter(|path| path != Path::new("-")),
        _ if whole.exists() => Some(whole.to_owned()),
        // A reference may stand behind a repository.
        _ => Some(PathBuf::from(location.rsplit_once('#').map_or(location, |(path, _)| path))),
    }
}

fn is_in_current_directory(real: &Path) -> bool {
    let current = std::env::current_dir().and_then(|current| current.canonicalize());
    current.is_ok_and(|current| real.starts_with(current))
}

/// Words that would be read as the path of a component.
fn is_file(word: &str) -> bool {
    word.contains('/') || Path::new(word).extension().is_some_and(|extension| extension == "wasm")
}

/// A user by number who is not root, whatever the group.
fn is_plain_number(user: &str) -> bool {
    let number = user.split(':').next().unwrap_or(user);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && number.bytes().any(|byte| byte != b'0')
}

fn gone(location: &str, error: &std::io::Error) -> StiError {
    StiError::InvalidArgument {
        what: format!("it was built from `{location}` of some machine, which is not here: {error}"),
        hint: Some("--source SOURCE says where it is now".to_owned()),
    }
}

fn needs_a_word(what: String, hint: String) -> StiError {
    StiError::InvalidArgument { what, hint: Some(hint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_other_than_zero_are_nobody_in_particular() {
        for (user, expected) in [
            ("1001", true),
            ("1001:0", true),
            ("0", false),
            ("000", false),
            ("root", false),
            ("app", false),
            ("", false),
            (":0", false),
        ] {
            assert_eq!(is_plain_number(user), expected, "{user}");
        }
    }

    #[test]
    fn what_is_here_is_told_from_what_is_elsewhere() {
        for (location, expected) in [
            ("/srv/nowhere", Some("/srv/nowhere")),
            ("/srv/nowhere.git#v1", Some("/srv/nowhere.git")),
            ("git:/srv/nowhere", Some("/srv/nowhere")),
            ("file:///srv/nowhere.git", Some("/srv/nowhere.git")),
            ("archive:/srv/a.tar", Some("/srv/a.tar")),
            ("archive:-", None),
            ("https://example.com/a.git#v1", None),
            ("archive:https://example.com/a", None),
            ("git@example.com:a.git", None),
        ] {
            assert_eq!(path_here(location).as_deref(), expected.map(Path::new), "{location}");
        }
    }
}
