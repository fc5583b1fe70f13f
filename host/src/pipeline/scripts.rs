//! Scripts of the contract `assemble` at an address of the user's, `file://` or `http(s)://`: read by the host when a strategy asks for one.

use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use cap_std::fs::Dir;
use sti_core::{Problem, ProblemKind, Progress, digest::sha256};
use sti_policy::{FetchGrant, FetchLimits, NamedHosts};
use sti_sandbox::{Answer, Scripts, Web, WebRequest};
use tokio::{sync::OnceCell, time::timeout};

use super::error::StiError;
use crate::web::{self, Refusals};

/// Longer than any script.
const MOST_BYTES: usize = 512 << 10;
/// How long a server may take for one of them.
const LONGEST: Duration = Duration::from_mins(1);
/// The list of digests beside scripts, as `sha256sum` prints it.
const SUMS: &str = "SHA256SUMS";

/// Where scripts are that are not in an image.
#[derive(Clone, Debug)]
pub struct ScriptsAddress {
    /// As the user wrote it, without credentials and without the digest.
    pub written: String,
    /// Where that is.
    pub place: ScriptsPlace,
    /// The SHA-256 of a file `SHA256SUMS` that lies beside the scripts, in small hexadecimal digits: only what is in that list is used.
    pub sums: Option<String>,
}

/// A place with scripts in it.
#[derive(Clone, Debug)]
pub enum ScriptsPlace {
    /// A directory of the user's.
    Directory(Arc<Dir>),
    /// A server.
    Server {
        /// Below which address they are, without credentials.
        url: String,
        /// How servers are reached.
        web: Arc<web::Surroundings>,
        /// Where is kept what does not fit into memory.
        spool: Arc<Dir>,
    },
}

impl ScriptsAddress {
    /// The hosts that the user named.
    pub(super) fn hosts(&self) -> NamedHosts {
        match &self.place {
            ScriptsPlace::Directory(_) => NamedHosts { own: None, own_port: None, further: Vec::new(), offered: Vec::new() },
            ScriptsPlace::Server { url, web, .. } => web::named_in(url, web.hosts.clone()),
        }
    }
}

/// The scripts at an address, within what policy grants.
pub(super) fn at(address: &ScriptsAddress, grant: &FetchGrant, progress: &Arc<dyn Progress>) -> Result<Reader, StiError> {
    let refusals = Arc::new(Refusals::default());
    let server = match &address.place {
        ScriptsPlace::Directory(_) => None,
        ScriptsPlace::Server { web: surroundings, spool, .. } => {
            let limits = grant.settle(&FetchLimits::default())?;
            let opened = web::of(surroundings, (grant, &limits), spool, None, &Arc::default(), &refusals, progress);
            Some(opened.map_err(|problem| not_read(address, problem))?)
        }
    };
    Ok(Reader { address: address.clone(), server, refusals, sums: OnceCell::new(), failure: Mutex::default() })
}

fn not_read(address: &ScriptsAddress, problem: Problem) -> StiError {
    StiError::NotFetched { address: address.written.clone(), problem }
}

/// Reads scripts when a strategy asks for them.
pub(super) struct Reader {
    address: ScriptsAddress,
    server: Option<Arc<dyn Web>>,
    refusals: Arc<Refusals>,
    /// The list of digests, read once.
    sums: OnceCell<Vec<(String, String)>>,
    /// What went wrong first: a plugin may tell something else of it.
    failure: Mutex<Option<Problem>>,
}

#[async_trait]
impl Scripts for Reader {
    async fn script(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let script = self.judged(name).await;
        if let Err(problem) = &script {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| problem.clone());
        }
        script
    }
}

impl Reader {
    /// What went wrong, as an error of the build.
    pub(super) fn recorded_failure(&self) -> Option<StiError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map(|problem| not_read(&self.address, problem))
    }

    async fn judged(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let Some(expected) = &self.address.sums else { return self.read(name).await };
        let sums = self.sums.get_or_try_init(|| self.sums(expected)).await?;
        let Some((_, sum)) = sums.iter().find(|(listed, _)| listed == name) else { return Ok(None) };
        let script = self.read(name).await?.ok_or_else(|| self.missing(name))?;
        judge(&script, sum, name)?;
        Ok(Some(script))
    }

    /// The list of digests, which is what the user said.
    async fn sums(&self, expected: &str) -> Result<Vec<(String, String)>, Problem> {
        let list = self.read(SUMS).await?.ok_or_else(|| self.missing(SUMS))?;
        judge(&list, expected, SUMS)?;
        Ok(listed(&String::from_utf8_lossy(&list)))
    }

    fn missing(&self, name: &str) -> Problem {
        let message = format!("there is no `{name}` at {}", self.address.written);
        let hint = format!("with `#sha256=` the scripts are those of a list beside them: sha256sum assemble run > {SUMS}");
        Problem::new(ProblemKind::NotFound, "scripts-not-listed", message).with_hint(hint)
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        match (&self.address.place, &self.server) {
            (ScriptsPlace::Server { url, .. }, Some(server)) => {
                let read = timeout(LONGEST, from_server(server.as_ref(), &format!("{url}/{name}"))).await;
                let read = read.unwrap_or_else(|_| Err(too_slow(url)));
                read.map_err(|problem| self.refusals.take().unwrap_or(problem))
            }
            (ScriptsPlace::Directory(dir), _) => {
                let (dir, name, written) = (Arc::clone(dir), name.to_owned(), self.address.written.clone());
                let read = tokio::task::spawn_blocking(move || from_directory(&dir, &name, &written)).await;
                read.unwrap_or_else(|_| Err(unreadable("the reading was ended")))
            }
            (ScriptsPlace::Server { .. }, None) => Err(unreadable("there is no network")),
        }
    }
}

/// Reads a regular file; a link must lead to one in the same directory.
fn from_directory(dir: &Dir, name: &str, written: &str) -> Result<Option<Vec<u8>>, Problem> {
    let metadata = match dir.metadata(name) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&format!("`{name}` at {written}: {error}"))),
    };
    if !metadata.is_file() {
        let message = format!("`{name}` at {written} is no regular file");
        return Err(Problem::new(ProblemKind::Invalid, "script-not-a-file", message).with_hint("put the script itself there"));
    }
    let mut bytes = Vec::new();
    let file = dir.open(name).map_err(|error| unreadable(&format!("`{name}` at {written}: {error}")))?;
    let read = file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&format!("`{name}` at {written}: {error}")))?;
    within_bounds(bytes, name).map(Some)
}

async fn from_server(server: &dyn Web, url: &str) -> Result<Option<Vec<u8>>, Problem> {
    let request = WebRequest { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: Vec::new() };
    let mut answer = server.send(request).await?;
    match answer.status() {
        200 => {}
        404 | 410 => return Ok(None),
        status => {
            let message = format!("{url} answers with status {status}");
            return Err(Problem::new(ProblemKind::Unavailable, "script-not-served", message));
        }
    }
    refuse_page(answer.as_ref(), url)?;
    let mut bytes = Vec::new();
    loop {
        let piece = answer.read(1 << 16).await?;
        bytes.extend_from_slice(&piece);
        if piece.is_empty() || bytes.len() > MOST_BYTES {
            return within_bounds(bytes, url).map(Some);
        }
    }
}

/// Many servers answer with a page, and status 200, where a file is missing or a login is wanted.
fn refuse_page(answer: &dyn Answer, url: &str) -> Result<(), Problem> {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !kind.contains("html") {
        return Ok(());
    }
    let message = format!("{url} answers with a page ({kind}), and no script");
    let hint = "the address has to lead to the files themselves, such as the `raw` ones of a git server";
    Err(Problem::new(ProblemKind::Invalid, "script-is-a-page", message).with_hint(hint))
}

fn within_bounds(bytes: Vec<u8>, shown: &str) -> Result<Vec<u8>, Problem> {
    if bytes.len() <= MOST_BYTES {
        return Ok(bytes);
    }
    let message = format!("`{shown}` has more than {} KiB, which no script has", MOST_BYTES >> 10);
    Err(Problem::new(ProblemKind::Exhausted, "script-too-large", message))
}

fn judge(bytes: &[u8], expected: &str, name: &str) -> Result<(), Problem> {
    let found = sha256(bytes);
    if found == expected {
        return Ok(());
    }
    let message = format!("the checksum of `{name}` is sha256:{found}, and sha256:{expected} was expected");
    let hint = "ask where it comes from: it is another file, or it was changed on the way";
    Err(Problem::new(ProblemKind::Invalid, "checksum-mismatch", message).with_hint(hint))
}

fn too_slow(url: &str) -> Problem {
    Problem::new(
        ProblemKind::Unavailable,
        "fetch-failed",
        format!("a script of {url} was not there within {} s", LONGEST.as_secs()),
    )
}

fn unreadable(why: &str) -> Problem {
    Problem::new(ProblemKind::Unavailable, "unreadable", format!("cannot read the scripts: {why}"))
}

/// The names and digests of a list: 64 digits, then a space and a space or a star, then the name, which may begin with `./`.
fn listed(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (sum, name) = line.split_once(' ')?;
        let name = name.trim_start_matches([' ', '*']).trim_end();
        Some((name.strip_prefix("./").unwrap_or(name).to_owned(), sum.to_ascii_lowercase()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn reads_what_sha256sum_writes() {
        let list = "AB12  assemble\n34cd *run\n56ef  ./save-artifacts\n\nnonsense\n";
        let expected = [("assemble", "ab12"), ("run", "34cd"), ("save-artifacts", "56ef")];
        let expected = expected.map(|(name, sum)| (name.to_owned(), sum.to_owned()));
        assert_eq!(listed(list), expected);
    }
}
