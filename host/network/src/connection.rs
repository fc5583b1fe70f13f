//! A line to the fetch service of a git repository: judged, opened, read and written.

use bytes::Bytes;
use sti_core::hosts::Standing;
use sti_core::progress::Level;

use crate::Network;
use crate::error::Error;
use crate::judge::judge;
use crate::plain_line::PlainLine;
use crate::repository::{Repository, Way};
use crate::ssh::SshLine;

/// What is read at once, at most.
const PIECE: usize = 64 * 1024;

/// An open line. Dropping it closes it.
pub struct Connection {
    line: Line,
}

enum Line {
    Plain(PlainLine),
    Ssh(Box<SshLine>),
}

impl Network {
    /// Opens a line to `git://host[:port]/path` or `ssh://[user@]host[:port]/path` and asks for version 2 of git's protocol.
    ///
    /// Proxies are not used. Over ssh the host's name is judged, and the address that it leads to here; the site's client then looks it
    /// up by itself, with the aliases and jump hosts that its user configured, and what vouches for the host is its known key.
    pub async fn connect(&self, address: &str) -> Result<Connection, Error> {
        let repository = Repository::parse(address)?;
        let origin = &repository.origin;
        self.open(&repository).await.map_err(|error| self.worded(origin, error))
    }

    async fn open(&self, repository: &Repository) -> Result<Connection, Error> {
        let Repository { origin, way, .. } = repository;
        let reach = judge(&*self.grants, origin)?;
        // The client logs in by itself, with the user's keys.
        if *way == Way::Ssh && reach.standing == Standing::Granted {
            return Err(Error::NotGranted(self.grants.refused_login(&origin.host, origin.port)));
        }
        self.progress.say(Level::Debug, format!("opens {}", repository.shown()));
        let line = match way {
            Way::Plain => Line::Plain(PlainLine::open(&self.names, &reach, self.timeouts, repository).await?),
            Way::Ssh => {
                let line = SshLine::open(&self.names, &reach, self.timeouts, &self.ssh, repository).await?;
                Line::Ssh(Box::new(line))
            }
        };
        Ok(Connection { line })
    }
}

impl Connection {
    /// The next bytes from the other side, at most `limit`; waits for one, and is empty at the end.
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, Error> {
        let limit = limit.clamp(1, PIECE);
        match &mut self.line {
            Line::Plain(line) => line.read(limit).await,
            Line::Ssh(line) => line.read(limit).await,
        }
    }

    /// Sends all of these bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.line {
            Line::Plain(line) => line.write(bytes).await,
            Line::Ssh(line) => line.write(bytes).await,
        }
    }

    /// Tells the other side that no more will be written. Reading goes on.
    pub async fn finish(&mut self) -> Result<(), Error> {
        match &mut self.line {
            Line::Plain(line) => line.finish().await,
            Line::Ssh(line) => line.finish().await,
        }
    }
}
