//! A web server on loopback, for tests, benchmark and demo: git's own `http-backend` for what ends in `.git/…`, files for the rest, and what
//! else a test wants.
#![expect(clippy::disallowed_methods, clippy::missing_panics_doc, reason = "tools and tests serve files, and end by a panic")]

use std::{
    collections::HashMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use base64::{Engine, prelude::BASE64_STANDARD};

/// A server that listens as long as the process lives.
pub struct Server {
    /// Where it listens, without a slash at the end.
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Knows {
    root: PathBuf,
    login: Option<String>,
    asked: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
}

struct Request {
    method: String,
    target: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Server {
    /// Serves what lies in a directory; with a login (`user:password`) to nobody else.
    pub fn start(root: &Path, login: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of our own");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (asked, sent) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicU64>::default());
        let login = login.map(|login| BASE64_STANDARD.encode(login));
        let knows = Knows { root: root.to_owned(), login, asked: asked.clone(), sent: sent.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let knows = knows.clone();
                thread::spawn(move || while knows.answer(&stream).is_some() {});
            }
        });
        Self { url, asked, sent }
    }

    /// Each request as `METHOD TARGET`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no holder panics").clone()
    }

    /// The same since the last time, and how many bytes of bodies were sent since.
    pub fn asked_since(&self) -> (Vec<String>, u64) {
        (std::mem::take(&mut *self.asked.lock().expect("no holder panics")), self.sent.swap(0, Relaxed))
    }
}

impl Knows {
    /// Answers one request; none where the other side is gone.
    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let request = read(stream)?;
        self.asked.lock().expect("no holder panics").push(format!("{} {}", request.method, request.target));
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let given = request.headers.get("authorization").and_then(|value| value.strip_prefix("Basic "));
        let (status, headers, body) = if self.login.is_some() && given != self.login.as_deref() {
            (401, "WWW-Authenticate: Basic realm=\"x\"\r\n".to_owned(), Vec::new())
        } else if let Some(to) = query.strip_prefix("to=") {
            (302, format!("Location: {to}\r\n"), Vec::new())
        } else if path.contains(".git/") && !path.contains("/info/lfs/") {
            return self.by_git(&request, path, query, stream).ok();
        } else {
            match fs::read(self.root.join(path.trim_start_matches('/'))) {
                Ok(bytes) => with_validators(&request, query, bytes),
                Err(_) => (404, String::new(), b"<html>nothing here</html>".to_vec()),
            }
        };
        self.sent.fetch_add(body.len() as u64, Relaxed);
        let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).ok()
    }

    /// Passes on what git's own program says, while it says it.
    fn by_git(&self, request: &Request, path: &str, query: &str, mut stream: &TcpStream) -> io::Result<()> {
        let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
        let mut child = Command::new("git")
            .arg("http-backend")
            .envs([("GIT_HTTP_EXPORT_ALL", "1"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs([("REQUEST_METHOD", request.method.as_str()), ("PATH_INFO", path), ("QUERY_STRING", query)])
            .envs([("CONTENT_TYPE", header("content-type")), ("GIT_PROTOCOL", header("git-protocol"))])
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("GIT_PROJECT_ROOT", &self.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs");
        let mut input = child.stdin.take().expect("it was piped");
        let body = request.body.clone();
        // Written while it is read, or both sides wait.
        let writing = thread::spawn(move || input.write_all(&body));
        let mut output = BufReader::with_capacity(1 << 16, child.stdout.take().expect("it was piped"));
        let passed = pass_on(&mut output, &mut stream, &self.sent);
        drop(output);
        let _broken = writing.join().expect("no writer panics");
        let _ended = child.wait();
        passed
    }
}

/// A file with a name of its state, by which a client can ask whether it changed; `?plain` has none, and `?no-store` may not be kept.
fn with_validators(request: &Request, query: &str, bytes: Vec<u8>) -> (u16, String, Vec<u8>) {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let etag = format!("\"{:016x}\"", hasher.finish());
    match query {
        "plain" => (200, String::new(), bytes),
        "no-store" => (200, format!("ETag: {etag}\r\nCache-Control: no-store\r\n"), bytes),
        _ if request.headers.get("if-none-match") == Some(&etag) => (304, format!("ETag: {etag}\r\n"), Vec::new()),
        _ => (200, format!("ETag: {etag}\r\n"), bytes),
    }
}

/// Turns what a CGI program says into an answer of HTTP, chunk by chunk.
fn pass_on(output: &mut impl BufRead, stream: &mut impl Write, sent: &AtomicU64) -> io::Result<()> {
    let (mut status, mut headers) = ("200".to_owned(), String::new());
    loop {
        let mut line = String::new();
        output.read_line(&mut line)?;
        let line = line.trim_end();
        match line.strip_prefix("Status: ") {
            Some(told) => told.chars().take(3).collect::<String>().clone_into(&mut status),
            None if line.is_empty() => break,
            None => headers.extend([line, "\r\n"]),
        }
    }
    write!(stream, "HTTP/1.1 {status} x\r\n{headers}Transfer-Encoding: chunked\r\n\r\n")?;
    loop {
        let piece = output.fill_buf()?;
        // The last chunk has no bytes.
        write!(stream, "{:x}\r\n", piece.len())?;
        stream.write_all(piece)?;
        stream.write_all(b"\r\n")?;
        let length = piece.len();
        sent.fetch_add(length as u64, Relaxed);
        output.consume(length);
        if length == 0 {
            return Ok(());
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, target, headers, body })
}
