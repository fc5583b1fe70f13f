//! Git LFS: files whose content a repository keeps elsewhere, and names by a pointer.
//!
//! The batch API: <https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md>.

use gix_config::{File, Source, file, file::init::Options};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sti_plugin::{Problem, TreeWriter, http, log};

use crate::location::{Line, Location, Scheme};

/// A pointer is never larger.
const POINTER_LIMIT: usize = 1024;

/// How many files are asked for at once; servers take no more than that.
const BATCH: usize = 100;

/// The most that a server may say of that many files.
const ANSWER_LIMIT: usize = 4 << 20;

/// How much of a file is read at once.
const PIECE: u32 = 1 << 16;

/// Headers of an action that the host sets itself. All others are sent as they are, a login among them: it is for this request alone.
const OF_THE_LINE: &[&str] =
    &["connection", "content-length", "cookie", "expect", "host", "keep-alive", "te", "transfer-encoding"];

const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// What stands in the place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    oid: String,
    size: u64,
}

/// A file that is still to be fetched.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) path: String,
    pub(crate) mode: u32,
    pub(crate) pointer: Pointer,
}

#[derive(Serialize)]
struct Batch<'a> {
    operation: &'static str,
    transfers: [&'static str; 1],
    hash_algo: &'static str,
    objects: Vec<Wanted<'a>>,
}

#[derive(Serialize)]
struct Wanted<'a> {
    oid: &'a str,
    size: u64,
}

#[derive(Deserialize)]
struct Offered {
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    actions: Option<Actions>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Actions {
    download: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Refusal {
    code: u16,
    message: String,
}

impl Pointer {
    /// Reads a pointer; none where the content is a file itself.
    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok().filter(|text| text.len() <= POINTER_LIMIT)?;
        let mut lines = text.lines();
        let version = lines.next()?.strip_prefix("version ")?;
        if !["https://git-lfs.github.com/spec/v1", "http://git-media.io/v/2"].contains(&version) {
            return None;
        }
        let values: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
        let value = |key: &str| values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let oid = value("oid")?.strip_prefix("sha256:")?;
        let is_digest = oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then(|| Some(Self { oid: oid.to_owned(), size: value("size")?.parse().ok()? }))?
    }
}

/// Fetches and writes files that a repository keeps elsewhere. What its `.lfsconfig` says of the place goes before the convention.
pub(crate) fn fetch(
    tree: &TreeWriter,
    pending: &[Pending],
    location: &Location,
    configuration: Option<&[u8]>,
) -> Result<(), Problem> {
    if pending.is_empty() {
        return Ok(());
    }
    let url = match configuration.and_then(configured) {
        Some(url) => batch_at(&url)?,
        None => endpoint(location)?,
    };
    log::info(format!("fetches {} files from Git LFS", pending.len()));
    for (number, some) in pending.chunks(BATCH).enumerate() {
        log::progress("files of Git LFS", (number * BATCH) as u64, Some(pending.len() as u64));
        let offered = ask(&url, some)?;
        some.iter().try_for_each(|file| write(tree, file, action(file, &offered)?))?;
    }
    Ok(())
}

/// Where `.lfsconfig` says that the service is. Of all that can be said there, nothing else is read.
fn configured(content: &[u8]) -> Option<String> {
    let metadata = file::Metadata::from(Source::Worktree);
    let configuration = File::from_bytes_no_includes(content, metadata, Options::default()).ok()?;
    let url = ["lfs.url", "remote.origin.lfsurl"].iter().find_map(|key| configuration.string(*key));
    url.map(|url| url.to_string()).filter(|url| !url.is_empty())
}

/// Tells where the files of a service are asked for. Whether its host may be reached is for the host to judge.
fn batch_at(url: &str) -> Result<String, Problem> {
    let Ok(Location::Web(url)) = Location::parse(url) else {
        let message = format!("`.lfsconfig` names `{}`, and Git LFS is fetched from an http address only", url.escape_debug());
        return Err(Problem::invalid("lfs-unavailable", message).hint(SKIP));
    };
    Ok(format!("{}/objects/batch", url.trim_end_matches('/')))
}

/// Where the service of a repository is, by git's own convention.
fn endpoint(location: &Location) -> Result<String, Problem> {
    let base = match location {
        Location::Web(url) => url.trim_end_matches('/').to_owned(),
        Location::Line(Line { scheme: Scheme::Ssh, host, path, .. }) => {
            format!("https://{host}{}", path.strip_prefix("/~").unwrap_or(path).trim_end_matches('/'))
        }
        other => {
            let message = format!("`{}` keeps files in Git LFS, which needs an http address", other.text());
            return Err(Problem::invalid("lfs-unavailable", message).hint(SKIP));
        }
    };
    let base = base.strip_suffix(".git").unwrap_or(&base);
    Ok(format!("{base}.git/info/lfs/objects/batch"))
}

/// What to do where the files cannot be had.
const SKIP: &str = "to build with the pointers in their place: `--lfs=skip`";

fn ask(url: &str, files: &[Pending]) -> Result<Vec<Object>, Problem> {
    let objects = files.iter().map(|file| Wanted { oid: &file.pointer.oid, size: file.pointer.size }).collect();
    let batch = Batch { operation: "download", transfers: ["basic"], hash_algo: "sha256", objects };
    let body = serde_json::to_vec(&batch).map_err(|error| Problem::internal("lfs-unavailable", error.to_string()))?;
    let answer = http::send("POST", url, [("accept", MEDIA_TYPE), ("content-type", MEDIA_TYPE)], &body)?;
    if answer.status() != 200 {
        let message = format!("the repository keeps files in Git LFS, and `{url}` answers {}", answer.status());
        return Err(Problem::unavailable("lfs-unavailable", message).hint(SKIP));
    }
    let bytes = answer.read_all(ANSWER_LIMIT)?;
    let offered: Offered = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::unavailable("lfs-unavailable", format!("`{url}` answers what is no list of files: {error}")).hint(SKIP)
    })?;
    Ok(offered.objects)
}

fn action<'o>(file: &Pending, offered: &'o [Object]) -> Result<&'o Action, Problem> {
    let object = offered.iter().find(|object| object.oid == file.pointer.oid);
    let refusal = object.and_then(|object| object.error.as_ref());
    let download = object.and_then(|object| object.actions.as_ref()?.download.as_ref());
    download.filter(|_| refusal.is_none()).ok_or_else(|| {
        let why = refusal.map_or_else(
            || "the server does not offer it".to_owned(),
            |refusal| format!("{} ({})", refusal.message, refusal.code),
        );
        Problem::not_found("lfs-object-missing", format!("the content of `{}` is not to be had from Git LFS: {why}", file.path))
            .hint(SKIP)
    })
}

/// Writes a file while it comes, and holds it against its pointer.
fn write(tree: &TreeWriter, file: &Pending, action: &Action) -> Result<(), Problem> {
    let headers = action.header.iter().filter(|(name, _)| !OF_THE_LINE.contains(&name.to_ascii_lowercase().as_str()));
    let answer = http::send("GET", &action.href, headers.map(|(name, value)| (name.as_str(), value.as_str())), &[])?;
    if answer.status() != 200 {
        let message =
            format!("the content of `{}` is not to be had from Git LFS: the server answers {}", file.path, answer.status());
        return Err(Problem::unavailable("lfs-unavailable", message).hint(SKIP));
    }
    let mut writer = tree.open_file(&file.path, file.mode)?;
    let (mut digest, mut size) = (Sha256::new(), 0_u64);
    loop {
        let piece = answer.read(PIECE)?;
        size += piece.len() as u64;
        if piece.is_empty() || size > file.pointer.size {
            break;
        }
        digest.update(&piece);
        writer.write(&piece)?;
    }
    let found = digest.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    if size != file.pointer.size || found != file.pointer.oid {
        let message = format!("Git LFS sends another content for `{}` than its pointer names", file.path);
        return Err(Problem::invalid("lfs-object-damaged", message).hint(SKIP));
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn tells_pointers_from_files() {
        let pointer = |version: &str, oid: &str, size: &str| {
            Pointer::parse(format!("version {version}\noid {oid}\nsize {size}\n").as_bytes())
        };
        let v1 = "https://git-lfs.github.com/spec/v1";
        assert_eq!(pointer(v1, &format!("sha256:{DIGEST}"), "12345"), Some(Pointer { oid: DIGEST.to_owned(), size: 12345 }));
        assert_eq!(pointer("https://example.com", &format!("sha256:{DIGEST}"), "1"), None);
        assert_eq!(pointer(v1, "sha256:../../a", "1"), None);
        assert_eq!(pointer(v1, &format!("sha256:{DIGEST}"), "-1"), None);
        assert_eq!(Pointer::parse(b"a file"), None);
    }

    #[test]
    fn reads_the_place_of_the_service_and_nothing_else() {
        let check = |content: &str, url: Option<&str>| assert_eq!(configured(content.as_bytes()).as_deref(), url, "{content}");
        check("[lfs]\n\turl = https://files.example/a\n", Some("https://files.example/a"));
        check("[remote \"origin\"]\n\tlfsurl = https://files.example/b\n", Some("https://files.example/b"));
        check("[lfs]\n\tfetchexclude = a\n", None);
        check("[lfs]\n\turl =\n", None);
        check("[lfs", None);
        assert_eq!(batch_at("https://me:secret@files.example/a/").unwrap(), "https://files.example/a/objects/batch");
        for url in ["ssh://files.example/a", "file:///nonexistent/decoy", "/nonexistent/decoy", "-x", "a\nb"] {
            assert_eq!(batch_at(url).unwrap_err().code(), "lfs-unavailable", "{url}");
        }
    }

    #[test]
    fn finds_the_service_beside_the_repository() {
        let check = |address: &str, url: &str| assert_eq!(endpoint(&Location::parse(address).unwrap()).unwrap(), url);
        check("https://host/a/b.git", "https://host/a/b.git/info/lfs/objects/batch");
        check("https://host/a/b/", "https://host/a/b.git/info/lfs/objects/batch");
        check("me@host:a/b.git", "https://host/a/b.git/info/lfs/objects/batch");
        assert_eq!(endpoint(&Location::parse("git://host/a").unwrap()).unwrap_err().code(), "lfs-unavailable");
    }
}
