//! Gets content into a container that has not started: one tar in one request, written while it is sent.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bollard::query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use sti_core::{Event, Plan, Progress, plan::ContentId};
use sti_engine::{
    Contents, Error,
    archive::{self, Owner, Pieces, Repack, Spot, Verdict},
};

use crate::DockerEngine;

const TELL_EVERY: Duration = Duration::from_millis(200);
/// How a tar ends.
const END: usize = 1024;

/// Something on its way into a container.
pub(crate) struct Pour {
    /// Where it arrives: absolute.
    pub(crate) at: String,
    /// Who owns it there.
    pub(crate) owner: Owner,
    /// Where it comes from.
    pub(crate) from: Spring,
}

/// Where content comes from.
pub(crate) enum Spring {
    /// The host packs it.
    Host(ContentId),
    /// An engine's archive of a path; its first part is the name of what lies there.
    Archive(BoxStream<'static, Result<Bytes, bollard::errors::Error>>),
}

/// What the host packs from; shared with the threads that do.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) plan: Arc<Plan>,
    pub(crate) contents: Arc<Contents>,
}

/// How a tar is written.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// Gives every entry the time 0.
    pub(crate) clamp_times: bool,
}

impl DockerEngine {
    /// Pours everything into a container, in order.
    pub(crate) async fn pour(
        &self,
        container: &str,
        pours: Vec<Pour>,
        store: &Store,
        title: &str,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        if !self.is_podman {
            let whole = pours.into_iter().map(|pour| (inside(&pour.at).to_owned(), pour)).collect();
            return self.put(container, "/", whole, store, title, progress).await;
        }
        // Podman puts what goes to `/` into the layer, below what is mounted there.
        for pour in pours {
            let at = pour.at.clone();
            self.put(container, &at, vec![(String::new(), pour)], store, title, progress).await?;
        }
        Ok(())
    }

    async fn put(
        &self,
        container: &str,
        path: &str,
        pours: Vec<(String, Pour)>,
        store: &Store,
        title: &str,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let bytes = Arc::new(AtomicU64::new(0));
        let (pieces, verdict) = tar_of(pours, store, Manner { clamp_times: false }, Vec::new(), bytes.clone());
        let sent = self.put_tar(container, path, pieces);
        let sent = telling(sent, title, &bytes, progress).await;
        finish(sent, verdict, |failure| failure.while_creating(title)).await
    }

    /// Sends a tar into a container.
    pub(crate) async fn put_tar(
        &self,
        container: &str,
        path: &str,
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), crate::failures::Failure> {
        let options = UploadToContainerOptionsBuilder::new().path(path).build();
        let body = bollard::body_try_stream(pieces);
        let call = self.requests.patient().upload_to_container(container, Some(options), body);
        self.requests.send(format!("PUT /containers/{container}/archive?path={path}"), call).await
    }

    /// The archive of a path of a container.
    pub(crate) fn archive_of(&self, container: &str, path: &str) -> BoxStream<'static, Result<Bytes, bollard::errors::Error>> {
        self.requests.begin(&format!("GET /containers/{container}/archive?path={path}"));
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        self.requests.patient().download_from_container(container, Some(options)).boxed()
    }
}

/// Waits for a request that carries a tar, and then for whoever wrote the tar: a broken source is the cause of a broken request.
pub(crate) async fn finish<T>(
    sent: Result<T, crate::failures::Failure>,
    verdict: Verdict,
    refused: impl FnOnce(crate::failures::Failure) -> Error,
) -> Result<T, Error> {
    match (sent, verdict.await) {
        (Ok(answer), Ok(())) => Ok(answer),
        // Whoever stopped reading has the better reason.
        (Err(failure), Ok(()) | Err(archive::Error::Write(_))) => Err(refused(failure)),
        (_, Err(error)) => Err(unpacked(&error)),
    }
}

/// The error of a tar that could not be written.
pub(crate) fn unpacked(error: &archive::Error) -> Error {
    match error {
        archive::Error::Source(_) | archive::Error::NotThere { .. } => Error::Source(error.to_string()),
        _ => Error::Refused { request: "handing files over".to_owned(), why: error.to_string() },
    }
}

/// Tells how far a transfer is, now and then, until it is over.
pub(crate) async fn telling<T>(sent: impl Future<Output = T>, what: &str, bytes: &AtomicU64, progress: &dyn Progress) -> T {
    let mut sent = std::pin::pin!(sent);
    loop {
        if let Ok(answer) = tokio::time::timeout(TELL_EVERY, &mut sent).await {
            return answer;
        }
        let done = bytes.load(Ordering::Relaxed);
        progress.tell(Event::Amount { what: what.to_owned(), done, total: None });
    }
}

/// One tar of several contents, each below its path; `first` is written before them.
pub(crate) fn tar_of(
    pours: Vec<(String, Pour)>,
    store: &Store,
    manner: Manner,
    first: Vec<u8>,
    bytes: Arc<AtomicU64>,
) -> (Pieces, Verdict) {
    let store = store.clone();
    let pours: Vec<_> = pours.into_iter().map(|(at, pour)| (at, pour.owner, readable(pour.from))).collect();
    archive::stream(move |out| {
        out.write_all(&first).map_err(archive::Error::Write)?;
        let mut before = first.len() as u64;
        for (at, owner, from) in pours {
            let last = std::cell::Cell::new(0);
            let told = |done: u64| {
                last.set(done);
                bytes.store(before + done, Ordering::Relaxed);
            };
            write_one(&at, owner, from, &store, manner, out, &told)?;
            before += last.get();
        }
        out.write_all(&[0; END]).map_err(archive::Error::Write)
    })
}

enum Readable {
    Host(ContentId),
    Archive(Box<dyn std::io::Read + Send>),
}

fn readable(from: Spring) -> Readable {
    match from {
        Spring::Host(content) => Readable::Host(content),
        Spring::Archive(archive) => Readable::Archive(Box::new(archive::blocking_reader(archive))),
    }
}

fn write_one(
    at: &str,
    owner: Owner,
    from: Readable,
    store: &Store,
    manner: Manner,
    out: &mut dyn Write,
    told: &dyn Fn(u64),
) -> Result<(), archive::Error> {
    let mut open = WithoutEnd { out, held: Vec::new() };
    match from {
        Readable::Host(content) => {
            let spot = Spot { at, owner, clamp_times: manner.clamp_times };
            archive::pack(&store.plan, content, &store.contents, &spot, &mut open, told)
        }
        Readable::Archive(mut archive) => {
            let to = Repack { at: at.to_owned(), owner: Some(owner), strip_first: true };
            archive::repack(&mut archive, &mut open, &to, told)
        }
    }
}

/// Passes a tar on without its end, so that another one can follow in the same stream.
struct WithoutEnd<'a> {
    out: &'a mut dyn Write,
    held: Vec<u8>,
}

impl Write for WithoutEnd<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let keep_of_new = bytes.len().min(END);
        let (pass, keep) = bytes.split_at(bytes.len() - keep_of_new);
        let drop_held = (self.held.len() + keep.len()).saturating_sub(END);
        self.out.write_all(&self.held[..drop_held])?;
        self.held.drain(..drop_held);
        self.out.write_all(pass)?;
        self.held.extend_from_slice(keep);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A path within a tar of the whole file system.
pub(crate) fn inside(path: &str) -> &str {
    path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_end_of_a_tar_away_however_it_is_written() {
        let tar: Vec<u8> = (0..3000_u32).map(|number| u8::try_from(number % 251 + 1).unwrap()).chain([0; END]).collect();
        for size in [1, 7, 512, 1024, 1500, 4024] {
            let mut out = Vec::new();
            let mut open = WithoutEnd { out: &mut out, held: Vec::new() };
            tar.chunks(size).for_each(|piece| open.write_all(piece).unwrap());
            assert_eq!(out, &tar[..3000], "in pieces of {size}");
        }
    }
}
