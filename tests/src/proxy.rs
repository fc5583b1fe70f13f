//! Stands between `sti` and its engine, or an engine and its registry: counts requests, and cuts, answers or delays the chosen ones.
//!
//! Each connection carries one request, because the proxy asks for that in the request's head: so requests need not be told apart.

use std::{
    fs::{self, Permissions},
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use sti_test_engine::Engine;

/// Which requests meet the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The one of this number, counted from 1.
    Number(usize),
    /// This one and all that follow.
    From(usize),
    /// Each whose first line holds this text, such as `POST /commit`; the API's version is taken out before.
    Holds(&'static str),
    /// The second such, and no other.
    HoldsAgain(&'static str),
    /// Every one.
    All,
}

/// What happens to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends, and nothing was passed on.
    Cut,
    /// The request is passed on, and the connection ends when the answer begins.
    LoseAnswer,
    /// This is the answer, and nothing was passed on: a status and JSON.
    Answer(u16, String),
    /// The request waits before it is passed on.
    Delay(Duration),
    /// Nothing is passed on or answered until who asks gives up.
    Hold,
}

/// A proxy that listens until the test process ends.
#[derive(Clone, Debug)]
pub struct Proxy {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    faults: Vec<(When, Fault)>,
    requests: Vec<String>,
}

#[derive(Clone, Debug)]
enum Target {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl Proxy {
    /// Listens on a socket at this path, which everybody may use, and passes on to an engine.
    pub fn before_engine(engine: &Engine, socket: &Path) -> Self {
        let path = engine.url().strip_prefix("unix://").expect("the proxy stands before a local engine");
        let listener = UnixListener::bind(socket).expect("a socket at a new path");
        fs::set_permissions(socket, Permissions::from_mode(0o777)).expect("a socket of our own");
        let proxy = Self { url: format!("unix://{}", socket.display()), shared: Arc::default() };
        proxy.serve(move || Ok(Link::Unix(listener.accept()?.0)), Target::Unix(path.into()));
        proxy
    }

    /// Listens on a free port of this machine and passes on to another one.
    pub fn before_port(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let own = listener.local_addr().expect("a bound socket");
        let proxy = Self { url: own.to_string(), shared: Arc::default() };
        proxy.serve(move || Ok(Link::Tcp(listener.accept()?.0)), Target::Tcp((Ipv4Addr::LOCALHOST, port).into()));
        proxy
    }

    /// Where it listens: `unix://PATH` or `HOST:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes these the faults, and counts from 1 again.
    pub fn begin(&self, faults: impl IntoIterator<Item = (When, Fault)>) {
        *self.shared() = Shared { faults: faults.into_iter().collect(), requests: Vec::new() };
    }

    /// The requests since [`Proxy::begin`]: method and path without the API's version.
    pub fn requests(&self) -> Vec<String> {
        self.shared().requests.clone()
    }

    /// Waits until a request came whose first line holds the text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.requests().iter().any(|request| request.contains(text)) {
            assert!(Instant::now() < deadline, "no request with {text:?} came, but {:#?}", self.requests());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no holder panics")
    }

    fn serve(&self, accept: impl Fn() -> io::Result<Link> + Send + 'static, target: Target) {
        let proxy = self.clone();
        thread::spawn(move || {
            while let Ok(client) = accept() {
                let (proxy, target) = (proxy.clone(), target.clone());
                // What breaks here breaks for the program under test, and is seen there.
                thread::spawn(move || proxy.pass_on(client, &target));
            }
        });
    }

    fn pass_on(&self, mut client: Link, target: &Target) -> io::Result<()> {
        let head = read_head(&mut client)?;
        let fault = self.note(&head);
        match fault {
            Some(Fault::Cut) => return client.close(),
            Some(Fault::Answer(status, json)) => return answer(client, status, &json),
            Some(Fault::Hold) => return io::copy(&mut client, &mut io::sink()).map(drop),
            Some(Fault::Delay(pause)) => thread::sleep(pause),
            _ => {}
        }
        let mut server = match target {
            Target::Unix(path) => Link::Unix(UnixStream::connect(path)?),
            Target::Tcp(address) => Link::Tcp(TcpStream::connect(address)?),
        };
        server.write_all(&with_one_request(&head))?;
        let (mut from_client, mut to_server) = (client.another()?, server.another()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            to_server.end()
        });
        match fault {
            Some(Fault::LoseAnswer) => server.read(&mut [0])? as u64,
            _ => io::copy(&mut server, &mut client)?,
        };
        client.close()?;
        server.close()
    }

    fn note(&self, head: &[u8]) -> Option<Fault> {
        let request = request_of(head);
        let mut shared = self.shared();
        shared.requests.push(request.clone());
        let number = shared.requests.len();
        let meets = |when: &When| match when {
            When::Number(only) => number == *only,
            When::From(first) => number >= *first,
            When::Holds(text) => request.contains(text),
            When::HoldsAgain(text) => {
                request.contains(text) && shared.requests.iter().filter(|earlier| earlier.contains(text)).count() == 2
            }
            When::All => true,
        };
        shared.faults.iter().find(|(when, _)| meets(when)).map(|(_, fault)| fault.clone())
    }
}

fn read_head(client: &mut Link) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let length = client.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&piece[..length]);
    }
    Ok(head)
}

/// The first line without the API's version.
fn request_of(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let mut words = text.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let versioned = path.strip_prefix("/v1.").map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    format!("{method} {}", versioned.unwrap_or(path))
}

/// The head with a word that ends the connection after the answer, unless it is about to become another protocol.
fn with_one_request(head: &[u8]) -> Vec<u8> {
    let end = head.windows(2).position(|window| window == b"\r\n").expect("a head was read") + 2;
    if String::from_utf8_lossy(head).to_ascii_lowercase().contains("upgrade:") {
        return head.to_vec();
    }
    [&head[..end], b"Connection: close\r\n", &head[end..]].concat()
}

fn answer(mut client: Link, status: u16, json: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", json.len());
    client.write_all(format!("{head}Connection: close\r\n\r\n{json}").as_bytes())?;
    client.end()?;
    // Bytes that nobody reads would make the kernel take the answer back.
    io::copy(&mut client, &mut io::sink()).map(drop)
}

/// A connection of either kind.
enum Link {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Link {
    fn another(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    fn end(&self) -> io::Result<()> {
        self.shut_down(Shutdown::Write)
    }

    fn close(&self) -> io::Result<()> {
        self.shut_down(Shutdown::Both)
    }

    fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.shutdown(how),
            Self::Tcp(stream) => stream.shutdown(how),
        }
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(piece),
            Self::Tcp(stream) => stream.write(piece),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{request_of, with_one_request};

    #[test]
    fn a_request_is_known_by_method_and_path() {
        assert_eq!(request_of(b"GET /v1.41/images/json?all=1 HTTP/1.1\r\n\r\n"), "GET /images/json?all=1");
        assert_eq!(request_of(b"GET /v2/app/manifests/1 HTTP/1.1\r\n\r\n"), "GET /v2/app/manifests/1");
    }

    #[test]
    fn a_connection_is_made_to_carry_one_request_unless_it_is_upgraded() {
        assert_eq!(with_one_request(b"GET / HTTP/1.1\r\nA: b\r\n\r\n"), b"GET / HTTP/1.1\r\nConnection: close\r\nA: b\r\n\r\n");
        let upgraded = b"POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
        assert_eq!(with_one_request(upgraded), upgraded);
    }
}
