//! Which requests go through a proxy, by the variables that everybody sets: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`.
//!
//! Behind a proxy the host's *name* is judged as ever, but not the address that it leads to: the proxy looks it up, and what it may
//! reach is its owner's decision. This machine and addresses of digits that are not public never go through one.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use sti_core::hosts::{is_localhost, not_public};
use url::Url;

use crate::error::Error;
use crate::place::{Origin, shown};

/// The values of `http_proxy` and its kin, as a person set them.
///
/// Behind a proxy a host is judged by its name only: which address the name leads to, the proxy finds out by itself.
#[derive(Clone, Default)]
pub struct Proxies {
    /// For `http://`.
    pub http: Option<String>,
    /// For `https://`.
    pub https: Option<String>,
    /// For both, where there is no closer one.
    pub all: Option<String>,
    /// Hosts, domains and networks that are reached directly.
    pub except: Option<String>,
}

impl Proxies {
    /// Picks them from variables, the spelling in small letters first.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| {
            let spellings = [name.to_owned(), name.to_ascii_uppercase()];
            spellings.iter().filter_map(|name| variable(name)).find(|value| !value.trim().is_empty())
        };
        Self { http: value("http_proxy"), https: value("https_proxy"), all: value("all_proxy"), except: value("no_proxy") }
    }
}

/// Proxies may hold a login.
impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |value: &Option<String>| value.as_deref().map(|_| "set");
        let (http, https, all) = (set(&self.http), set(&self.https), set(&self.all));
        write!(formatter, "Proxies {{ http: {http:?}, https: {https:?}, all: {all:?}, except: {:?} }}", self.except)
    }
}

/// Which proxy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Through {
    Http,
    Https,
}

/// The proxies, read.
pub(crate) struct ProxyTable {
    http: Option<Url>,
    https: Option<Url>,
    except: Matcher,
}

impl ProxyTable {
    pub(crate) fn new(proxies: &Proxies) -> Result<Self, Error> {
        let http = proxies.http.as_ref().or(proxies.all.as_ref());
        let https = proxies.https.as_ref().or(proxies.all.as_ref());
        let except = proxies.except.as_deref().unwrap_or_default();
        // Some people write spaces between the hosts.
        let except = except.split([',', ' ']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",");
        Ok(Self {
            http: http.map(|value| parse(value)).transpose()?,
            https: https.map(|value| parse(value)).transpose()?,
            // The proxy is never used: this table is only asked whether a host is among the exceptions.
            except: Matcher::builder().all("http://proxy.invalid").no(except).build(),
        })
    }

    /// The proxy that an address is asked through; `None` where it is asked directly.
    pub(crate) fn choose(&self, url: &Url) -> Option<Through> {
        let origin = Origin::of(url)?;
        let is_near = is_localhost(&origin.host) || origin.literal().is_some_and(|address| not_public(address).is_some());
        let is_excepted = || url.as_str().parse().is_ok_and(|uri| self.except.intercept(&uri).is_none());
        let through = if url.scheme() == "https" { Through::Https } else { Through::Http };
        (self.url(through).is_some() && !is_near && !is_excepted()).then_some(through)
    }

    pub(crate) fn url(&self, through: Through) -> Option<&Url> {
        match through {
            Through::Http => self.http.as_ref(),
            Through::Https => self.https.as_ref(),
        }
    }
}

fn parse(value: &str) -> Result<Url, Error> {
    let value = value.trim();
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let invalid = |what: String, why: &str| Error::InvalidSetting { what, why: why.to_owned() };
    // The value may hold a login, so it is not repeated where it cannot be read.
    let url = Url::parse(&with_scheme).map_err(|error| invalid("proxy".to_owned(), &error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(invalid(format!("proxy `{}`", shown(&url)), "proxies are spoken to over `http://` or `https://`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(except: &str) -> ProxyTable {
        let proxies = Proxies {
            http: Some("proxy.test:3128".to_owned()),
            https: None,
            all: Some("https://ada:secret@all.test".to_owned()),
            except: Some(except.to_owned()),
        };
        assert!(!format!("{proxies:?}").contains("secret"));
        ProxyTable::new(&proxies).unwrap()
    }

    fn check(except: &str, url: &str, expected: Option<Through>) {
        assert_eq!(table(except).choose(&Url::parse(url).unwrap()), expected, "{url} without `{except}`");
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        check("", "http://example.com/", Some(Through::Http));
        check("", "https://example.com/", Some(Through::Https));
        assert_eq!(table("").url(Through::Http).unwrap().as_str(), "http://proxy.test:3128/");
        assert_eq!(table("").url(Through::Https).unwrap().host_str(), Some("all.test"));
    }

    #[test]
    fn exceptions_are_reached_directly() {
        check("example.com", "http://example.com/", None);
        check("other.com, .example.com", "https://a.example.com/", None);
        check("a.com example.com", "https://example.com/", None);
        check("example.com", "https://notexample.com/", Some(Through::Https));
        check("1.1.1.0/24", "https://1.1.1.1/", None);
        check("*", "https://example.com/", None);
    }

    #[test]
    fn what_is_near_is_reached_directly() {
        for near in ["http://localhost:1/", "http://127.0.0.1/", "https://[::1]/", "http://10.0.0.1/"] {
            check("", near, None);
        }
    }

    #[test]
    fn small_letters_win_and_empty_values_are_absent() {
        let variables =
            [("HTTP_PROXY", "http://a"), ("http_proxy", ""), ("https_proxy", "http://b"), ("HTTPS_PROXY", "http://c")];
        let variable = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        let proxies = Proxies::from_variables(variable);
        assert_eq!((proxies.http.as_deref(), proxies.https.as_deref()), (Some("http://a"), Some("http://b")));
        assert_eq!((proxies.all, proxies.except), (None, None));
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused_without_its_login() {
        let proxies = Proxies { all: Some("socks5://ada:secret@proxy.test".to_owned()), ..Proxies::default() };
        let error = ProxyTable::new(&proxies).err().unwrap().to_string();
        assert!(error.contains("socks5://") && !error.contains("secret"), "{error}");
    }
}
