//! A request as a plugin makes it, and what of it is refused before anything is sent.

use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::error::Error;
use crate::place::{Origin, plain, shown};

/// The largest body that is sent.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

const METHODS: &[(&str, Method)] = &[("GET", Method::GET), ("HEAD", Method::HEAD), ("POST", Method::POST)];

/// Headers that the host sets itself, or that would change where a request begins and ends.
const OF_THE_HOST: &[&str] = &[
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const OF_PROXIES: &str = "proxy-";

/// A request as a plugin makes it.
#[derive(Clone, Default)]
pub struct Request {
    /// `GET`, `HEAD` or `POST`.
    pub method: String,
    /// Absolute, `http` or `https`, without credentials.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// At most 4 MiB.
    pub body: Vec<u8>,
}

/// Headers are shown by their names: what they hold may be secret.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let body = self.body.len();
        let Self { method, url, .. } = self;
        formatter
            .debug_struct("Request")
            .field("method", method)
            .field("url", url)
            .field("headers", &headers)
            .field("body", &body)
            .finish()
    }
}

/// A request that may be sent, if its host may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Sendable {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Sendable {
    pub(crate) fn get(url: &str) -> Result<Self, Error> {
        Ok(Self { method: Method::GET, url: parse_url(url)?, headers: HeaderMap::new(), body: Bytes::new() })
    }

    /// Whom it is for.
    pub(crate) fn origin(&self) -> Result<Origin, Error> {
        let no_host = || Error::InvalidUrl { url: shown(&self.url), why: "it has no host".to_owned() };
        Origin::of(&self.url).ok_or_else(no_host)
    }

    /// True where it brings its own login, which then takes the place of any that we know.
    pub(crate) fn is_authorized(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// True where sending it twice does what sending it once does.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.method != Method::POST
    }
}

impl TryFrom<Request> for Sendable {
    type Error = Error;

    fn try_from(Request { method, url, headers, body }: Request) -> Result<Self, Error> {
        let Some((_, method)) = METHODS.iter().find(|(name, _)| *name == method) else {
            return Err(Error::InvalidMethod { method: plain(&method) });
        };
        let url = parse_url(&url)?;
        let headers = headers.iter().map(|(name, value)| parse_header(name, value)).collect::<Result<Vec<_>, _>>()?;
        if body.len() > BODY_LIMIT {
            return Err(Error::BodyTooLarge { bytes: body.len(), limit: BODY_LIMIT });
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        Ok(Self { method: method.clone(), url, headers: map, body: body.into() })
    }
}

fn parse_url(text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text).map_err(|error| {
        // What cannot be read cannot be cleaned for certain: all before the last `@` is left out.
        let text = text.rsplit('@').next().unwrap_or_default();
        Error::InvalidUrl { url: plain(text), why: error.to_string() }
    })?;
    let invalid = |why: &str| Err(Error::InvalidUrl { url: plain(&shown(&url)), why: why.to_owned() });
    if !matches!(url.scheme(), "http" | "https") {
        return invalid("only `http://` and `https://` can be asked");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("it holds credentials, and these are the host's");
    }
    url.set_fragment(None);
    Ok(url)
}

fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let invalid = |why| Error::InvalidHeader { name: plain(name), why };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("its name is none of HTTP"))?;
    if OF_THE_HOST.contains(&parsed.as_str()) || parsed.as_str().starts_with(OF_PROXIES) {
        return Err(invalid("the host sets it itself"));
    }
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid("its value holds control characters"))?;
    value.set_sensitive(parsed == AUTHORIZATION);
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(request: Request, code: Option<&str>) {
        let shown = format!("{} {} {:?}", request.method, request.url, request.headers);
        let error = Sendable::try_from(request).err();
        assert_eq!(error.as_ref().map(Error::code), code, "{shown}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }

    fn get(url: &str) -> Request {
        Request { method: "GET".to_owned(), url: url.to_owned(), ..Request::default() }
    }

    fn with_header(name: &str, value: &str) -> Request {
        Request { headers: vec![(name.to_owned(), value.to_owned())], ..get("http://a.test/") }
    }

    #[test]
    fn only_three_methods_are_sent() {
        for (method, code) in [("GET", None), ("HEAD", None), ("POST", None), ("get", Some("invalid-method"))] {
            check(Request { method: method.to_owned(), ..get("http://a.test/") }, code);
        }
        for method in ["PUT", "DELETE", "CONNECT", "", "GET \r\nX: y"] {
            check(Request { method: method.to_owned(), ..get("http://a.test/") }, Some("invalid-method"));
        }
    }

    #[test]
    fn only_http_without_credentials_is_asked() {
        check(get("https://a.test/b?c#d"), None);
        for url in ["file:///etc", "ftp://a.test/", "a.test", "", "//a.test/", "data:,a", "http://", "http://a.test:99999/"] {
            check(get(url), Some("invalid-url"));
        }
        for url in
            ["https://ada:secret@a.test/", "https://secret@a.test/", "https:ada:secret@a.test/", "https://ada:se/secret@b/"]
        {
            check(get(url), Some("invalid-url"));
        }
    }

    #[test]
    fn headers_of_the_host_are_refused_in_any_case() {
        for name in OF_THE_HOST.iter().chain(&["Host", "Cookie", "proxy-authorization", "Proxy-Connection"]) {
            check(with_header(name, "a"), Some("invalid-header"));
        }
        check(with_header("accept", "*/*"), None);
        check(with_header("Git-Protocol", "version=2"), None);
    }

    #[test]
    fn a_login_of_the_plugins_own_is_sent_and_never_shown() {
        let request = Request { headers: vec![("Authorization".to_owned(), "Basic secret".to_owned())], ..get("http://a.test/") };
        let shown = format!("{request:?}");
        let sendable = Sendable::try_from(request).unwrap();
        assert!(sendable.is_authorized());
        assert!(shown.contains("Authorization") && !format!("{shown} {sendable:?}").contains("secret"), "{shown} {sendable:?}");
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for (name, value) in
            [("", "a"), ("a b", "a"), ("a:", "a"), ("a\r\nhost", "a"), ("accept", "a\r\nhost: b"), ("accept", "a\0")]
        {
            check(with_header(name, value), Some("invalid-header"));
        }
    }

    #[test]
    fn a_body_has_a_limit() {
        check(Request { body: vec![0; BODY_LIMIT], ..get("http://a.test/") }, None);
        check(Request { body: vec![0; BODY_LIMIT + 1], ..get("http://a.test/") }, Some("body-too-large"));
    }
}
