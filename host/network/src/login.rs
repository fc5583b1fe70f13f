//! Addresses that carry credentials: the two are taken apart before anybody else sees the address.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::place::Origin;
use crate::secret::Secret;

/// What stood before the `@` of an address of the user's. It belongs to that scheme, host and port, and is sent nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub(crate) origin: Origin,
    pub(crate) user: Secret,
    /// Absent where only a name was given; one of git's helpers may know the rest.
    pub(crate) password: Option<Secret>,
}

/// Takes the credentials out of an address, so that what is left can be shown, logged, written into labels and given to plugins.
///
/// The user of an `ssh://` address stays: it is no secret, and there would be no connection without it. A password does not stay, and
/// ssh would not use it. What is no address with a scheme (a path, `user@host:path`) is left as it is.
pub fn clean(address: &str) -> (String, Option<Login>) {
    let Some((scheme, _)) = address.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return (address.to_owned(), None);
    };
    let Ok(url) = Url::parse(address) else {
        // What cannot be read cannot be cleaned for certain: all before the last `@` is left out.
        let rest = address.rsplit_once('@').map(|(_, rest)| format!("{scheme}://{rest}"));
        return (rest.unwrap_or_else(|| address.to_owned()), None);
    };
    if url.cannot_be_a_base() && address.contains("://") {
        return clean_inner(address);
    }
    if url.username().is_empty() && url.password().is_none() {
        return (address.to_owned(), None);
    }
    (without_login(address, &url), login(&url))
}

/// An address within another, such as `archive:https://…`.
fn clean_inner(address: &str) -> (String, Option<Login>) {
    let at = address.find(':').unwrap_or_default();
    let inner = address.get(at..).unwrap_or_default().trim_start_matches(':');
    let outer = address.strip_suffix(inner).unwrap_or_default();
    let (cleaned, login) = clean(inner);
    (format!("{outer}{cleaned}"), login)
}

/// Whether a word is the scheme of an address (RFC 3986, section 3.1).
pub fn is_scheme(text: &str) -> bool {
    // One letter is a drive, and `host:path` has no scheme either; those have no `//` or are http however they are written.
    let is_word = text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_word && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn login(url: &Url) -> Option<Login> {
    let decoded = |text: &str| Secret::new(percent_decode_str(text).decode_utf8_lossy());
    let origin = Origin::of(url).filter(|_| matches!(url.scheme(), "http" | "https"))?;
    Some(Login { origin, user: decoded(url.username()), password: url.password().map(decoded) })
}

/// As the user wrote it where that can be done by leaving a piece out, else as it is understood.
fn without_login(address: &str, url: &Url) -> String {
    let mut cleaned = url.clone();
    let keeps_user = url.scheme() == "ssh";
    let user = if keeps_user { url.username() } else { "" };
    if cleaned.set_username(user).and_then(|()| cleaned.set_password(None)).is_err() {
        return format!("{}:", url.scheme());
    }
    let left_out = address.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (_, host) = rest.get(..end)?.rsplit_once('@')?;
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        Some(format!("{scheme}://{user}{host}{}", rest.get(end..)?))
    });
    match left_out {
        Some(text) if Url::parse(&text).is_ok_and(|url| url == cleaned) => text,
        _ => cleaned.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, cleaned: &str, login: Option<(&str, Option<&str>)>) {
        let (found, taken) = clean(address);
        assert_eq!(found, cleaned, "{address}");
        assert!(!found.contains("hidden") && !format!("{taken:?}").contains("hidden"), "{address}");
        let taken = taken.as_ref().map(|login| (login.user.reveal(), login.password.as_ref().map(Secret::reveal)));
        assert_eq!(taken, login, "{address}");
    }

    #[test]
    fn addresses_without_credentials_stay_as_they_are() {
        for address in ["https://a.test", "https://a.test/b@c", "git@a.test:b/c", "./a@b", "/a:b@c", "C:\\a@b", "git:../a@b", ""]
        {
            check(address, address, None);
        }
        for address in ["ssh://git@a.test/b", "archive:/a@b.tar", "git://a.test/b", "file:///a@b", "https://a.test/?m=b@c"] {
            check(address, address, None);
        }
    }

    #[test]
    fn credentials_are_taken_out() {
        check("https://ada:hidden@a.test", "https://a.test", Some(("ada", Some("hidden"))));
        check("https://hidden@a.test:8443/b#c", "https://a.test:8443/b#c", Some(("hidden", None)));
        check("http://ada:hid%40den@A.test/b?c=d@e", "http://A.test/b?c=d@e", Some(("ada", Some("hid@den"))));
        check("https://ada:hidden:hidden@hidden@a.test/", "https://a.test/", Some(("ada", Some("hidden:hidden@hidden"))));
        check("ssh://git:hidden@a.test/b", "ssh://git@a.test/b", None);
        check("git://ada:hidden@a.test/b", "git://a.test/b", None);
    }

    #[test]
    fn they_are_taken_out_of_an_address_within_another() {
        check("archive:https://ada:hidden@a.test/b", "archive:https://a.test/b", Some(("ada", Some("hidden"))));
        check("git::https://ada:hidden@a.test/b#c", "git::https://a.test/b#c", Some(("ada", Some("hidden"))));
        check("git+https://ada:hidden@a.test/b", "git+https://a.test/b", None);
        check("archive:git:ssh://git:hidden@a.test/b", "archive:git:ssh://git@a.test/b", None);
    }

    #[test]
    fn they_are_taken_out_of_odd_spellings_too() {
        check("https:ada:hidden@a.test/b", "https://a.test/b", Some(("ada", Some("hidden"))));
        check("https:\\\\ada:hidden@a.test\\b", "https://a.test/b", Some(("ada", Some("hidden"))));
        check("https://ada:hid/den@a.test/b", "https://a.test/b", None);
        check("https://ada:hidden@a.test:99999/b", "https://a.test:99999/b", None);
    }

    /// Pieces that readers of addresses stumble over.
    const PIECES: [&str; 12] = ["//", "/", "\\", ":", "@", "#", "?", "ada", "a.test", "ssh:", "http:", "\t"];

    /// All rows of up to so many pieces.
    fn rows(length: usize) -> Vec<String> {
        let Some(shorter) = length.checked_sub(1).map(rows) else { return vec![String::new()] };
        let longer = shorter.iter().flat_map(|row| PIECES.map(|piece| format!("{row}{piece}")));
        longer.chain(shorter.iter().cloned()).collect()
    }

    #[test]
    fn however_an_address_is_written_nothing_is_left_to_be_understood_as_a_login() {
        for address in rows(4).into_iter().flat_map(|row| ["https:", "git:", "ssh://ada"].map(|start| format!("{start}{row}"))) {
            let (cleaned, _) = clean(&address);
            let Ok(url) = Url::parse(&cleaned) else { continue };
            assert!(url.password().is_none() && (url.scheme() == "ssh" || url.username().is_empty()), "{address} → {cleaned}");
            assert_eq!(clean(&cleaned), (cleaned.clone(), None), "{address}");
        }
    }

    #[test]
    fn a_login_is_not_printed() {
        let (_, login) = clean("https://token:hidden@a.test/");
        let text = format!("{login:?}");
        assert!(!text.contains("hidden") && !text.contains("token"), "{text}");
    }
}
