//! How to go on with a document after a break: what says that it is still the same, and whether an answer begins where we stopped (RFC 9110, section 14).

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue, LAST_MODIFIED};

use crate::response::Response;

/// What a server takes as a sign that a document is the one it was: a strong entity tag, or the time of its last change.
pub(crate) struct Resume(pub(crate) HeaderValue);

impl Resume {
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let headers = response.headers();
        let strong = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
        strong.or_else(|| headers.get(LAST_MODIFIED)).cloned().map(Self)
    }
}

/// True where a part begins at `size` and belongs to a document of the same length.
pub(crate) fn continues(response: &Response, size: u64, total: Option<u64>) -> bool {
    let range = response.header(CONTENT_RANGE.as_str()).unwrap_or_default();
    let Some((first, whole)) = parse(&range) else { return false };
    let is_same = total.is_none_or(|total| whole.is_none_or(|whole| whole == total));
    first == size && is_same
}

/// The first byte of a `content-range`, and the length of the document where it is known.
fn parse(range: &str) -> Option<(u64, Option<u64>)> {
    let (part, whole) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = part.split_once('-')?;
    Some((first.trim().parse().ok()?, whole.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(parse("bytes 10-19/20"), Some((10, Some(20))));
        assert_eq!(parse("bytes 10-19/*"), Some((10, None)));
        for range in ["", "bytes */20", "bytes 10", "items 10-19/20", "bytes -19/20", "bytes a-b/c"] {
            assert_eq!(parse(range), None, "{range}");
        }
    }
}
