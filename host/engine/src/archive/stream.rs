//! Between the blocking world of files and the asynchronous one of an engine's socket, a handful of pieces at a time.

use std::{
    future::Future,
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
};

use super::Error;

const PIECE: usize = 128 * 1024;
const PIECES_AHEAD: usize = 4;

/// What a job writes, piece by piece. Dropping it ends the job at its next piece.
///
/// Where the job fails, the last item is an error, so that a request whose body this is breaks off.
pub struct Pieces(Receiver<io::Result<Bytes>>);

/// How the job ended. Ask when [`Pieces`] was read to its end or dropped.
pub struct Verdict(JoinHandle<Result<(), Error>>);

/// Runs a job on a thread of its own and streams what it writes. Memory stays at a few pieces, however much there is.
///
/// Must be called within a tokio runtime. If the other side stopped reading first, the verdict is [`Error::Write`].
pub fn stream(job: impl FnOnce(&mut dyn Write) -> Result<(), Error> + Send + 'static) -> (Pieces, Verdict) {
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let thread = tokio::task::spawn_blocking(move || {
        let mut writer = PieceWriter { sender, piece: BytesMut::with_capacity(PIECE) };
        let ended = job(&mut writer).and_then(|()| writer.send().map_err(Error::Write));
        if let Err(error) = &ended {
            // Nobody may listen any more; the verdict has it in any case.
            let _ = writer.sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
        ended
    });
    (Pieces(receiver), Verdict(thread))
}

/// Reads a stream of pieces from a blocking thread, such as the job of [`stream`]. Must be called within the tokio runtime that
/// drives the pieces.
pub fn blocking_reader<E>(pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> impl Read + Send + 'static
where
    E: std::error::Error + Send + Sync + 'static,
{
    let pieces = pieces.map(|piece| piece.map_err(io::Error::other)).boxed();
    PieceReader { pieces, runtime: Handle::current(), piece: Bytes::new() }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

impl Future for Verdict {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|ended| match ended {
            Ok(ended) => ended,
            Err(failure) => match failure.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Write(io::Error::other("the runtime is shutting down"))),
            },
        })
    }
}

struct PieceWriter {
    sender: Sender<io::Result<Bytes>>,
    piece: BytesMut,
}

impl PieceWriter {
    fn send(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, BytesMut::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece.freeze())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..count]);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

struct PieceReader {
    pieces: BoxStream<'static, io::Result<Bytes>>,
    runtime: Handle,
    piece: Bytes,
}

impl Read for PieceReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !into.is_empty() {
            match self.runtime.block_on(self.pieces.next()) {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}
