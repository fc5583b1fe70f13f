//! The address of a git service, read and held against what a line may be: nothing in it can become an option or a command.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::Error;
use crate::place::{Origin, plain, shown};

/// The program that a line speaks to, and the only one.
pub(crate) const SERVICE: &str = "git-upload-pack";
const LONGEST_PATH: usize = 4096;

/// How a line is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `git://`: a plain connection.
    Plain,
    /// `ssh://`: the site's own client.
    Ssh,
}

/// A repository behind a git service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) way: Way,
    /// Of ssh only.
    pub(crate) user: Option<String>,
    pub(crate) origin: Origin,
    /// Where the address names one.
    pub(crate) port: Option<u16>,
    /// As the other side is told.
    pub(crate) path: String,
}

impl Repository {
    pub(crate) fn parse(address: &str) -> Result<Self, Error> {
        let (cleaned, _) = crate::clean(address);
        let invalid = |why: &str| Error::InvalidAddress { address: plain(&cleaned), why: why.to_owned() };
        if address.chars().any(char::is_control) {
            // They would be dropped in silence by whoever reads addresses.
            return Err(invalid("it holds control characters"));
        }
        let url = Url::parse(address).map_err(|error| invalid(&error.to_string()))?;
        let way = match url.scheme() {
            "git" => Way::Plain,
            "ssh" => Way::Ssh,
            _ => return Err(invalid("only `git://` and `ssh://` lead to a git service")),
        };
        if url.password().is_some() || (way == Way::Plain && !url.username().is_empty()) {
            return Err(invalid("it holds credentials, and these are the host's"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it goes on behind the path"));
        }
        let origin = Origin::of(&url).ok_or_else(|| invalid("it names no host"))?;
        if !is_host(&origin.host) {
            return Err(invalid("its host is no host"));
        }
        let user = Some(url.username()).filter(|user| !user.is_empty());
        if user.is_some_and(|user| !is_word(user)) {
            return Err(invalid("its user is no user"));
        }
        let path = path(&url).ok_or_else(|| invalid("its path is no path of a repository"))?;
        Ok(Self { way, user: user.map(str::to_owned), port: url.port(), origin, path })
    }

    /// As it is shown.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.way == Way::Ssh { "ssh" } else { "git" };
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        shown_path(scheme, &self.origin.authority(), slash, &self.path)
    }
}

fn shown_path(scheme: &str, authority: &str, slash: &str, path: &str) -> String {
    let text = format!("{scheme}://{authority}{slash}{path}");
    Url::parse(&text).map_or(text, |url| shown(&url))
}

fn is_host(host: &str) -> bool {
    is_word(host) || host.parse::<std::net::Ipv6Addr>().is_ok()
}

/// What ssh takes for neither an option, nor a pattern, nor anything but a name.
fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(fits)
}

/// The path with its escapes resolved, as git does it; `/~ada/app` is ada's `app`.
fn path(url: &Url) -> Option<String> {
    let path = percent_decode_str(url.path()).decode_utf8().ok()?;
    let path = if path.starts_with("/~") { path.strip_prefix('/')? } else { &path };
    let fits = path.len() > 1 && path.len() <= LONGEST_PATH && !path.chars().any(char::is_control);
    fits.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, user: Option<&str>, host: &str, port: Option<u16>, path: &str) {
        let repository = Repository::parse(address).unwrap();
        let found = (repository.user.as_deref(), repository.origin.host.as_str(), repository.port, repository.path.as_str());
        assert_eq!(found, (user, host, port, path), "{address}");
    }

    #[test]
    fn addresses_are_read() {
        check("git://a.test/b.git", None, "a.test", None, "/b.git");
        check("git://A.test:1234/b/c", None, "a.test", Some(1234), "/b/c");
        check("ssh://git@a.test/b.git", Some("git"), "a.test", None, "/b.git");
        check("ssh://a_b-c/b%20c'd", None, "a_b-c", None, "/b c'd");
        check("ssh://git@[::1]:22/~ada/b", Some("git"), "::1", Some(22), "~ada/b");
    }

    fn check_refused(address: &str) {
        let error = Repository::parse(address).unwrap_err();
        assert_eq!(error.code(), "invalid-address", "{address}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn what_could_become_an_option_or_a_command_is_refused() {
        for address in
            ["ssh://-oProxyCommand=x/a", "ssh://-oProxyCommand=x@a.test/b", "ssh://%2doProxyCommand=x/a", "ssh://a b/c"]
        {
            check_refused(address);
        }
        for address in ["ssh://a.test;x/b", "ssh://`x`/a", "ssh://$x/a", "ssh://a\n/b", "ssh://a.test/b%0ac", "ssh://a.test/b%00"]
        {
            check_refused(address);
        }
    }

    #[test]
    fn other_services_and_credentials_are_refused() {
        for address in
            ["http://a.test/b", "file:///a", "a.test:b", "ssh://a.test", "git://a.test/", "ssh:///a", "ext::sh -c x", ""]
        {
            check_refused(address);
        }
        for address in ["ssh://git:secret@a.test/b", "git://secret@a.test/b", "git://a.test/b?c", "git://a.test/b#c"] {
            check_refused(address);
        }
    }
}
