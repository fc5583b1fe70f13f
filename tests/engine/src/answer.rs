//! What comes back: status, and a body of known length, in chunks, or until the connection ends.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::engine::Connection;

/// An answer whose body is still to be read.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, whatever way it is sent.
    pub body: Box<dyn Read>,
}

impl Answer {
    pub(crate) fn read(connection: Box<dyn Connection>) -> Result<Self> {
        let mut connection = BufReader::with_capacity(65536, connection);
        let status_line = line(&mut connection)?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("no HTTP: {status_line:?}"))?;
        let (mut length, mut chunked) = (None, false);
        loop {
            let header = line(&mut connection)?.to_ascii_lowercase();
            match header.split_once(':') {
                None => break,
                Some(("content-length", value)) => length = Some(value.trim().parse()?),
                Some(("transfer-encoding", value)) => chunked = value.contains("chunked"),
                Some(_) => {}
            }
        }
        let body: Box<dyn Read> = match length {
            _ if chunked => Box::new(Chunked { connection, left: 0, ended: false }),
            Some(length) => Box::new(connection.take(length)),
            None if status == 204 || status == 304 => Box::new(io::empty()),
            None => Box::new(connection),
        };
        Ok(Self { status, body })
    }

    /// The answer itself, if it is no error; else what the engine says.
    pub fn good(mut self) -> Result<Self> {
        if self.status < 400 {
            return Ok(self);
        }
        let text = self.text()?;
        let message = serde_json::from_str::<Value>(&text).ok().and_then(|value| value["message"].as_str().map(str::to_owned));
        bail!("the engine answers {}: {}", self.status, message.unwrap_or(text))
    }

    /// The body as text.
    pub fn text(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        self.body.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The body as JSON; `Null` where it is empty.
    pub fn json(&mut self) -> Result<Value> {
        let text = self.text()?;
        if text.trim().is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context(text) }
    }
}

fn line(connection: &mut dyn BufRead) -> Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        bail!("the engine closed the connection before it answered");
    }
    Ok(line.trim_end().to_owned())
}

/// Takes a body's chunks apart.
struct Chunked {
    connection: BufReader<Box<dyn Connection>>,
    left: u64,
    ended: bool,
}

impl Read for Chunked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            self.next_chunk()?;
        }
        if self.ended {
            return Ok(0);
        }
        let length = (&mut self.connection).take(self.left).read(buffer)?;
        self.left -= length as u64;
        if length == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length)
    }
}

impl Chunked {
    fn next_chunk(&mut self) -> io::Result<()> {
        let mut size = String::new();
        while size.trim().is_empty() {
            size.clear();
            if self.connection.read_line(&mut size)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.left = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        self.ended = self.left == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn check_body(answer: &str, wanted: &str) {
        assert_eq!(Answer::read(Box::new(Cursor::new(answer.as_bytes().to_vec()))).unwrap().text().unwrap(), wanted);
    }

    #[test]
    fn reads_a_body_of_known_length_in_chunks_or_to_the_end() {
        check_body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", "abc");
        check_body(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n",
            "abc0123456789",
        );
        check_body("HTTP/1.1 200 OK\r\n\r\nabc", "abc");
    }

    #[test]
    fn a_body_that_breaks_off_is_an_error() {
        let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc";
        assert!(Answer::read(Box::new(Cursor::new(broken.as_bytes().to_vec()))).unwrap().text().is_err());
    }
}
