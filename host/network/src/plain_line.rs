//! `git://`: a plain connection to git's daemon (the manual of gitprotocol-pack, "Git Transport").

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sti_core::hosts::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::Error;
use crate::judge::judged_addresses;
use crate::lookup::Lookup;
use crate::place::plain;
use crate::repository::{Repository, SERVICE};
use crate::timeouts::{Timeouts, heard};

pub(crate) struct PlainLine {
    stream: TcpStream,
    from: String,
    idle: Duration,
}

impl PlainLine {
    pub(crate) async fn open(names: &Lookup, reach: &Reach, timeouts: Timeouts, repository: &Repository) -> Result<Self, Error> {
        let stream = dial(names, reach, timeouts.connect, repository).await?;
        let mut line = Self { stream, from: repository.shown(), idle: timeouts.idle };
        line.write(request(repository).as_bytes()).await?;
        Ok(line)
    }

    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, Error> {
        let mut piece = BytesMut::with_capacity(limit);
        let mut reading = (&mut self.stream).take(limit as u64);
        heard(self.idle, &self.from, reading.read_buf(&mut piece)).await?.map_err(|error| broken(&self.from, &error))?;
        Ok(piece.freeze())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        heard(self.idle, &self.from, self.stream.write_all(bytes)).await?.map_err(|error| broken(&self.from, &error))
    }

    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        self.stream.shutdown().await.map_err(|error| broken(&self.from, &error))
    }
}

/// Tries the judged addresses one after the other.
async fn dial(names: &Lookup, reach: &Reach, wait: Duration, repository: &Repository) -> Result<TcpStream, Error> {
    let origin = &repository.origin;
    let late = || Error::Unreachable { host: origin.authority(), why: "no connection in time".to_owned() };
    let addresses = timeout(wait, judged_addresses(names, reach, &origin.host)).await.map_err(|_| late())??;
    let mut last = late();
    for address in addresses {
        match timeout(wait, TcpStream::connect(SocketAddr::new(address, origin.port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Error::Unreachable { host: origin.authority(), why: plain(&error.to_string()) },
            Err(_) => last = late(),
        }
    }
    Err(last)
}

/// The request line, with its length before it. Behind the empty word stand parameters that old servers do not read.
fn request(repository: &Repository) -> String {
    let line = format!("{SERVICE} {}\0host={}\0\0version=2\0", repository.path, repository.origin.authority());
    format!("{:04x}{line}", line.len() + 4)
}

fn broken(from: &str, error: &io::Error) -> Error {
    Error::BrokenOff { from: from.to_owned(), why: plain(&error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_line_asks_for_version_2() {
        let repository = Repository::parse("git://a.test:1234/b.git").unwrap();
        assert_eq!(request(&repository), "0037git-upload-pack /b.git\0host=a.test:1234\0\0version=2\0");
    }
}
