//! The address of an engine, as users and docker's configuration write it.

use std::fmt;

use thiserror::Error;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    transport: Transport,
    address: String,
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A socket of this machine.
    Unix,
    /// HTTP over TCP, in TLS where certificates are given.
    Tcp,
    /// HTTP in TLS.
    Https,
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{written}` is no endpoint of an engine: {why}")]
pub struct Malformed {
    /// As it was given.
    pub written: String,
    /// What is wrong with it.
    pub why: String,
}

impl Malformed {
    /// What to write instead.
    pub fn hint(&self) -> String {
        "write `unix:///run/docker.sock`, `tcp://HOST:2375` or `https://HOST:2376`".to_owned()
    }
}

/// What endpoints begin with; `tcp` has a port of its own for TLS.
const SCHEMES: &[(&str, Transport)] =
    &[("unix://", Transport::Unix), ("tcp://", Transport::Tcp), ("http://", Transport::Tcp), ("https://", Transport::Https)];
const PLAIN_PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

impl Endpoint {
    /// Reads `unix:///path`, `tcp://host:port` or `http(s)://host:port`.
    pub fn parse(written: &str) -> Result<Self, Malformed> {
        let refuse = |why: &str| Malformed { written: written.to_owned(), why: why.to_owned() };
        let Some((scheme, transport)) = SCHEMES.iter().find(|(scheme, _)| written.starts_with(scheme)) else {
            return Err(refuse(wrong_scheme(written)));
        };
        let rest = &written[scheme.len()..];
        match transport {
            Transport::Unix if rest.starts_with('/') => Ok(Self::unix(rest)),
            Transport::Unix => Err(refuse("the path of a socket must be absolute")),
            Transport::Tcp | Transport::Https => {
                let address = read_host(rest, *transport).map_err(|why| refuse(&why))?;
                Ok(Self { transport: *transport, address })
            }
        }
    }

    /// The socket at an absolute path.
    pub fn unix(path: &str) -> Self {
        Self { transport: Transport::Unix, address: path.to_owned() }
    }

    /// How it is spoken to.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The path of a socket, or host and port.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Unix => "unix",
            Transport::Tcp => "tcp",
            Transport::Https => "https",
        };
        write!(formatter, "{scheme}://{}", self.address)
    }
}

fn wrong_scheme(written: &str) -> &'static str {
    match written.split_once("://") {
        Some(("ssh", _)) => "`ssh://` is not offered; forward the socket with `ssh -L` and name that",
        Some(_) => "its scheme is none of `unix`, `tcp`, `http`, `https`",
        None => "it has no scheme",
    }
}

fn read_host(rest: &str, transport: Transport) -> Result<String, String> {
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.contains('/') {
        return Err("a path behind host and port is not offered".to_owned());
    }
    let has_port = host.rsplit_once(':').is_some_and(|(before, _)| !before.contains(':') || before.ends_with(']'));
    let default = if transport == Transport::Https { TLS_PORT } else { PLAIN_PORT };
    let whole = if has_port { host.to_owned() } else { format!("{host}:{default}") };
    let (name, port) = whole.rsplit_once(':').unwrap_or_default();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err("it names no host".to_owned());
    }
    match port.parse::<u16>() {
        Ok(1..) => Ok(whole),
        _ => Err(format!("`{port}` is no port")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_users_write() {
        let shown = |written| Endpoint::parse(written).map(|endpoint| endpoint.to_string());
        assert_eq!(shown("unix:///run/docker.sock").as_deref(), Ok("unix:///run/docker.sock"));
        assert_eq!(shown("tcp://10.0.0.1:2375").as_deref(), Ok("tcp://10.0.0.1:2375"));
        assert_eq!(shown("tcp://host").as_deref(), Ok("tcp://host:2375"));
        assert_eq!(shown("http://localhost:99/").as_deref(), Ok("tcp://localhost:99"));
        assert_eq!(shown("https://host").as_deref(), Ok("https://host:2376"));
        assert_eq!(shown("tcp://[::1]:2375").as_deref(), Ok("tcp://[::1]:2375"));
    }

    #[test]
    fn refuses_what_leads_nowhere_and_says_what_to_write() {
        for written in
            ["", "/run/docker.sock", "unix://relative", "ftp://x", "ssh://host", "tcp://", "tcp://h:0", "tcp://h:x", "tcp://h/x"]
        {
            let malformed = Endpoint::parse(written).expect_err(written);
            assert!(malformed.hint().contains("unix://"), "{malformed}");
        }
    }
}
