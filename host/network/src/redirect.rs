//! Where an answer sends us, and what goes along. Whether the next host may be reached is judged by who follows.

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderName};
use reqwest::{Method, StatusCode};

use crate::error::Error;
use crate::place::{Origin, plain, shown};
use crate::request::Sendable;

/// How many redirects are followed.
pub(crate) const MOST: usize = 10;

/// Headers of a plugin's that go along to another host; any other may hold what only the first host should know.
const GO_ALONG: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-type",
    "git-protocol",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "user-agent",
];

/// The next request; `None` where the answer is no redirect.
pub(crate) fn next(asked: &Sendable, status: StatusCode, location: Option<&str>) -> Result<Option<Sendable>, Error> {
    let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = location.filter(|_| is_redirect) else {
        return Ok(None);
    };
    let refused = |to: String, why| Err(Error::RedirectRefused { from: shown(&asked.url), to, why });
    let Ok(mut url) = asked.url.join(location) else {
        return refused(plain(location.rsplit('@').next().unwrap_or_default()), "which is no address");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refused(plain(&shown(&url)), "and only `http://` and `https://` are followed");
    }
    if asked.url.scheme() == "https" && url.scheme() == "http" {
        return refused(shown(&url), "which anybody on the way could read and change");
    }
    // A login that a server writes into a redirect is not one that the user gave.
    if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
        return refused(shown(&url), "which is no address");
    }
    url.set_fragment(None);
    Ok(Some(follow(asked, status, url)))
}

fn follow(asked: &Sendable, status: StatusCode, url: url::Url) -> Sendable {
    let mut next = Sendable { url, ..asked.clone() };
    let becomes_get = match status.as_u16() {
        301 | 302 => asked.method == Method::POST,
        303 => asked.method != Method::HEAD,
        _ => false,
    };
    if becomes_get {
        next.method = Method::GET;
        next.body = Bytes::new();
        for header in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            next.headers.remove(header);
        }
    }
    if Origin::of(&next.url) != Origin::of(&asked.url) {
        let stay = |name: &&HeaderName| !GO_ALONG.contains(&name.as_str());
        for name in asked.headers.keys().filter(stay) {
            next.headers.remove(name);
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    fn asked(method: &str, url: &str) -> Sendable {
        let headers = [("accept", "a"), ("content-type", "b"), ("private-token", "c")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Request { method: method.to_owned(), url: url.to_owned(), headers, body: b"body".to_vec() }.try_into().unwrap()
    }

    fn check(url: &str, location: &str, expected: Result<&str, &str>) {
        let next = next(&asked("GET", url), StatusCode::FOUND, Some(location));
        let next = next.as_ref().map(|next| next.as_ref().unwrap().url.as_str()).map_err(Error::code);
        assert_eq!(next, expected, "{url} → {location}");
    }

    #[test]
    fn an_address_is_followed_however_it_is_written() {
        check("http://a.test/b/c", "d?e#f", Ok("http://a.test/b/d?e"));
        check("http://a.test/b/c", "/d", Ok("http://a.test/d"));
        check("http://a.test/b/c", "//d.test/", Ok("http://d.test/"));
        check("http://a.test/", "https://b.test/", Ok("https://b.test/"));
        check("https://a.test/", "https://ada:secret@b.test/", Ok("https://b.test/"));
    }

    #[test]
    fn what_is_no_safe_address_is_not_followed() {
        check("https://a.test/", "http://a.test/", Err("redirect-refused"));
        for location in ["file:///etc/hosts", "ftp://a.test/", "data:,a", "gopher://a.test/", "http://a.test:99999/"] {
            check("http://a.test/", location, Err("redirect-refused"));
        }
    }

    fn check_method(status: u16, method: &str, expected: &str, keeps_body: bool) {
        let next = next(&asked(method, "http://a.test/"), StatusCode::from_u16(status).unwrap(), Some("/b")).unwrap().unwrap();
        assert_eq!((next.method.as_str(), !next.body.is_empty()), (expected, keeps_body), "{status} {method}");
        assert_eq!(next.headers.contains_key("content-type"), keeps_body);
    }

    #[test]
    fn the_status_says_what_is_sent_again() {
        for status in [301, 302, 303] {
            check_method(status, "POST", "GET", false);
            check_method(status, "HEAD", "HEAD", true);
        }
        for status in [307, 308] {
            check_method(status, "POST", "POST", true);
            check_method(status, "GET", "GET", true);
        }
    }

    #[test]
    fn headers_that_only_the_first_host_should_know_stay_there() {
        let sent = |location| next(&asked("GET", "http://a.test/"), StatusCode::FOUND, Some(location)).unwrap().unwrap().headers;
        assert!(sent("/b").contains_key("private-token"));
        assert!(!sent("http://b.test/").contains_key("private-token") && sent("http://b.test/").contains_key("accept"));
        assert!(!sent("http://a.test:81/").contains_key("private-token"));
    }

    #[test]
    fn an_answer_without_an_address_is_an_answer() {
        for (status, location) in [(200, Some("/b")), (304, Some("/b")), (300, Some("/b")), (302, None)] {
            let next = next(&asked("GET", "http://a.test/"), StatusCode::from_u16(status).unwrap(), location);
            assert!(next.unwrap().is_none(), "{status}");
        }
    }
}
