//! The smart protocol over HTTP(S), whose requests the host sends.

use std::{
    any::Any,
    cell::RefCell,
    io::{self, BufRead, Cursor, Read, Write},
    rc::Rc,
};

use gix_error::ErrorExt;
use gix_transport::{
    Protocol,
    client::blocking_io::{
        Transport,
        http::{self, GetResponse, Http, PostBodyDataKind, PostResponse},
    },
};
use sti_plugin::{Problem, http as host};

use crate::trouble::{Budget, Trouble};

/// How much of a body is read at once.
const PIECE: u32 = 1 << 16;

/// What git's own servers call their answers.
const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
/// What a request says that asks for references.
const LIST: &[u8] = b"command=ls-refs";
const RESULT: &str = "application/x-git-upload-pack-result";

/// Headers that are the host's to set.
const SET_BY_THE_HOST: &[&str] = &["user-agent", "authorization", "host", "content-length", "cookie"];

/// Opens a repository behind a web server.
pub(crate) fn open(url: &str, trouble: &Trouble) -> Result<Box<dyn Transport>, Problem> {
    let parsed = gix_url::parse(url)
        .map_err(|error| Problem::invalid("invalid-address", format!("`{url}` is no address of a git repository: {error}")))?;
    let client = Client { trouble: trouble.clone(), redirected: Rc::default() };
    Ok(Box::new(http::Transport::new_http(client, parsed, Protocol::V2, false)))
}

struct Client {
    trouble: Trouble,
    /// Where the first answer came from, which is where the others are to be asked.
    redirected: Rc<RefCell<Option<String>>>,
}

impl Http for Client {
    type Headers = Cursor<Vec<u8>>;
    type ResponseBody = Body;
    type PostBody = Outgoing;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix_error::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let answer =
            send("GET", url, split(headers), &[], ADVERTISEMENT).map_err(|problem| self.trouble.keep(problem).raise())?;
        *self.redirected.borrow_mut() = new_base(url, base_url, &answer.url());
        let headers = Cursor::new(format!("content-type: {ADVERTISEMENT}\n").into_bytes());
        Ok(GetResponse { headers, body: Body::of(answer, &self.trouble) })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix_error::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let outgoing = Outgoing::default();
        let unsent = Unsent { url: url.to_owned(), headers: split(headers), body: outgoing.clone() };
        // What the answer says of itself is judged when it is there; nothing is sent before the body is complete.
        let headers = Cursor::new(format!("content-type: {RESULT}\n").into_bytes());
        let body = Body {
            unsent: Some(unsent),
            answer: None,
            piece: Cursor::default(),
            trouble: self.trouble.clone(),
            budget: Budget::new(Budget::LIST),
        };
        Ok(PostResponse { post_body: outgoing, headers, body })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix_error::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.borrow().clone()
    }
}

/// The body of a request while it is written.
#[derive(Clone, Default)]
pub(crate) struct Outgoing(Rc<RefCell<Vec<u8>>>);

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A request that is sent when its answer is first read.
struct Unsent {
    url: String,
    headers: Vec<(String, String)>,
    body: Outgoing,
}

/// The body of an answer, piece by piece.
pub(crate) struct Body {
    unsent: Option<Unsent>,
    answer: Option<host::Response>,
    piece: Cursor<Vec<u8>>,
    trouble: Trouble,
    budget: Budget,
}

impl Body {
    fn of(answer: host::Response, trouble: &Trouble) -> Self {
        Self {
            unsent: None,
            answer: Some(answer),
            piece: Cursor::default(),
            trouble: trouble.clone(),
            budget: Budget::new(Budget::LIST),
        }
    }

    fn next_piece(&mut self) -> Result<Vec<u8>, Problem> {
        if let Some(Unsent { url, headers, body }) = self.unsent.take() {
            let body = body.0.take();
            if !body.windows(LIST.len()).any(|some| some == LIST) {
                self.budget.lift();
            }
            self.answer = Some(send("POST", &url, headers, &body, RESULT)?);
        }
        let piece = self.answer.as_ref().map_or(Ok(Vec::new()), |answer| answer.read(PIECE))?;
        self.budget.spend(piece.len())?;
        Ok(piece)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece.fill_buf()?.is_empty() {
            let piece = self.next_piece().map_err(|problem| self.trouble.keep(problem))?;
            self.piece = Cursor::new(piece);
        }
        self.piece.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.piece.consume(amount);
    }
}

/// Sends a request. An answer that is none of git's is a problem already.
fn send(method: &str, url: &str, headers: Vec<(String, String)>, body: &[u8], kind: &str) -> Result<host::Response, Problem> {
    let answer = host::send(method, url, headers, body)?;
    let is_of_git = answer.status() == 200 && answer.header("content-type").is_some_and(|said| said.trim() == kind);
    if is_of_git { Ok(answer) } else { Err(no_repository(url, &answer)) }
}

/// What a server means that does not answer as git does.
fn no_repository(url: &str, answer: &host::Response) -> Problem {
    let shown = url.split_once("/info/refs?").map_or_else(|| url.trim_end_matches("/git-upload-pack"), |(base, _)| base);
    match answer.status() {
        status @ (401 | 403) => Problem::unavailable(
            "authentication-failed",
            format!("`{shown}` is private or does not exist: the server answers {status}"),
        )
        .hint(
            "credentials are taken from git's credential helpers and from `~/.netrc`: try `git ls-remote` with this address, \
             or log in with your server's own tool; over ssh, your keys are used",
        ),
        404 | 410 => Problem::not_found("repository-not-found", format!("there is no repository at `{shown}`"))
            .hint("check the spelling; many servers answer the same where a repository is private and no credentials are known for them"),
        429 | 500..=599 => Problem::unavailable("fetch-failed", format!("the server of `{shown}` answers {}", answer.status()))
            .hint("try again later"),
        status => {
            let kind = answer.header("content-type").unwrap_or_else(|| "no content type".to_owned());
            Problem::invalid("not-a-repository", format!("`{shown}` is no git repository: the server answers {status} with `{kind}`"))
                .hint("give the address that `git clone` takes; a page that shows a repository is not one, and archives end in `.tar.gz` or `.zip`")
        }
    }
}

fn split(headers: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<(String, String)> {
    let pairs = headers.into_iter().filter_map(|header| {
        let (name, value) = header.as_ref().split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    pairs.filter(|(name, _)| !SET_BY_THE_HOST.contains(&name.as_str())).collect()
}

/// Tells the base that an answer's address means, where it is not the one that was asked.
fn new_base(url: &str, base_url: &str, answered: &str) -> Option<String> {
    let tail = url.strip_prefix(base_url)?;
    let base = answered.strip_suffix(tail)?;
    (base != base_url).then(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_redirect_of_the_whole_repository_only() {
        let url = "http://a/r.git/info/refs?service=git-upload-pack";
        let moved = "https://b/s.git/info/refs?service=git-upload-pack";
        assert_eq!(new_base(url, "http://a/r.git", moved).as_deref(), Some("https://b/s.git"));
        assert_eq!(new_base(url, "http://a/r.git", url), None);
        assert_eq!(new_base(url, "http://a/r.git", "https://b/login"), None);
    }

    #[test]
    fn leaves_to_the_host_what_is_the_hosts() {
        let headers = split(["Git-Protocol: version=2", "User-Agent: git/x", "Authorization: Basic x", "no colon"]);
        assert_eq!(headers, [("git-protocol".to_owned(), "version=2".to_owned())]);
    }
}
