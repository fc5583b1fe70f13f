//! The web that a test gave: pages, and a function that answers; everything else does not answer.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use super::{
    blobs::Blob,
    types::{Problem, ProblemKind, Variable, problem},
};
use crate::testing::{WebAnswer, WebRequest, web::Answering};

/// Pages by address, and who answers where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Web {
    pub(crate) pages: BTreeMap<String, (u16, Vec<u8>)>,
    pub(crate) answering: Option<Answering>,
}

thread_local! {
    static WEB: RefCell<Web> = RefCell::default();
}

/// Puts a web in the place of the one that was there, and answers that.
pub(crate) fn replace(web: Web) -> Web {
    WEB.replace(web)
}

pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<Variable>,
    pub body: Vec<u8>,
}

pub struct Response {
    answer: WebAnswer,
    url: String,
    read: Cell<usize>,
}

pub(crate) fn send(request: &Request) -> Result<Response, Problem> {
    if !matches!(request.method.as_str(), "GET" | "HEAD" | "POST") {
        return Err(problem(ProblemKind::Invalid, "invalid-method", format!("`{}` is no method here", request.method)));
    }
    let headers = request.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
    let asked = WebRequest { method: request.method.clone(), url: request.url.clone(), headers, body: request.body.clone() };
    let mut answer = answer(&asked)?;
    if request.method == "HEAD" {
        answer.body.clear();
    }
    let url = answer.url.clone().unwrap_or(asked.url);
    Ok(Response { answer, url, read: Cell::new(0) })
}

pub(crate) fn download(url: &str) -> Result<Blob, Problem> {
    let request = WebRequest { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: Vec::new() };
    let WebAnswer { status, body, breaks, .. } = answer(&request)?;
    match (status, breaks) {
        (200, None) => Ok(Blob(body)),
        (200, Some(problem)) => Err(problem.into()),
        (404, _) => Err(problem(ProblemKind::NotFound, "not-found", format!("`{url}` answers 404"))),
        (status, _) => Err(problem(ProblemKind::Unavailable, "no-document", format!("`{url}` answers {status}"))),
    }
}

fn answer(request: &WebRequest) -> Result<WebAnswer, Problem> {
    let web = WEB.with_borrow(Clone::clone);
    if let Some((status, body)) = web.pages.get(&request.url) {
        return Ok(WebAnswer::new(*status, body.clone()));
    }
    let no_answer = || problem(ProblemKind::Unavailable, "no-answer", format!("`{}` does not answer", request.url));
    let answering = web.answering.ok_or_else(no_answer)?;
    Ok(answering.answer(request)?)
}

impl Response {
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let said = self.answer.headers.iter().find(|(said, _)| said.eq_ignore_ascii_case(name));
        let length = || name.eq_ignore_ascii_case("content-length").then(|| self.answer.body.len().to_string());
        said.map(|(_, value)| value.clone()).or_else(length)
    }

    pub fn read(&self, limit: u32) -> Result<Vec<u8>, Problem> {
        let rest = self.answer.body.get(self.read.get()..).unwrap_or_default();
        match &self.answer.breaks {
            Some(problem) if rest.is_empty() => Err(problem.clone().into()),
            _ => {
                let piece = &rest[..rest.len().min(limit as usize)];
                self.read.set(self.read.get() + piece.len());
                Ok(piece.to_vec())
            }
        }
    }
}
