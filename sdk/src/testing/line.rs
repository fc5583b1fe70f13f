//! Lines to repositories that a test opens.

use std::{
    fmt,
    io::{self, Read, Write},
    sync::Arc,
};

use crate::Problem;

/// An open line to a repository. See [`AddressBuilder::repositories`](super::AddressBuilder::repositories) for an example.
pub struct Line {
    reader: Box<dyn Read>,
    writer: Option<Box<dyn Write>>,
}

impl Line {
    /// Joins what the other side says with where it listens, such as a child's output and input.
    pub fn new(reader: impl Read + 'static, writer: impl Write + 'static) -> Self {
        Self { reader: Box::new(reader), writer: Some(Box::new(writer)) }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or_else(|| io::Error::other("the line was finished"))?;
        writer.write_all(bytes)?;
        writer.flush()
    }

    /// Dropping the writer is what tells the other side that no more comes.
    pub(crate) fn finish(&mut self) {
        self.writer = None;
    }
}

/// The function of a test that opens lines.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Open>);

type Open = dyn Fn(&str) -> Result<Line, Problem> + Send + Sync;

impl Lines {
    pub(crate) fn new(open: impl Fn(&str) -> Result<Line, Problem> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    pub(crate) fn open(&self, address: &str) -> Result<Line, Problem> {
        (self.0)(address)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lines")
    }
}
