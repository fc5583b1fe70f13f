//! Hosts as people name them in grants, and how far a connection to one may reach. A name grants a name; only digits grant an address.

mod range;
mod reach;
mod special;

use std::fmt;
use std::net::IpAddr;

pub use range::AddressRange;
pub use reach::{Bound, Reach, Standing};
pub use special::{is_private, not_public};

/// One host or several: `git.example.com`, `*.example.com`, `*`, `10.1.2.3` or `10.0.0.0/8`, but for networks with or without `:PORT`.
/// Without a port it means each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hosts {
    All,
    /// In lower case.
    Name(String),
    /// Every name that ends so, with a dot before it.
    Below(String),
    Addresses(AddressRange),
}

/// The ports that nobody writes.
const USUAL_PORTS: &[u16] = &[22, 80, 443, 9418];

impl HostPattern {
    /// Reads a pattern; the error says what is wrong with it, as it reads after the pattern.
    pub fn parse(written: &str) -> Result<Self, String> {
        if let Some(range) = AddressRange::parse(written)? {
            return Ok(Self { hosts: Hosts::Addresses(range), port: None });
        }
        let (host, port) = match written.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| format!("has the port `{port}`, which is no number"))?)),
            None => (written, None),
        };
        let hosts = match host.strip_prefix("*.") {
            _ if host == "*" => Hosts::All,
            Some(below) => Hosts::Below(name(below)?),
            None => match AddressRange::parse(host)? {
                Some(range) if range.is_single() => Hosts::Addresses(range),
                Some(_) => return Err("has a port, and networks have none".to_owned()),
                None => Hosts::Name(name(host)?),
            },
        };
        Ok(Self { hosts, port })
    }

    /// The pattern that means this host alone, as [`HostPattern::matches`] takes it; with the port, unless that is a usual one.
    pub fn only(host: &str, port: u16) -> Self {
        let address = host.parse().ok().map(|address| Hosts::Addresses(AddressRange::only(address)));
        let port = (!is_usual_port(port)).then_some(port);
        Self { hosts: address.unwrap_or_else(|| Hosts::Name(host.to_owned())), port }
    }

    /// Whether it means this host: a name in lower case without a dot at its end, or an address without brackets.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        self.serves(port)
            && match &self.hosts {
                Hosts::All => true,
                Hosts::Name(name) => name == host,
                Hosts::Below(below) => {
                    host.strip_suffix(below.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
                }
                Hosts::Addresses(range) => host.parse().is_ok_and(|address| range.contains(address)),
            }
    }

    /// Whether it means one host and no other.
    pub fn is_exact(&self) -> bool {
        match &self.hosts {
            Hosts::Name(_) => true,
            Hosts::Addresses(range) => range.is_single(),
            Hosts::All | Hosts::Below(_) => false,
        }
    }

    /// Whether it is a pattern of names.
    pub fn is_open(&self) -> bool {
        matches!(self.hosts, Hosts::All | Hosts::Below(_))
    }

    /// The addresses that it grants, whatever they are: those that it is written as. `localhost` is a way to write such addresses; every
    /// other name may be given any address by whoever it belongs to, and grants none.
    pub fn addresses(&self, port: u16) -> Vec<AddressRange> {
        match &self.hosts {
            _ if !self.serves(port) => Vec::new(),
            Hosts::Addresses(range) => vec![*range],
            Hosts::Name(name) if is_localhost(name) => AddressRange::LOOPBACK.to_vec(),
            _ => Vec::new(),
        }
    }

    fn serves(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }
}

/// Whether it is a port of ssh, http, https or git, which nobody writes.
pub fn is_usual_port(port: u16) -> bool {
    USUAL_PORTS.contains(&port)
}

/// The names that mean this machine without anybody being asked (RFC 6761).
pub fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::All => formatter.write_str("*")?,
            Hosts::Name(name) => formatter.write_str(name)?,
            Hosts::Below(below) => write!(formatter, "*.{below}")?,
            Hosts::Addresses(range) => match (range.is_single().then(|| range.network()), self.port) {
                (Some(IpAddr::V6(address)), Some(_)) => write!(formatter, "[{address}]")?,
                _ => write!(formatter, "{range}")?,
            },
        }
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// A name as it stands in an address that was read: in lower case, without a dot at its end.
fn name(written: &str) -> Result<String, String> {
    let name = written.strip_suffix('.').unwrap_or(written).to_ascii_lowercase();
    let is_of_a_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(is_of_a_name);
    if !name.is_ascii() {
        return Err("is written in ASCII letters: other names begin with `xn--` there".to_owned());
    }
    if name.contains('*') {
        return Err("has a `*` elsewhere than in place of all that stands before the first dot".to_owned());
    }
    if !name.split('.').all(is_label) {
        return Err("is no host: write a name, an address or a network, and nothing before or behind it but a port".to_owned());
    }
    // Readers of addresses take such a name for an address (the URL standard, "ends in a number").
    if name.rsplit('.').next().is_some_and(|last| last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("is no address: write four numbers from 0 to 255".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(written: &str) -> HostPattern {
        HostPattern::parse(written).unwrap_or_else(|why| panic!("{written} {why}"))
    }

    fn check_matches(written: &str, hosts: &[(&str, u16)], others: &[(&str, u16)]) {
        for (host, port) in hosts {
            assert!(pattern(written).matches(host, *port), "{written} misses {host}:{port}");
        }
        for (host, port) in others {
            assert!(!pattern(written).matches(host, *port), "{written} takes {host}:{port}");
        }
    }

    #[test]
    fn a_name_means_itself_and_a_star_what_stands_before_a_dot() {
        check_matches("git.a.test", &[("git.a.test", 1), ("git.a.test", 443)], &[("a.test", 1), ("x.git.a.test", 1)]);
        check_matches("Git.A.test.:8443", &[("git.a.test", 8443)], &[("git.a.test", 443)]);
        check_matches("*.a.test", &[("git.a.test", 1), ("x.y.a.test", 1)], &[("a.test", 1), (".a.test", 1), ("evila.test", 1)]);
        check_matches("*.a.test:1", &[("git.a.test", 1)], &[("git.a.test", 2)]);
        check_matches("*", &[("a.test", 1), ("10.0.0.1", 1), ("::1", 1)], &[]);
        check_matches("*:443", &[("a.test", 443)], &[("a.test", 80)]);
    }

    #[test]
    fn digits_mean_addresses_and_no_name() {
        check_matches("10.1.2.3", &[("10.1.2.3", 1)], &[("10.1.2.4", 1), ("10.1.2.3.test", 1)]);
        check_matches("10.0.0.0/8", &[("10.1.2.3", 1), ("::ffff:a01:203", 1)], &[("11.0.0.1", 1), ("a.test", 1)]);
        check_matches("[fd00::1]:8443", &[("fd00::1", 8443)], &[("fd00::1", 1), ("fd00::2", 8443)]);
        check_matches("fd00::/8", &[("fd12::1", 1)], &[("fc00::1", 1)]);
    }

    #[test]
    fn only_digits_and_the_name_of_this_machine_grant_addresses() {
        for written in ["10.1.2.3", "10.0.0.0/8", "localhost", "a.localhost:1", "[::1]:1"] {
            assert!(!pattern(written).addresses(1).is_empty(), "{written}");
        }
        for written in ["a.test", "*", "*.a.test", "*.localhost", "localhost.a.test", "10.1.2.3:2", "localhost:2"] {
            assert!(pattern(written).addresses(1).is_empty(), "{written}");
        }
    }

    #[test]
    fn a_pattern_for_one_host_means_it_and_can_be_read_again() {
        for (host, port, written) in [
            ("a.test", 443, "a.test"),
            ("a.test", 8443, "a.test:8443"),
            ("10.1.2.3", 80, "10.1.2.3"),
            ("::1", 80, "::1"),
            ("::1", 8080, "[::1]:8080"),
            ("_x-1.test", 9418, "_x-1.test"),
        ] {
            let only = HostPattern::only(host, port);
            assert_eq!((only.to_string().as_str(), only.is_exact()), (written, true));
            assert_eq!(HostPattern::parse(written), Ok(only.clone()));
            assert!(only.matches(host, port), "{written}");
        }
        for written in ["*", "*.a.test:1", "10.0.0.0/8", "fd00::/8"] {
            assert!(!pattern(written).is_exact() && pattern(written).to_string() == written, "{written}");
        }
    }

    #[test]
    fn what_could_never_match_or_means_too_much_is_refused() {
        for (written, why) in [
            ("", "no host"),
            ("a b", "no host"),
            ("https://a.test", "port"),
            ("a.test/b", "no host"),
            ("ada@a.test", "no host"),
            ("a..test", "no host"),
            ("a.test:https", "`https`"),
            ("a.test:99999", "`99999`"),
            ("a*.test", "`*`"),
            ("*.*.test", "`*`"),
            ("*.", "no host"),
            ("bücher.test", "`xn--`"),
            ("127.1", "four numbers"),
            ("0x7f.0x1", "four numbers"),
            ("2130706433", "four numbers"),
            ("10.1.2.3/8", "`10.0.0.0/8`"),
            ("10.0.0.0/33", "33"),
            ("10.0.0.0/8:443", "port"),
            ("0.0.0.0/0", "this machine"),
            ("::/0", "this machine"),
            ("126.0.0.0/7", "this machine"),
        ] {
            let told = HostPattern::parse(written).expect_err(written);
            assert!(told.contains(why), "{written} {told}");
        }
    }
}
