//! Where the engine is, and requests to it.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{Answer, Body};

/// The first version of Docker's API that all engines in use speak.
const API: &str = "v1.41";

/// Both directions of a connection.
pub(crate) trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// An engine that was named, not yet asked anything.
#[derive(Clone, Debug)]
pub struct Engine {
    url: String,
}

impl Engine {
    /// The engine of `STI_TEST_ENGINE`, else of `DOCKER_HOST`, else Docker's standard socket.
    pub fn of_environment() -> Self {
        let named = env::var("STI_TEST_ENGINE").or_else(|_| env::var("DOCKER_HOST"));
        Self::at(&named.unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned()))
    }

    /// The engine at `unix://PATH`, `tcp://HOST:PORT` or `http://HOST:PORT`.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// The address, as `DOCKER_HOST` and `--url` take it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether an engine answers there.
    pub fn answers(&self) -> bool {
        self.send("GET", "/_ping", Body::None).is_ok_and(|answer| answer.status == 200)
    }

    /// Asks for JSON.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, Body::None)?.good()?.json()
    }

    /// Asks for JSON about something that may not be there.
    pub fn find(&self, path: &str) -> Result<Option<Value>> {
        let answer = self.send("GET", path, Body::None)?;
        if answer.status == 404 { Ok(None) } else { Ok(Some(answer.good()?.json()?)) }
    }

    /// Sends JSON and reads the JSON that comes back; `Null` where nothing does.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Body::Json(body))?.good()?.json()
    }

    /// Removes something; what is gone already is no error.
    pub fn delete(&self, path: &str) -> Result<()> {
        let answer = self.send("DELETE", path, Body::None)?;
        if answer.status == 404 { Ok(()) } else { answer.good().map(|_| ()) }
    }

    /// Sends one request on a connection of its own. The answer's body is read by whoever wants it.
    pub fn send(&self, method: &str, path: &str, body: Body<'_>) -> Result<Answer> {
        self.send_with(method, path, "", body)
    }

    /// The same with further headers, each with its line's end.
    pub(crate) fn send_with(&self, method: &str, path: &str, headers: &str, body: Body<'_>) -> Result<Answer> {
        let mut connection = self.connect().with_context(|| format!("no engine answers at {}", self.url))?;
        let head = format!("{method} /{API}{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n{headers}");
        connection.write_all(head.as_bytes())?;
        let sent = body.write(&mut connection);
        // An engine that refuses says so at once and reads no further: its answer tells more than the broken pipe does.
        match (Answer::read(connection), sent) {
            (Ok(answer), Ok(())) => Ok(answer),
            (Ok(answer), Err(_)) if answer.status >= 400 => Ok(answer),
            (_, Err(error)) | (Err(error), Ok(())) => Err(error).with_context(|| format!("{method} {path}")),
        }
    }

    fn connect(&self) -> Result<Box<dyn Connection>> {
        ensure!(
            env::var_os("DOCKER_TLS_VERIFY").is_none(),
            "this client speaks no TLS; unset DOCKER_TLS_VERIFY or name a local engine"
        );
        match self.url.split_once("://") {
            Some(("unix", path)) => Ok(Box::new(UnixStream::connect(Path::new(path))?)),
            Some(("tcp" | "http", address)) => Ok(Box::new(TcpStream::connect(address.trim_end_matches('/'))?)),
            _ => bail!("expected unix://, tcp:// or http://, not `{}`", self.url),
        }
    }
}

/// Writes what may stand in a query or path only when encoded.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/:".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
