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
use sha2::{Digest, Sha256};
use sti_core::{
    Event, Plan, Progress,
    plan::{ContentId, is_at_or_below},
};
use sti_engine::{
    Contents, Error,
    archive::{self, Choice, Owner, Pieces, Repack, Spot, Times, Verdict},
};

use crate::{DockerEngine, container::Mounted};

const TELL_EVERY: Duration = Duration::from_millis(200);
/// 1980, before which some archives know no time. The latest time that is drawn lies seventeen years later.
const EARLIEST: i64 = 315_532_800;
/// How a tar ends.
pub(crate) const END: usize = 1024;

/// Something on its way into a container.
pub(crate) struct Pour {
    /// Where it arrives: absolute.
    pub(crate) at: String,
    /// Who owns it there; whoever did where it comes from, where absent.
    pub(crate) owner: Option<Owner>,
    /// Where it comes from.
    pub(crate) from: Spring,
    /// When it was changed.
    pub(crate) times: Times,
    /// The entries that are wanted, where that are not all.
    pub(crate) only: Option<Choice>,
}

/// Where content comes from.
pub(crate) enum Spring {
    /// The host packs it.
    Host(ContentId),
    /// An engine's archive of a path; its first part is the name of what lies there.
    Archive(BoxStream<'static, Result<Bytes, bollard::errors::Error>>),
    /// A step that failed has left nothing: an empty directory.
    Nothing,
}

/// What the host packs from; shared with the threads that do.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) plan: Arc<Plan>,
    pub(crate) contents: Arc<Contents>,
}

/// The time of content that has none of its own, or that shall be the same in each build: drawn from what it is put upon and from
/// which content of the plan it is.
///
/// Engines that look for changes by comparing (on fuse-overlayfs, vfs and some kernels) take a file of the same time and length for
/// the same file, and leave it out of the layer: so content may not have the times of what lies below it, as it would with 0.
pub(crate) fn time_of(base: &str, content: ContentId) -> i64 {
    let digest = Sha256::digest(format!("{base} {}", content.0));
    let [a, b, c, d, ..] = digest[..] else { return EARLIEST };
    EARLIEST + i64::from(u32::from_be_bytes([a, b, c, d]) >> 3)
}

impl DockerEngine {
    /// Pours everything into a container, in order.
    pub(crate) async fn pour(
        &self,
        container: &str,
        pours: Vec<Pour>,
        mounts: &[Mounted],
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
            let path = mount_of(&pour.at, mounts).unwrap_or("/").to_owned();
            let below = inside(pour.at.strip_prefix(&path).unwrap_or(&pour.at)).to_owned();
            self.put(container, &path, vec![(below, pour)], store, title, progress).await?;
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
        let (pieces, verdict) = tar_of(pours, store, Frame::default(), bytes.clone());
        let sent = self.put_tar(container, path, pieces);
        let sent = telling(sent, title, &bytes, progress).await;
        finish(sent, verdict, title, |failure| failure.while_creating(title)).await
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
    title: &str,
    refused: impl FnOnce(crate::failures::Failure) -> Error,
) -> Result<T, Error> {
    finish_as(sent, verdict, refused, |error| unpacked(error, title)).await
}

/// The same, where what is wrong with the tar is told in other words.
pub(crate) async fn finish_as<T>(
    sent: Result<T, crate::failures::Failure>,
    verdict: Verdict,
    refused: impl FnOnce(crate::failures::Failure) -> Error,
    unpacked: impl FnOnce(&archive::Error) -> Error,
) -> Result<T, Error> {
    match (sent, verdict.await) {
        (Ok(answer), Ok(())) => Ok(answer),
        // Whoever stopped reading has the better reason.
        (Err(failure), Ok(()) | Err(archive::Error::Write(_))) => Err(refused(failure)),
        (_, Err(error)) => Err(unpacked(&error)),
    }
}

/// The error of a tar for a step that could not be written.
fn unpacked(error: &archive::Error, title: &str) -> Error {
    match error {
        archive::Error::NothingMatches { path } => Error::NotLeft { title: title.to_owned(), path: path.clone() },
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

/// Entries of a tar, without its end.
#[derive(Default)]
pub(crate) struct Frame {
    /// Before all contents.
    pub(crate) first: Vec<u8>,
    /// Behind them: of two entries of one name the last one counts.
    pub(crate) last: Vec<u8>,
}

/// One tar of several contents, each below its path.
pub(crate) fn tar_of(pours: Vec<(String, Pour)>, store: &Store, frame: Frame, bytes: Arc<AtomicU64>) -> (Pieces, Verdict) {
    let store = store.clone();
    let pours: Vec<_> = pours
        .into_iter()
        .map(|(at, pour)| {
            let to = Repack { at, owner: pour.owner, times: pour.times, strip_first: true, only: pour.only };
            (to, readable(pour.from))
        })
        .collect();
    archive::stream(move |out| {
        out.write_all(&frame.first).map_err(archive::Error::Write)?;
        let mut before = frame.first.len() as u64;
        for (to, from) in pours {
            let last = std::cell::Cell::new(0);
            let told = |done: u64| {
                last.set(done);
                bytes.store(before + done, Ordering::Relaxed);
            };
            write_one(&to, from, &store, out, &told)?;
            before += last.get();
        }
        out.write_all(&frame.last).map_err(archive::Error::Write)?;
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
        Spring::Nothing => Readable::Archive(Box::new(&[0; END][..])),
    }
}

fn write_one(to: &Repack, from: Readable, store: &Store, out: &mut dyn Write, told: &dyn Fn(u64)) -> Result<(), archive::Error> {
    let mut open = WithoutEnd::before(out);
    match from {
        Readable::Host(content) => {
            let owner = to.owner.unwrap_or(Owner { uid: 0, gid: 0 });
            let spot = Spot { at: &to.at, owner, times: to.times };
            archive::pack(&store.plan, content, &store.contents, &spot, &mut open, told)
        }
        Readable::Archive(mut archive) => archive::repack(&mut archive, &mut open, to, told),
    }
}

/// Passes a tar on without its end, so that another one can follow in the same stream.
pub(crate) struct WithoutEnd<'a> {
    out: &'a mut dyn Write,
    held: Vec<u8>,
}

impl<'a> WithoutEnd<'a> {
    /// Nothing yet.
    pub(crate) fn before(out: &'a mut dyn Write) -> Self {
        Self { out, held: Vec::new() }
    }
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

/// The innermost mount that a path lies at or below.
fn mount_of<'a>(path: &str, mounts: &'a [Mounted]) -> Option<&'a str> {
    let holds = |at: &&str| is_at_or_below(path, at);
    mounts.iter().map(|mounted| mounted.at.as_str()).filter(holds).max_by_key(|at| at.len())
}

/// A path within a tar of the whole file system.
pub(crate) fn inside(path: &str) -> &str {
    path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Begins;

    #[test]
    fn no_two_contents_of_a_base_and_no_two_bases_share_a_time() {
        let times: std::collections::BTreeSet<_> =
            ["scratch", "sha256:0"].iter().flat_map(|base| (0..50).map(|id| time_of(base, ContentId(id)))).collect();
        assert_eq!(times.len(), 100);
        assert!(times.iter().all(|time| (EARLIEST..EARLIEST + (1 << 29)).contains(time)));
        assert_eq!(time_of("scratch", ContentId(0)), time_of("scratch", ContentId(0)));
    }

    #[test]
    fn finds_the_innermost_mount_of_a_path() {
        let mounts =
            ["/tmp/src", "/tmp/src/sub", "/opt"].map(|at| Mounted { at: at.to_owned(), volume: None, begins: Begins::Empty });
        let cases = [
            ("/tmp/src", Some("/tmp/src")),
            ("/tmp/src/sub/x", Some("/tmp/src/sub")),
            ("/tmp/srcs", None),
            ("/opt/a/b", Some("/opt")),
            ("/", None),
        ];
        for (path, mount) in cases {
            assert_eq!(mount_of(path, &mounts), mount, "{path}");
        }
    }

    #[test]
    fn takes_the_end_of_a_tar_away_however_it_is_written() {
        let tar: Vec<u8> = (0..3000_u32).map(|number| u8::try_from(number % 251 + 1).unwrap()).chain([0; END]).collect();
        for size in [1, 7, 512, 1024, 1500, 4024] {
            let mut out = Vec::new();
            let mut open = WithoutEnd::before(&mut out);
            tar.chunks(size).for_each(|piece| open.write_all(piece).unwrap());
            assert_eq!(out, &tar[..3000], "in pieces of {size}");
        }
    }
}
