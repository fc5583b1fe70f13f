//! A web whose answers a test computes.

use std::{fmt, sync::Arc};

use crate::Problem;

/// A request as a plugin sent it. See [`AddressBuilder::web`](super::AddressBuilder::web) for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebRequest {
    /// `GET`, `HEAD` or `POST`.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// What was sent.
    pub body: Vec<u8>,
}

impl WebRequest {
    /// Tells the value of a header, its name in any case.
    ///
    /// ```
    /// use sti_plugin::testing::WebRequest;
    ///
    /// let headers = vec![("Accept".to_owned(), "text/plain".to_owned())];
    /// let request = WebRequest { method: "GET".to_owned(), url: "http://example.com/".to_owned(), headers, body: Vec::new() };
    /// assert_eq!(request.header("accept"), Some("text/plain"));
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a server of a test answers.
///
/// ```
/// use sti_plugin::testing::WebAnswer;
///
/// let answer = WebAnswer::new(200, "<p>").header("content-type", "text/html");
/// assert_eq!((answer.status, answer.body.as_slice()), (200, &b"<p>"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct WebAnswer {
    /// The number of the status.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    pub(crate) url: Option<String>,
    pub(crate) breaks: Option<Problem>,
}

impl WebAnswer {
    /// Starts with a status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), url: None, breaks: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says that redirects led to another address.
    #[must_use]
    pub fn redirected_to(self, url: &str) -> Self {
        Self { url: Some(url.to_owned()), ..self }
    }

    /// Breaks with this problem after the body, as a line that is cut does.
    ///
    /// ```
    /// use sti_plugin::{Problem, http, testing::{AddressBuilder, WebAnswer}};
    ///
    /// let broken = || Problem::unavailable("cut-off", "the line was cut");
    /// let address = AddressBuilder::new("http://example.com/").web(move |_| Ok(WebAnswer::new(200, "ab").then_breaks(broken())));
    /// let read = address.ask(|address| http::get(&address.text())?.read_all(100));
    /// assert_eq!(read.unwrap_err().code(), "cut-off");
    /// ```
    #[must_use]
    pub fn then_breaks(self, problem: Problem) -> Self {
        Self { breaks: Some(problem), ..self }
    }
}

/// The function of a test that answers requests.
#[derive(Clone)]
pub(crate) struct Answering(Arc<Answer>);

type Answer = dyn Fn(&WebRequest) -> Result<WebAnswer, Problem> + Send + Sync;

impl Answering {
    pub(crate) fn new(answer: impl Fn(&WebRequest) -> Result<WebAnswer, Problem> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    pub(crate) fn answer(&self, request: &WebRequest) -> Result<WebAnswer, Problem> {
        (self.0)(request)
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Answering")
    }
}
