//! A line to the fetch service of a git repository, opened by the host and granted by host name.
//!
//! ```no_run
//! use std::io::{Read, Write};
//!
//! use sti_plugin::{Problem, repositories};
//!
//! fn greet(address: &str) -> Result<Vec<u8>, Problem> {
//!     let mut connection = repositories::connect(address)?;
//!     connection.write_all(b"0000")?;
//!     connection.finish()?;
//!     let mut answer = Vec::new();
//!     connection.read_to_end(&mut answer)?;
//!     Ok(answer)
//! }
//! ```

use std::io;

use crate::{Problem, host};

/// Opens the line to a `git://` or `ssh://` address. Protocol version 2 is asked for.
pub fn connect(address: &str) -> Result<Connection, Problem> {
    Ok(Connection(host::repositories::connect(address)?))
}

/// A line to the other side, to be read and written in turns.
pub struct Connection(host::repositories::Connection);

impl Connection {
    /// Tells the other side that no more will be written.
    pub fn finish(&self) -> Result<(), Problem> {
        Ok(self.0.finish()?)
    }
}

impl io::Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let bytes = self.0.read(limit).map_err(|problem| io::Error::other(Problem::from(problem)))?;
        let Some(start) = buffer.get_mut(..bytes.len()) else {
            return Err(io::Error::other("the host gave more than was asked for"));
        };
        start.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl io::Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|problem| io::Error::other(Problem::from(problem)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
