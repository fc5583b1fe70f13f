//! Where an address leads: scheme, host and port, compared and shown. What is shown holds no userinfo and no query, where secrets travel.

use std::fmt;
use std::net::IpAddr;

use sti_core::text::is_direction;
use url::Url;

/// Scheme, host and port: what a login belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) scheme: String,
    /// In lower case, without brackets and without a dot at its end.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    /// `None` where an address has no host, or no port that is known.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let port = url.port_or_known_default().or_else(|| known_port(url.scheme()))?;
        let host = plain_host(url.host_str()?);
        (!host.is_empty()).then(|| Self { scheme: url.scheme().to_owned(), host, port })
    }

    /// The address, where the host is one.
    pub(crate) fn literal(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Host and port, the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if known_port(&self.scheme) == Some(self.port) { host } else { format!("{host}:{}", self.port) }
    }
}

/// The host that an address names, read as a connection to it is: as [`crate::Grants`] is asked about it. The address is one with a
/// scheme, or `user@host:path`.
pub fn host_of(address: &str) -> Option<String> {
    let written = if address.contains("://") { address.to_owned() } else { format!("ssh://{}/", before_path(address)?) };
    let url = Url::parse(&written).ok()?;
    Some(plain_host(url.host_str()?)).filter(|host| !host.is_empty())
}

/// The port of that host: the one that is written, or that of the scheme.
pub fn port_of(address: &str) -> Option<u16> {
    if !address.contains("://") {
        return known_port("ssh");
    }
    let url = Url::parse(address).ok()?;
    url.port_or_known_default().or_else(|| known_port(url.scheme()))
}

/// What stands before the path of `user@host:path`, where the colons of `[::1]` divide nothing.
fn before_path(address: &str) -> Option<&str> {
    let from = address.rfind(']').filter(|_| address.contains('[')).unwrap_or_default();
    let (_, rest) = address.split_at(from);
    address.get(..from + rest.find(':')?)
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.authority())
    }
}

/// The address without userinfo, query and fragment, at a length that a person reads.
pub(crate) fn shown(url: &Url) -> String {
    let authority = Origin::of(url).map(|origin| origin.authority()).unwrap_or_default();
    let more = if url.query().is_some() { "?…" } else { "" };
    format!("{}{more}", plain(&format!("{}://{authority}{}", url.scheme(), url.path())))
}

/// A text of others' without control characters and at a length that a person reads.
pub(crate) fn plain(text: &str) -> String {
    const LONGEST: usize = 300;
    let clean = text.chars().filter(|character| !character.is_control() && !is_direction(*character)).take(LONGEST);
    let clean = clean.collect::<String>();
    clean.trim().to_owned()
}

fn known_port(scheme: &str) -> Option<u16> {
    const PORTS: &[(&str, u16)] = &[("http", 80), ("https", 443), ("ssh", 22), ("git", 9418)];
    PORTS.iter().find(|(of, _)| *of == scheme).map(|(_, port)| *port)
}

fn plain_host(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    host.strip_suffix('.').unwrap_or(&host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, authority: &str, text: &str) {
        let url = Url::parse(url).unwrap();
        assert_eq!(Origin::of(&url).unwrap().authority(), authority, "{url}");
        assert_eq!(shown(&url), text);
    }

    #[test]
    fn what_is_shown_holds_neither_userinfo_nor_query() {
        check("https://ada:secret@Example.COM./a?token=secret#b", "example.com", "https://example.com/a?…");
        check("http://example.com:8080", "example.com:8080", "http://example.com:8080/");
        check("https://[::1]:443/a", "[::1]", "https://[::1]/a");
        check("ssh://git@Host/a", "host", "ssh://host/a");
        check("git://[::1]:1/a", "[::1]:1", "git://[::1]:1/a");
    }

    #[test]
    fn the_host_of_an_address_is_found_however_it_is_written() {
        for (address, host) in [
            ("https://Example.com:8443/a@b:c", Some("example.com")),
            ("ssh://git@example.com./app", Some("example.com")),
            ("git@example.com:team/app.git", Some("example.com")),
            ("git@[::1]:team/app.git", Some("::1")),
            ("http://[::1]:8080/app", Some("::1")),
            ("https://example.com#main", Some("example.com")),
            ("http://127.0.0.1\\@example.com/", Some("127.0.0.1")),
            ("https://bücher.example/app", Some("xn--bcher-kva.example")),
            ("http://0x7f.1/app", Some("127.0.0.1")),
            ("odd://Host/x", Some("host")),
            ("/srv/app", None),
        ] {
            assert_eq!(host_of(address).as_deref(), host, "{address}");
        }
    }

    #[test]
    fn its_port_is_the_written_one_or_that_of_the_scheme() {
        for (address, port) in [
            ("https://a.test/b", Some(443)),
            ("http://a.test:8080/b", Some(8080)),
            ("ssh://git@a.test/b", Some(22)),
            ("git@a.test:b/c", Some(22)),
            ("git://[::1]:1234/b", Some(1234)),
            ("odd://a.test/b", None),
        ] {
            assert_eq!(port_of(address), port, "{address}");
        }
    }

    #[test]
    fn what_others_say_neither_steers_a_terminal_nor_turns_round() {
        assert_eq!(plain(" a\u{1b}[31mb\nc\u{202e}d\u{2066} "), "a[31mbcd");
    }

    #[test]
    fn a_host_written_in_odd_digits_is_the_address_that_it_means() {
        for odd in ["http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/"] {
            assert_eq!(Origin::of(&Url::parse(odd).unwrap()).unwrap().literal(), Some(IpAddr::from([127, 0, 0, 1])), "{odd}");
        }
    }

    #[test]
    fn some_names_mean_this_machine() {
        let is_localhost = |url: &str| sti_core::hosts::is_localhost(&Origin::of(&Url::parse(url).unwrap()).unwrap().host);
        assert!(is_localhost("http://localhost/") && is_localhost("http://LOCALHOST./") && is_localhost("http://a.localhost/"));
        assert!(!is_localhost("http://localhost.example.com/"));
    }
}
