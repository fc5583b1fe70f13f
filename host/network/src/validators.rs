//! How a server tells whether a document is still the one that came (RFC 9110, section 8.8), and what may be kept of one at all.

use reqwest::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, VARY};
use sti_core::digest::sha256;
use url::Url;

use crate::response::Response;

/// What tells one state of a document from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// What the server calls this state.
    pub etag: Option<String>,
    /// When the server says that it was last changed, as it writes times.
    pub modified: Option<String>,
    /// The SHA-256 of the address that it came from in the end, in hexadecimal digits: addresses may hold secrets.
    pub place: String,
}

impl Validators {
    /// Those of an answer; `None` where it has none.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let header = |name: &str| response.header(name).filter(|value| value.len() <= 1_000);
        let (etag, modified) = (header(ETAG.as_str()), header(LAST_MODIFIED.as_str()));
        let place = place(etag.as_deref(), response.url());
        (etag.is_some() || modified.is_some()).then_some(Self { etag, modified, place })
    }

    /// Asks for the document only if it is another one now.
    pub(crate) fn ask(&self, headers: &mut HeaderMap) {
        let value = |text: &Option<String>| HeaderValue::from_str(text.as_deref()?).ok();
        if let Some(etag) = value(&self.etag) {
            headers.insert(IF_NONE_MATCH, etag);
        } else if let Some(modified) = value(&self.modified) {
            headers.insert(IF_MODIFIED_SINCE, modified);
        }
    }

    /// Whether the answer "unchanged" is about the same document: an address may redirect to another one since, which was not changed
    /// for a long time either.
    pub(crate) fn are_of(&self, response: &Response) -> bool {
        self.place == place(self.etag.as_deref(), response.url())
    }
}

/// Where a server names states in a way that no two documents share, what stands behind the `?` is mostly a signature of the day.
fn place(etag: Option<&str>, url: &str) -> String {
    let is_strong = etag.is_some_and(|etag| etag.starts_with('"'));
    let Ok(mut url) = Url::parse(url) else { return sha256(url.as_bytes()) };
    if is_strong {
        url.set_query(None);
    }
    sha256(url.as_str().as_bytes())
}

/// Whether an answer may be kept for later: the server does not forbid it, and would give it to anybody who asks in the same way.
pub(crate) fn may_be_kept(response: &Response) -> bool {
    let says = |name: &str, word: &str| {
        let values = response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    !response.came_by_login() && !says(CACHE_CONTROL.as_str(), "no-store") && !says(VARY.as_str(), "*")
}
