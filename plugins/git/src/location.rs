//! What kind of address it is that the user wrote.

use sti_plugin::Problem;

/// Where a repository lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// Behind a web server.
    Web(String),
    /// Behind a line of its own.
    Line(Line),
    /// In a directory of the user's, which the host shows as `/input`.
    Local(String),
}

/// An address of `git://` or `ssh://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// As the host takes it.
    pub(crate) url: String,
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
}

/// Who is at the other end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// A daemon, which wants to be told the repository.
    Git,
    /// The service itself, started by ssh.
    Ssh,
}

/// What is written before the address, and what it means.
const SCHEMES: &[(&str, Scheme)] =
    &[("git://", Scheme::Git), ("ssh://", Scheme::Ssh), ("git+ssh://", Scheme::Ssh), ("ssh+git://", Scheme::Ssh)];

impl Location {
    /// Reads an address in any of git's forms.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(malformed(text));
        }
        if let Some((scheme, rest)) = SCHEMES.iter().find_map(|(prefix, scheme)| Some((*scheme, strip(text, prefix)?))) {
            return line(text, scheme, rest).map(Self::Line).ok_or_else(|| malformed(text));
        }
        if let Some(rest) = strip(text, "http://").or_else(|| strip(text, "https://")) {
            let (place, path) = authority(rest);
            // Credentials are the host's, and are sent, shown and kept by nobody else.
            let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
            let scheme = &text[..text.len() - rest.len()];
            // A path begins with a slash: elsewhere a second `@` could mean another host to the next reader.
            let is_whole = !place.is_empty() && (path.is_empty() || path.starts_with('/'));
            return if is_whole { Ok(Self::Web(format!("{scheme}{place}{path}"))) } else { Err(malformed(text)) };
        }
        if let Some(path) = strip(text, "file://") {
            return Ok(Self::Local(path.to_owned()));
        }
        if text.contains("://") {
            return Err(malformed(text));
        }
        match short_form(text) {
            Some((host, path)) => short(host, path).map(Self::Line).ok_or_else(|| malformed(text)),
            None => Ok(Self::Local(text.to_owned())),
        }
    }

    /// Tells the address of a submodule, which may be relative to the one of its repository.
    pub(crate) fn submodule(&self, url: &str) -> Result<Self, Problem> {
        if !(url.starts_with("./") || url.starts_with("../")) {
            return match Self::parse(url)? {
                Self::Local(path) => Err(Problem::invalid(
                    "unsafe-submodule",
                    format!("the submodule address `{path}` is a path of this machine"),
                )
                .hint(
                    "leave submodules out with `--no-submodules`, or give the submodule an address of a server in `.gitmodules`",
                )),
                remote => Ok(remote),
            };
        }
        let own = self.text().trim_end_matches('/');
        let start = own.find("://").map_or(0, |at| at + 3);
        let (mut end, mut rest) = (own.len(), url);
        loop {
            if let Some(more) = rest.strip_prefix("./") {
                rest = more;
            } else if let Some(more) = rest.strip_prefix("../") {
                rest = more;
                // The host itself is never left behind.
                end = own[start..end].rfind('/').map(|at| start + at).ok_or_else(|| malformed(url))?;
            } else {
                break;
            }
        }
        Self::parse(&format!("{}/{rest}", &own[..end]))
    }

    /// Tells the address as it can be shown and given to the host.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Web(text) | Self::Local(text) | Self::Line(Line { url: text, .. }) => text,
        }
    }
}

/// Takes away a scheme, whose case does not matter.
fn strip<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let start = text.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
}

/// Splits what follows a scheme into the host's part and the path.
fn authority(rest: &str) -> (&str, &str) {
    // Wherever the host's reader of addresses sees the end of it.
    rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()))
}

fn line(text: &str, scheme: Scheme, rest: &str) -> Option<Line> {
    let (authority, path) = authority(rest);
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (place, None),
    };
    let is_safe =
        !host.is_empty() && !host.starts_with('-') && user.is_none_or(|user| !user.is_empty() && !user.starts_with('-'));
    if !is_safe || path.len() < 2 || !path.starts_with('/') || path.starts_with("/-") {
        return None;
    }
    let url = match scheme {
        Scheme::Git => text.to_owned(),
        Scheme::Ssh => format!("ssh://{rest}"),
    };
    Some(Line { url, scheme, host: host.to_owned(), port, path: path.to_owned() })
}

/// Splits `user@host:path`; a slash before the colon makes it an ordinary path.
fn short_form(text: &str) -> Option<(&str, &str)> {
    let from = text.rfind(']').filter(|_| text.contains('[')).unwrap_or(0);
    let colon = from + text[from..].find(':')?;
    (colon > 0 && !text[..colon].contains('/')).then(|| (&text[..colon], &text[colon + 1..]))
}

/// A path that does not start at the root starts at the user's home, which an address writes as `/~/`.
fn short(host: &str, path: &str) -> Option<Line> {
    if path.is_empty() || path.starts_with('-') {
        return None;
    }
    let path = match path.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None if path.starts_with('~') => path.to_owned(),
        None => format!("~/{path}"),
    };
    let rest = format!("{host}/{path}");
    line(&rest, Scheme::Ssh, &rest)
}

fn malformed(text: &str) -> Problem {
    let shown = text.escape_debug();
    Problem::invalid("invalid-address", format!("`{shown}` is no address of a git repository"))
        .hint("write it as `https://host/path.git`, `ssh://user@host/path.git`, `user@host:path.git`, `git://host/path.git` or `git:DIRECTORY`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_line(text: &str, url: &str, host: &str, port: Option<u16>, path: &str) {
        let Ok(Location::Line(line)) = Location::parse(text) else { panic!("`{text}` is a line") };
        assert_eq!((line.url.as_str(), line.host.as_str(), line.port, line.path.as_str()), (url, host, port, path));
    }

    fn check_relative(base: &str, url: &str, expected: &str) {
        assert_eq!(Location::parse(base).unwrap().submodule(url).unwrap().text(), expected, "{url} from {base}");
    }

    #[test]
    fn reads_each_form_of_address() {
        check_line("git://host/a.git", "git://host/a.git", "host", None, "/a.git");
        check_line("git://host:99/a.git", "git://host:99/a.git", "host", Some(99), "/a.git");
        check_line("ssh://me@host:22/a", "ssh://me@host:22/a", "host", Some(22), "/a");
        check_line("git+ssh://host/a", "ssh://host/a", "host", None, "/a");
        check_line("me@host:a/b.git", "ssh://me@host/~/a/b.git", "host", None, "/~/a/b.git");
        check_line("host:/a/b.git", "ssh://host/a/b.git", "host", None, "/a/b.git");
        check_line("me@[::1]:a", "ssh://me@[::1]/~/a", "[::1]", None, "/~/a");
        assert_eq!(Location::parse("HTTPS://host/a").unwrap(), Location::Web("HTTPS://host/a".to_owned()));
        assert_eq!(Location::parse("https://me:secret@host/a@b").unwrap(), Location::Web("https://host/a@b".to_owned()));
        assert_eq!(Location::parse("file:///a/b.git").unwrap(), Location::Local("/a/b.git".to_owned()));
        assert_eq!(Location::parse("./a:b.git").unwrap(), Location::Local("./a:b.git".to_owned()));
    }

    #[test]
    fn refuses_what_a_program_could_take_for_an_option() {
        for text in [
            "",
            "-u",
            "--upload-pack=x:y",
            "ssh://-oProxyCommand=x/a",
            "ssh://-x@host/a",
            "-x@host:a",
            "host:-a",
            "ssh://host/-a",
            "git://host",
            "git://host/",
            "https:///a",
            "ftp://host/a",
            "ext::sh -c x://",
            "git://host/a\nhost=b",
            "ssh://host:port/a",
            "git://host?a@other/b",
            "https://host?a@other/b",
            "https://host#a@other/b",
        ] {
            assert_eq!(Location::parse(text).unwrap_err().code(), "invalid-address", "{text}");
        }
    }

    #[test]
    fn resolves_submodule_addresses_against_the_repository() {
        check_relative("https://host/a/b.git", "../c.git", "https://host/a/c.git");
        check_relative("https://host/a/b.git/", "../../c/d", "https://host/c/d");
        check_relative("https://host/a/b.git", "./c", "https://host/a/b.git/c");
        check_relative("me@host:a/b.git", "../c.git", "ssh://me@host/~/a/c.git");
        check_relative("https://host/a", "ssh://other/b", "ssh://other/b");
    }

    #[test]
    fn refuses_submodule_addresses_that_lead_out() {
        let own = Location::parse("https://host/a/b.git").unwrap();
        assert_eq!(own.submodule("../../../other/c").unwrap_err().code(), "invalid-address");
        for url in ["/etc/a", "file:///etc/a", "a"] {
            assert_eq!(own.submodule(url).unwrap_err().code(), "unsafe-submodule", "{url}");
        }
    }
}
