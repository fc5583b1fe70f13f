//! How an address is written: `archive:PATH`, `https://HOST/PATH#REF`, `user@host:path`. Nothing is looked up here.

use std::path::{Path, PathBuf};

use sti_network::{Login, is_scheme};

use crate::SourceAddress;

/// Takes an address and its credentials apart, which reach no plugin, log, label or error; `None` where the word is none, but a path.
pub(super) fn parse(word: &str) -> Option<(SourceAddress, Option<Login>)> {
    let (prefix, rest) = match word.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && rest.starts_with("//") => match scheme.split_once('+') {
            // `git+https://…` is `git:https://…`.
            // Another name of `ssh://`, as git has it, and no way to the daemon, which speaks in the open.
            Some((prefix, inner)) if prefix.eq_ignore_ascii_case("ssh") && inner.eq_ignore_ascii_case("git") => {
                (None, format!("{prefix}:{rest}"))
            }
            Some((prefix, inner)) if is_scheme(prefix) && is_scheme(inner) && !names_a_host(prefix) => {
                (Some(prefix.to_owned()), format!("{inner}:{rest}"))
            }
            _ => (None, word.to_owned()),
        },
        // One slash is a slip, and what stands behind it an address like another, perhaps with a login.
        Some((scheme, rest)) if names_a_host(scheme) => {
            let is_between = |letter: char| matches!(letter, '/' | '\\' | ' ') || letter.is_control();
            (None, format!("{scheme}://{}", rest.trim_start_matches(is_between)))
        }
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme.to_owned()), rest.to_owned()),
        Some((host, path)) if is_scp_like(host, path) => (None, word.to_owned()),
        _ => return None,
    };
    // Cleaned as a whole: a `#` may stand in a password, and neither half of it may be shown.
    let (cleaned, login) = sti_network::clean(&rest);
    let (text, reference) = split_reference(&cleaned);
    let written = [prefix.as_ref().map(|prefix| format!("{prefix}:")).unwrap_or_default(), cleaned.clone()].concat();
    let (text, reference) = (text.to_owned(), reference.map(str::to_owned));
    Some((SourceAddress { written, prefix, text, reference, ..SourceAddress::default() }, login))
}

/// The address of a repository that lies at a path.
pub(super) fn of_path(path: &Path, reference: Option<&str>) -> SourceAddress {
    let text = path.to_string_lossy().into_owned();
    SourceAddress {
        written: with_reference(&text, reference),
        text,
        reference: reference.map(str::to_owned),
        ..SourceAddress::default()
    }
}

impl SourceAddress {
    /// The path of this machine that the address names, if it is one, and whether its reference is part of that.
    pub(super) fn path_here(&self) -> Option<(PathBuf, bool)> {
        if let Some(path) = self.text.strip_prefix("file://") {
            return Some((PathBuf::from(path), false));
        }
        if self.text.contains("://") || (self.prefix.is_none() && !Path::new(&self.text).exists()) {
            return None;
        }
        let whole = PathBuf::from(self.with_reference());
        if self.reference.is_some() && whole.exists() { Some((whole, true)) } else { Some((PathBuf::from(&self.text), false)) }
    }

    /// The text with its reference, as they stood together: a `#` may have been part of a path.
    pub(super) fn with_reference(&self) -> String {
        with_reference(&self.text, self.reference.as_deref())
    }
}

fn with_reference(text: &str, reference: Option<&str>) -> String {
    reference.map_or_else(|| text.to_owned(), |reference| format!("{text}#{reference}"))
}

/// Schemes whose addresses name a host, where `git:` and `file:` may stand before a path.
fn names_a_host(scheme: &str) -> bool {
    ["http", "https", "ssh"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// `user@host:path`, as ssh's own tools and git write it.
fn is_scp_like(host: &str, path: &str) -> bool {
    let is_user_at_host = host.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    is_user_at_host && !host.contains('/') && !path.is_empty()
}

fn split_reference(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('#') {
        Some((text, reference)) if !reference.is_empty() => (text, Some(reference)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<(Option<&str>, &str, Option<&str>)>) {
        let parsed = parse(word);
        let parts =
            parsed.as_ref().map(|(address, _)| (address.prefix.as_deref(), address.text.as_str(), address.reference.as_deref()));
        assert_eq!(parts, expected, "{word}");
    }

    #[test]
    fn addresses_are_told_from_paths() {
        for path in [".", "app", "./a:b", "/srv/app.git", "c:/x", "a/b:c", "@:x/y", ":x", "weird@name", "a@b:"] {
            check(path, None);
        }
        check("archive:app.tar.gz", Some((Some("archive"), "app.tar.gz", None)));
        check("archive:-", Some((Some("archive"), "-", None)));
        check("archive:a#b.tar", Some((Some("archive"), "a", Some("b.tar"))));
        check("git:.#v2", Some((Some("git"), ".", Some("v2"))));
        check("git+https://example.com/app#v2", Some((Some("git"), "https://example.com/app", Some("v2"))));
        check("ssh+git://git@example.com/app", Some((None, "ssh://git@example.com/app", None)));
        check("git+ssh://git@example.com/app", Some((Some("git"), "ssh://git@example.com/app", None)));
        check("https:/example.com/app#v1", Some((None, "https://example.com/app", Some("v1"))));
        check("g+://example.com/app", Some((None, "g+://example.com/app", None)));
        check("https://example.com/app.git#feature/x", Some((None, "https://example.com/app.git", Some("feature/x"))));
        check("ssh://git@example.com:22/app", Some((None, "ssh://git@example.com:22/app", None)));
        check("git@example.com:team/app.git", Some((None, "git@example.com:team/app.git", None)));
    }

    #[test]
    fn credentials_are_left_out_everywhere() {
        for (word, clean) in [
            ("https://user:hidden@example.com/app#v1", "https://example.com/app#v1"),
            ("https://hidden@example.com/app", "https://example.com/app"),
            ("https://user:hid@den@example.com/app", "https://example.com/app"),
            ("https://user:hid#den@example.com/app", "https://example.com/app"),
            ("https:/user:hidden@example.com/app", "https://example.com/app"),
            ("ssh:git:hidden@example.com/app", "ssh://git@example.com/app"),
            ("ssh://git:hidden@example.com/app", "ssh://git@example.com/app"),
            ("archive:https://user:hidden@example.com/app.tar", "archive:https://example.com/app.tar"),
            ("https://example.com/a@b", "https://example.com/a@b"),
        ] {
            let (address, login) = parse(word).unwrap();
            assert_eq!(address.written, clean);
            assert!(!format!("{address:?} {login:?}").contains("hid"), "{address:?} {login:?}");
        }
    }
}
