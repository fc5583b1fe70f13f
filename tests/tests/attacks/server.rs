//! A server on loopback that says what a test wants, right or wrong.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv6Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What was asked.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
}

/// What is answered.
pub(crate) enum Reply {
    /// A status, further headers (each with its end of line), and a body.
    Whole(u16, String, Vec<u8>),
    /// A kind, and a body of which the rest never comes: the line is cut.
    Cut(&'static str, Vec<u8>, usize),
    /// One byte of a body now and then, without end.
    Trickle,
    /// Nothing, for as long as somebody waits.
    Nothing,
}

impl Reply {
    pub(crate) fn ok(kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(200, format!("Content-Type: {kind}\r\n"), body.into())
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::Whole(302, format!("Location: {to}\r\n"), Vec::new())
    }
}

pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    /// On the loopback address of IPv6, where there is one.
    pub(crate) fn start_on_6(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Option<Self> {
        TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok().map(|listener| Self::listening(listener, answer))
    }

    fn listening(listener: TcpListener, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let (asked, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(answer));
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || {
                    let asked = read(&stream)?;
                    noted.lock().unwrap().push(format!("{} {}", asked.method, asked.target));
                    send(stream, answer(&asked))
                });
            }
        });
        Self { url: format!("http://{address}"), port: address.port(), asked }
    }

    /// Each request as `METHOD TARGET`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn send(mut stream: TcpStream, reply: Reply) -> Option<()> {
    let head = |status: u16, headers: &str, length: usize| {
        format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match reply {
        Reply::Whole(status, headers, body) => {
            stream.write_all(&[head(status, &headers, body.len()).as_bytes(), &body].concat()).ok()
        }
        Reply::Cut(kind, body, length) => {
            let headers = format!("Content-Type: {kind}\r\n");
            stream.write_all(&[head(200, &headers, length).as_bytes(), &body].concat()).ok()
        }
        Reply::Trickle => {
            stream.write_all(head(200, "", 1 << 30).as_bytes()).ok()?;
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
            None
        }
        Reply::Nothing => stream.read(&mut [0]).ok().map(drop),
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    while let Some((name, value)) = line()?.split_once(':') {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, target, body })
}
