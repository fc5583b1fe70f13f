//! Looks into images. The API answers about containers only: one is made, never started, asked, and removed at the end.

use std::io::Read;

use bollard::{
    models::ContainerCreateBody,
    query_parameters::{ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sti_core::{ImageId, PathFact, PathKind};
use sti_engine::{
    Error,
    labels::{self, Left},
};
use tar::EntryType;

use crate::{DockerEngine, Question, failures::Failure, memory::Answer};

/// As many links as Linux follows.
const MOST_LINKS: u32 = 40;
/// How the engine, which is written in Go, marks the mode of a directory.
const GO_DIRECTORY: u32 = 1 << 31;
/// Headers with the longest names that a file system knows end well before.
const LONGEST_HEADERS: usize = 64 * 1024;

/// The first entry of an archive of a path.
struct Found {
    kind: EntryType,
    mode: u32,
    uid: u64,
    gid: u64,
    size: u64,
    target: String,
    bytes: Option<Vec<u8>>,
}

/// What lies at a path itself, where no link at its end is followed.
pub(crate) enum Lying {
    /// Nothing.
    Nothing,
    /// A link that leads here in the end.
    Link(String),
    /// A directory.
    Directory,
    /// Anything else, and nothing below it.
    Other,
}

impl DockerEngine {
    /// Tells what lies at paths of an image; what is not there is left out.
    pub(crate) async fn look_at_paths(&self, image: &ImageId, paths: &[String]) -> Result<Vec<PathFact>, Error> {
        let mut facts = Vec::new();
        for path in paths {
            self.note_question(image, Question::Path(path.clone()));
            let fact = match self.memory.path(image, path) {
                Answer::Present(fact) => Some(fact),
                Answer::Absent => None,
                Answer::Unknown => {
                    let container = self.probe(image).await?;
                    let fact = self.look_in(&container, path).await?;
                    self.memory.learn_path(image, path, fact.as_ref());
                    fact
                }
            };
            facts.extend(fact);
        }
        Ok(facts)
    }

    /// Reads a file of an image.
    pub(crate) async fn read_file(&self, image: &ImageId, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        self.note_question(image, Question::Text(path.to_owned(), limit));
        self.file_of(image, path, limit, None).await
    }

    /// Reads a file of an image, where need be in a container of the image that has not started yet.
    pub(crate) async fn file_of(
        &self,
        image: &ImageId,
        path: &str,
        limit: u64,
        container: Option<&str>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let bytes = match self.memory.text(image, path) {
            Answer::Present(text) => Some(text.into_bytes()),
            Answer::Absent => None,
            Answer::Unknown => {
                let container = match container {
                    Some(container) => container.to_owned(),
                    None => self.probe(image).await?,
                };
                let bytes = self.read_in(&container, path, limit).await?;
                self.memory.learn_text(image, path, bytes.as_deref());
                bytes
            }
        };
        match bytes {
            Some(bytes) if bytes.len() as u64 > limit => Err(too_large(path, limit)),
            bytes => Ok(bytes),
        }
    }

    fn note_question(&self, image: &ImageId, question: Question) {
        self.curiosity().asked.entry(image.clone()).or_default().insert(question);
    }

    /// The container in which an image is looked into, made when it is first needed.
    pub(crate) async fn probe(&self, image: &ImageId) -> Result<String, Error> {
        let mut probes = self.probes.lock().await;
        if let Some(container) = probes.get(image) {
            return Ok(container.clone());
        }
        let body = ContainerCreateBody {
            image: Some(image.as_str().to_owned()),
            // Some command is demanded, though none will ever run.
            entrypoint: Some(vec!["/never-started".to_owned()]),
            cmd: Some(Vec::new()),
            labels: Some(self.labels()),
            host_config: Some(bollard::models::HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
            ..ContainerCreateBody::default()
        };
        let container = self.create(image, body, "looking into the image").await?;
        probes.insert(image.clone(), container.clone());
        Ok(container)
    }

    /// Tells what lies at a path of a container, links followed inside it.
    pub(crate) async fn look_in(&self, container: &str, path: &str) -> Result<Option<PathFact>, Error> {
        let Some((_, found)) = self.follow(container, path, None).await? else { return Ok(None) };
        let kind = match found.kind {
            EntryType::Directory => PathKind::Directory,
            EntryType::Symlink => PathKind::Symlink,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Link => PathKind::File,
            _ => PathKind::Other,
        };
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let size = if kind == PathKind::File { found.size } else { 0 };
        let (uid, gid) = (number(found.uid), number(found.gid));
        Ok(Some(PathFact { path: path.to_owned(), kind, mode: found.mode & 0o7777, uid, gid, size }))
    }

    /// Reads a file of a container, links followed inside it.
    pub(crate) async fn read_in(&self, container: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.follow(container, path, Some(limit)).await? {
            Some((_, found)) if found.kind.is_file() && found.size > limit => Err(too_large(path, limit)),
            Some((_, found)) => Ok(found.bytes),
            None => Ok(None),
        }
    }

    /// What a command left in its container where labels may be, links followed inside it.
    pub(crate) async fn labels_left_in(&self, container: &str, path: &str) -> Result<Left, Error> {
        let found = match self.follow(container, path, Some(labels::LONGEST)).await {
            // Those lead in a circle.
            Err(Error::Refused { why, .. }) if why.contains("too many links") => return Ok(Left::NoFile),
            found => found?,
        };
        Ok(match found {
            None => Left::Nothing,
            Some((_, Found { bytes: Some(bytes), .. })) => Left::File(bytes),
            Some((_, found)) if found.kind.is_file() => Left::TooLong,
            Some(_) => Left::NoFile,
        })
    }

    /// Tells what lies at a path of a container itself. Both engines say in this answer alone where a link leads in the end: Docker of a
    /// link only, Podman of everything (but nothing of a link that leads nowhere).
    pub(crate) async fn lies_at(&self, container: &str, path: &str) -> Result<Lying, Error> {
        let answer = self.requests.ask(format!("HEAD /containers/{container}/archive?path={path}"), || {
            let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
            self.requests.quick().get_container_archive_info(container, Some(options))
        });
        match answer.await {
            Ok(found) if !found.link_target.is_empty() && found.link_target != path => Ok(Lying::Link(found.link_target)),
            Ok(found) if found.file_mode & GO_DIRECTORY != 0 => Ok(Lying::Directory),
            Ok(_) => Ok(Lying::Other),
            Err(failure) if failure.is_not_found() => Ok(Lying::Nothing),
            Err(failure) => Err(failure.plain()),
        }
    }

    /// The real path of what lies at a path, where something does.
    pub(crate) async fn real_path(&self, container: &str, path: &str) -> Result<Option<String>, Error> {
        Ok(self.follow(container, path, None).await?.map(|(real, _)| real))
    }

    /// Follows links; the engine itself follows those in the middle of a path, but lexically forgets where they led.
    async fn follow(&self, container: &str, path: &str, limit: Option<u64>) -> Result<Option<(String, Found)>, Error> {
        let mut at = path.to_owned();
        let mut first_link = None;
        for _ in 0..MOST_LINKS {
            let Some(found) = self.ask_about(container, &at, limit).await? else {
                return Ok(first_link.map(|link| (path.to_owned(), link)));
            };
            if found.kind != EntryType::Symlink {
                return Ok(Some((at, found)));
            }
            at = self.target(container, &at, &found.target).await?;
            first_link.get_or_insert(found);
        }
        Ok(first_link.map(|link| (path.to_owned(), link)))
    }

    /// Where a link at `at` leads. Only `..` needs to know which directory the link really is in.
    async fn target(&self, container: &str, at: &str, target: &str) -> Result<String, Error> {
        if target.starts_with('/') || !target.split('/').any(|part| part == "..") {
            return Ok(joined(parent(at), target));
        }
        Ok(joined(&Box::pin(self.real_directory(container, parent(at))).await?, target))
    }

    async fn real_directory(&self, container: &str, directory: &str) -> Result<String, Error> {
        let mut real = "/".to_owned();
        for part in directory.split('/').filter(|part| !part.is_empty()) {
            let next = joined(&real, part);
            real = self.real_path(container, &next).await?.unwrap_or(next);
        }
        Ok(real)
    }

    /// Asks for the archive of a path and reads no more of it than is needed.
    async fn ask_about(&self, container: &str, path: &str, limit: Option<u64>) -> Result<Option<Found>, Error> {
        let request = format!("GET /containers/{container}/archive?path={path}");
        let answer = self.requests.ask(request.clone(), || async {
            let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
            let mut archive = Box::pin(self.requests.quick().download_from_container(container, Some(options)));
            first_entry(&mut archive, limit).await
        });
        match answer.await {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => Err(Failure::refused(request, "an archive that makes no sense").plain()),
            Err(failure) if failure.is_not_found() => Ok(None),
            // A file where a directory is needed on the way.
            Err(failure) if failure.message().contains("not a directory") => Ok(None),
            Err(failure) => Err(failure.plain()),
        }
    }
}

fn too_large(path: &str, limit: u64) -> Error {
    Error::Refused { request: format!("reading `{path}`"), why: format!("it is larger than {limit} bytes") }
}

async fn first_entry(
    archive: &mut (impl Stream<Item = Result<Bytes, bollard::errors::Error>> + Unpin),
    limit: Option<u64>,
) -> Result<Option<Found>, bollard::errors::Error> {
    let mut held = Vec::new();
    let enough = limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(usize::MAX)).saturating_add(LONGEST_HEADERS);
    while let Some(piece) = archive.next().await {
        held.extend_from_slice(&piece?);
        if let Some(found) = read_entry(&held, limit) {
            return Ok(Some(found));
        }
        if held.len() > enough {
            break;
        }
    }
    Ok(None)
}

/// `None` while bytes are missing.
fn read_entry(held: &[u8], limit: Option<u64>) -> Option<Found> {
    let mut archive = tar::Archive::new(held);
    let mut entry = archive.entries().ok()?.next()?.ok()?;
    let header = entry.header();
    let mut found = Found {
        kind: header.entry_type(),
        mode: header.mode().ok()?,
        uid: header.uid().ok()?,
        gid: header.gid().ok()?,
        size: entry.size(),
        target: String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()).into_owned(),
        bytes: None,
    };
    if found.kind.is_file() && limit.is_some_and(|limit| found.size <= limit) {
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 != found.size {
            return None;
        }
        found.bytes = Some(bytes);
    }
    Some(found)
}

fn parent(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent })
}

/// Joins and normalises; `..` at the top stays there.
fn joined(directory: &str, target: &str) -> String {
    let whole = if target.starts_with('/') { target.to_owned() } else { format!("{directory}/{target}") };
    let mut parts = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_targets_of_links() {
        assert_eq!(joined("/usr/bin", "busybox"), "/usr/bin/busybox");
        assert_eq!(joined("/usr/bin", "../lib/x"), "/usr/lib/x");
        assert_eq!(joined("/usr/bin", "/opt/./x"), "/opt/x");
        assert_eq!(joined("/", "../../x"), "/x");
        assert_eq!((parent("/a"), parent("/a/b"), parent("/")), ("/", "/a", "/"));
    }

    #[test]
    fn reads_the_first_entry_as_soon_as_it_is_whole() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o4755);
        header.set_uid(1001);
        header.set_gid(0);
        header.set_cksum();
        builder.append_data(&mut header, "prepare", &b"hello"[..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        assert!(read_entry(&bytes[..100], Some(10)).is_none());
        assert!(read_entry(&bytes[..515], Some(10)).is_none());
        let found = read_entry(&bytes, Some(10)).unwrap();
        assert_eq!((found.mode, found.uid, found.bytes.as_deref()), (0o4755, 1001, Some(&b"hello"[..])));
        assert!(read_entry(&bytes[..512], None).is_some_and(|found| found.size == 5 && found.bytes.is_none()));
    }
}
