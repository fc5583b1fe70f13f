//! What comes back: a status, headers, and a body that is read piece by piece.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use url::Url;

use crate::error::Error;
use crate::failure::understand;
use crate::place::shown;
use crate::timeouts::heard;

/// An answer. A status such as 404 is one, and so is a page in HTML where something else was expected.
pub struct Response {
    answer: reqwest::Response,
    url: Url,
    rest: Bytes,
    idle: Duration,
    by_login: bool,
}

impl Response {
    pub(crate) fn new(answer: reqwest::Response, url: Url, idle: Duration) -> Self {
        Self { answer, url, rest: Bytes::new(), idle, by_login: false }
    }

    /// Notes whether a login was sent on the way to it.
    pub(crate) fn by_login(self, by_login: bool) -> Self {
        Self { by_login, ..self }
    }

    pub(crate) fn came_by_login(&self) -> bool {
        self.by_login
    }

    /// The number of the status.
    pub fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// The address after redirects.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The value of a header, its name in any case; the first one where there are several.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.answer.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The next piece of the body, at most `limit` bytes; empty at the end. A body that ends too early is an error.
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, Error> {
        if self.rest.is_empty() {
            self.rest = self.next_piece().await?.unwrap_or_default();
        }
        let length = self.rest.len().min(limit.max(1));
        Ok(self.rest.split_to(length))
    }

    /// The next piece as it came.
    pub(crate) async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        let from = shown(&self.url);
        loop {
            let piece = heard(self.idle, &from, self.answer.chunk()).await?;
            let piece = piece.map_err(|error| match understand(&self.url, &error).error {
                // Whatever it is called, it happened within an answer.
                Error::Unreachable { why, .. } => Error::BrokenOff { from: from.clone(), why },
                other => other,
            })?;
            match piece {
                Some(piece) if piece.is_empty() => {}
                piece => return Ok(piece),
            }
        }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    pub(crate) fn shown_url(&self) -> String {
        shown(&self.url)
    }
}
