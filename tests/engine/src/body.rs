//! What goes along with a request.

use std::io::{BufWriter, Write};

use anyhow::Result;
use serde_json::Value;

/// Large pieces: every one costs a system call on either side.
const PIECE: usize = 1 << 20;

/// What goes along with a request.
pub enum Body<'a> {
    /// Nothing.
    None,
    /// A value.
    Json(&'a Value),
    /// A tar that is written while it is sent.
    Tar(&'a mut dyn FnMut(&mut dyn Write) -> Result<()>),
}

impl Body<'_> {
    /// Writes the headers that describe the body, and the body.
    pub(crate) fn write(self, connection: &mut dyn Write) -> Result<()> {
        match self {
            Body::None => connection.write_all(b"Content-Length: 0\r\n\r\n")?,
            Body::Json(value) => {
                let text = value.to_string();
                write!(connection, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}", text.len())?;
            }
            Body::Tar(tar) => {
                connection.write_all(b"Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let mut chunks = BufWriter::with_capacity(PIECE, Chunks { connection });
                tar(&mut chunks)?;
                chunks.flush()?;
                drop(chunks);
                connection.write_all(b"0\r\n\r\n")?;
            }
        }
        Ok(connection.flush()?)
    }
}

/// Writes each piece as one chunk.
struct Chunks<'a> {
    connection: &'a mut dyn Write,
}

impl Write for Chunks<'_> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        // A chunk of no bytes would end the body.
        if !piece.is_empty() {
            write!(self.connection, "{:x}\r\n", piece.len())?;
            self.connection.write_all(piece)?;
            self.connection.write_all(b"\r\n")?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.connection.flush()
    }
}
