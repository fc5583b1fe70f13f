//! Requests over HTTP(S), sent by the host and granted by host name.
//!
//! TLS, proxies, certificate authorities and credentials are the host's: a plugin neither sees nor sets them.
//!
//! ```
//! use sti_plugin::{Problem, http};
//!
//! fn newest(project: &str) -> Result<String, Problem> {
//!     let response = http::get(&format!("https://example.com/{project}/newest"))?;
//!     if response.status() != 200 {
//!         return Err(Problem::unavailable("no-answer", format!("`{}` answers {}", response.url(), response.status())));
//!     }
//!     Ok(String::from_utf8(response.read_all(1000)?)?)
//! }
//! ```

use crate::{Blob, Problem, Variable, host};

/// How much is read at once where everything is read.
const PIECE: u32 = 1 << 16;

/// Asks for a document, and answers as soon as the headers are there.
pub fn get(url: &str) -> Result<Response, Problem> {
    send("GET", url, [] as [Variable; 0], &[])
}

/// Sends a request by `GET`, `HEAD` or `POST`, with a body of at most 4 MiB.
pub fn send<V: Into<Variable>>(
    method: &str,
    url: &str,
    headers: impl IntoIterator<Item = V>,
    body: &[u8],
) -> Result<Response, Problem> {
    let headers = headers.into_iter().map(|header| header.into().into()).collect();
    let request = host::http::Request { method: method.to_owned(), url: url.to_owned(), headers, body: body.to_vec() };
    Ok(Response(host::http::send(&request)?))
}

/// Fetches a whole document, retried and resumed by the host, to be read at any offset.
pub fn download(url: &str) -> Result<Blob, Problem> {
    Ok(Blob(host::http::download(url)?))
}

/// What a server answered. Any status is an answer: see [`Response::status`].
pub struct Response(host::http::Response);

impl Response {
    /// Tells the status, such as 200.
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// Tells the address after redirects.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Tells the value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        self.0.header(name)
    }

    /// Reads the next piece of the body, at most `limit` bytes (64 KiB is best); empty at the end.
    pub fn read(&self, limit: u32) -> Result<Vec<u8>, Problem> {
        Ok(self.0.read(limit)?)
    }

    /// Reads all of the body, where that is no more than `limit` bytes; else it is a problem of kind `Exhausted`.
    pub fn read_all(&self, limit: usize) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        loop {
            let piece = self.read(PIECE)?;
            if piece.is_empty() {
                return Ok(bytes);
            }
            bytes.extend(piece);
            if bytes.len() > limit {
                return Err(Problem::exhausted("too-large", format!("`{}` answers more than {limit} bytes", self.url())));
            }
        }
    }
}
