//! Fetches a source that is no directory of the user's: a fetcher plugin fills an empty tree, and that tree is what is built.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cap_std::fs::Dir;
use sti_core::{
    Blob, Problem, ProblemKind, Progress, Tree, Variable,
    progress::Level,
    tree::{Summary, TreeWriter, WriteLimits},
};
use sti_sandbox::{Errand, Reach};

use super::error::StiError;
use crate::{
    Plugins,
    plugins::FetcherChoice,
    web::{self, Refusals},
};
use sti_policy::Policy;

/// What is built: a tree that is there, or an address that leads to one.
#[derive(Clone, Debug)]
pub enum Source {
    /// A directory or a file of the user's.
    Tree(Tree),
    /// Something to be fetched first, into an empty directory.
    Address {
        /// What to fetch.
        address: Box<SourceAddress>,
        /// Where to; nobody else writes there, and it stays until the build has ended.
        into: Arc<Dir>,
    },
}

impl From<Tree> for Source {
    fn from(tree: Tree) -> Self {
        Self::Tree(tree)
    }
}

/// An address as the user gave it, taken apart.
#[derive(Clone, Debug, Default)]
pub struct SourceAddress {
    /// As it was written, without credentials: for people, labels and errors.
    pub written: String,
    /// The word before the first colon where it alone says who fetches: `archive` of `archive:app.tar`.
    pub prefix: Option<String>,
    /// The address without prefix, reference and credentials.
    pub text: String,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// The part that is built; empty for the whole.
    pub subdirectory: String,
    /// Settings of the fetcher.
    pub settings: Vec<Variable>,
    /// The bytes, where the address is a file of the user's.
    pub file: Option<Blob>,
    /// The directory, where the address is one of the user's.
    pub input: Option<Arc<Dir>>,
    /// Who fetches, where that is not for the address to say.
    pub fetcher: FetcherChoice,
    /// The SHA-256 that the bytes must have as they come, in hexadecimal digits in small letters.
    pub checksum: Option<String>,
    /// How much may be fetched.
    pub limits: WriteLimits,
    /// How servers are reached; without it, none is.
    pub web: Option<Arc<web::Surroundings>>,
}

/// A source that is there.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What is built.
    pub tree: Tree,
    /// What is known of where it came from, such as `revision`.
    pub facts: Vec<Variable>,
    /// How much was written; nothing where nothing was fetched.
    pub summary: Option<Summary>,
}

/// The tree of a source, fetched where it is not there yet.
pub(super) async fn tree_of(
    source: &Source,
    plugins: &Plugins,
    policy: &Policy,
    progress: &Arc<dyn Progress>,
) -> Result<Fetched, StiError> {
    match source {
        Source::Tree(tree) => Ok(Fetched { tree: tree.clone(), facts: Vec::new(), summary: None }),
        Source::Address { address, into } => fetch(address, into, plugins, policy, progress).await,
    }
}

/// Fetches what an address names into a directory, which must be empty, and answers with the tree.
///
/// # Errors
/// Where nobody fetches such addresses, policy does not vet the plugin, or the plugin could not fetch; what was written until then stays
/// for the caller to remove.
pub async fn fetch(
    address: &SourceAddress,
    into: &Dir,
    plugins: &Plugins,
    policy: &Policy,
    progress: &Arc<dyn Progress>,
) -> Result<Fetched, StiError> {
    let begun = Instant::now();
    let fetcher = plugins.fetcher(address, policy).await?;
    fetcher.check_settings(&address.settings)?;
    progress.say(Level::Info, format!("fetching `{}`", address.written));
    let writer = TreeWriter::new(into, address.limits).map_err(|error| not_fetched(address, unwritable(&error)))?;
    let subdirectory = Some(address.subdirectory.clone()).filter(|subdirectory| !subdirectory.is_empty());
    let errand = Errand {
        text: address.text.clone(),
        reference: address.reference.clone(),
        subdirectory,
        settings: address.settings.clone(),
        file: address.file.clone(),
        input: address.input.clone(),
    };
    let checksum = Arc::new(Checksum::of(address).await?);
    let refusals = Arc::new(Refusals::default());
    let servers = address.web.as_ref().map(|surroundings| web::of(address, surroundings, &checksum, &refusals, progress));
    let servers = servers.transpose().map_err(|problem| not_fetched(address, problem))?;
    let reach = Reach { web: servers, progress: Arc::clone(progress) };
    let brought = fetcher.plugin().fetch(errand, writer, reach).await.map_err(|error| match refusals.take() {
        Some(refused) => not_fetched(address, refused),
        None => of_fetcher(error, address),
    })?;
    checksum.must_have_been_seen().map_err(|problem| not_fetched(address, problem))?;
    if let Some(dropped) = &brought.dropped {
        progress.say(Level::Warning, dropped.to_string());
    }
    let Summary { entries, bytes } = brought.summary;
    progress.say(Level::Info, format!("fetched {entries} entries, {bytes} bytes in {:.1} s", begun.elapsed().as_secs_f32()));
    let whole = into.try_clone().map_err(|error| not_fetched(address, unwritable(&error)))?;
    let tree = Tree::directory(whole, Path::new(&address.written))?;
    let tree = if address.subdirectory.is_empty() { tree } else { tree.within(&address.subdirectory)? };
    Ok(Fetched { tree, facts: brought.facts, summary: Some(brought.summary) })
}

/// What the bytes must be, and whether they were.
pub(crate) struct Checksum {
    expected: Option<String>,
    is_seen: AtomicBool,
}

impl Checksum {
    /// Holds a file of the user's against it at once.
    async fn of(address: &SourceAddress) -> Result<Self, StiError> {
        let checksum = Self { expected: address.checksum.clone(), is_seen: AtomicBool::new(false) };
        if let (Some(_), Some(file)) = (&checksum.expected, address.file.clone()) {
            let hashed = tokio::task::spawn_blocking(move || file.sha256()).await;
            let hashed = hashed.unwrap_or_else(|_| Err(std::io::Error::other("the reading was ended")));
            let unread = |error| Problem::new(ProblemKind::Unavailable, "unreadable", format!("cannot read it: {error}"));
            let found = hashed.map_err(|error| not_fetched(address, unread(error)))?;
            checksum.judge(&found).map_err(|problem| not_fetched(address, problem))?;
        }
        Ok(checksum)
    }

    /// Judges bytes by their SHA-256.
    pub(crate) fn judge(&self, found: &str) -> Result<(), Problem> {
        match &self.expected {
            Some(expected) if expected != found => {
                let message = format!("its checksum is sha256:{found}, and sha256:{expected} was expected");
                Err(Problem::new(ProblemKind::Invalid, "checksum-mismatch", message)
                    .with_hint("ask where it comes from: it is another file, or it was changed on the way"))
            }
            expected => {
                self.is_seen.fetch_or(expected.is_some(), Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// A checksum that nothing was held against was meant for something else.
    fn must_have_been_seen(&self) -> Result<(), Problem> {
        if self.expected.is_none() || self.is_seen.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Problem::new(ProblemKind::Invalid, "invalid-setting", "there was nothing that has a checksum")
            .with_hint("`--checksum` is for archives; name a commit of a repository by its whole identifier"))
    }
}

/// A problem that a fetcher tells is about the address; everything else is about the plugin.
fn of_fetcher(error: sti_sandbox::Error, address: &SourceAddress) -> StiError {
    match error {
        sti_sandbox::Error::Problem { problem, .. } => not_fetched(address, problem),
        error => error.into(),
    }
}

fn not_fetched(address: &SourceAddress, problem: Problem) -> StiError {
    StiError::NotFetched { address: address.written.clone(), problem }
}

fn unwritable(error: &std::io::Error) -> Problem {
    Problem::new(ProblemKind::Unavailable, "unwritable", format!("cannot keep what is fetched: {error}"))
}
