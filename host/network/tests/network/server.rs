//! A server of HTTP in a hundred lines, which writes down what it is sent and answers what the test says, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered: bytes as they stand, and then the line is closed, or kept open in silence.
pub(crate) struct Answer {
    bytes: Vec<u8>,
    trickle: Option<Duration>,
    hangs: bool,
}

impl Answer {
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), trickle: None, hangs: false }
    }

    /// An answer in its proper form.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let first = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        let head = headers.iter().fold(first, |head, (name, value)| head + &format!("{name}: {value}\r\n"));
        Self::raw([head.as_bytes(), b"\r\n", body].concat())
    }

    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::new(200, &[], body)
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::new(status, &[("location", location)], b"elsewhere")
    }

    /// The line is closed when so much of the body is sent.
    pub(crate) fn cut(mut self, body_at: usize) -> Self {
        let body = self.bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        self.bytes.truncate(body + body_at);
        self
    }

    /// The line stays open when all is sent, and nothing more comes.
    pub(crate) fn then_silence(self) -> Self {
        Self { hangs: true, ..self }
    }

    /// One byte of the body after each pause.
    pub(crate) fn trickling(self, pause: Duration) -> Self {
        Self { trickle: Some(pause), ..self }
    }
}

/// A server that is running.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server that answers each request, the first being number 0.
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at(0, answer).await
    }

    /// Starts one at a port that was free a moment ago.
    pub(crate) async fn start_at(port: u16, answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (seen, answer) = (server.seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move { serve(stream, &seen, &*answer).await });
            }
        });
        server
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// An address at this server, under a name of the test's.
    pub(crate) fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port())
    }
}

/// Reads one request and answers it.
pub(crate) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<Seen>>,
    answer: &(impl Fn(&Seen, usize) -> Answer + ?Sized),
) {
    let Some(request) = read_request(&mut stream).await else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let Answer { bytes, trickle, hangs } = answer(&request, number);
    // A trickle begins behind the headers.
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4);
    let (at_once, rest) = bytes.split_at(if trickle.is_some() { head } else { bytes.len() });
    for piece in [at_once].into_iter().chain(rest.chunks(1)) {
        if stream.write_all(piece).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        sleep(trickle.unwrap_or_default()).await;
    }
    if hangs {
        sleep(Duration::from_mins(1)).await;
    }
    let _ = stream.shutdown().await;
}

pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut seen = Seen { method, target, headers: headers.collect(), body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    seen.body.resize(length, 0);
    stream.read_exact(&mut seen.body).await.ok()?;
    Some(seen)
}
