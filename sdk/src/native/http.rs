//! A web of the pages that the test gave; everything else does not answer.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use super::{
    blobs::Blob,
    types::{Problem, ProblemKind, Variable, problem},
};

/// Pages by address: status and body.
pub(crate) type Pages = BTreeMap<String, (u16, Vec<u8>)>;

thread_local! {
    static PAGES: RefCell<Pages> = const { RefCell::new(BTreeMap::new()) };
}

/// Puts pages in the place of those that were there, and answers these.
pub(crate) fn replace(pages: Pages) -> Pages {
    PAGES.replace(pages)
}

pub struct Request {
    pub method: String,
    pub url: String,
    /// Sent to nobody.
    #[expect(dead_code, reason = "the same fields as the generated ones; these pages do not differ by them")]
    pub headers: Vec<Variable>,
    #[expect(dead_code, reason = "the same fields as the generated ones; these pages do not differ by them")]
    pub body: Vec<u8>,
}

pub struct Response {
    status: u16,
    url: String,
    body: Vec<u8>,
    read: Cell<u64>,
}

pub(crate) fn send(request: &Request) -> Result<Response, Problem> {
    if !matches!(request.method.as_str(), "GET" | "HEAD" | "POST") {
        return Err(problem(ProblemKind::Invalid, "invalid-method", format!("`{}` is no method here", request.method)));
    }
    let (status, body) = page(&request.url)?;
    let body = if request.method == "HEAD" { Vec::new() } else { body };
    Ok(Response { status, url: request.url.clone(), body, read: Cell::new(0) })
}

pub(crate) fn download(url: &str) -> Result<Blob, Problem> {
    match page(url)? {
        (200, body) => Ok(Blob(body)),
        (404, _) => Err(problem(ProblemKind::NotFound, "not-found", format!("`{url}` answers 404"))),
        (status, _) => Err(problem(ProblemKind::Unavailable, "no-document", format!("`{url}` answers {status}"))),
    }
}

fn page(url: &str) -> Result<(u16, Vec<u8>), Problem> {
    let page = PAGES.with_borrow(|pages| pages.get(url).cloned());
    page.ok_or_else(|| problem(ProblemKind::Unavailable, "no-answer", format!("`{url}` does not answer")))
}

impl Response {
    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        name.eq_ignore_ascii_case("content-length").then(|| self.body.len().to_string())
    }

    pub fn read(&self, limit: u32) -> Result<Vec<u8>, Problem> {
        let piece = Blob(self.body.clone()).read(self.read.get(), limit)?;
        self.read.set(self.read.get() + piece.len() as u64);
        Ok(piece)
    }
}
