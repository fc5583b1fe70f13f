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
use sti_cache::{Kept, Scratch, Store, copy_tree};
use sti_core::{
    Blob, Problem, ProblemKind, Progress, Tree, Variable,
    progress::Level,
    tree::{Summary, TreeWriter},
};
use sti_sandbox::{Errand, Keeper, Reach};

use super::{error::StiError, keeping::Keeping};
use crate::{
    Plugins,
    plugins::{FetcherChoice, limited},
    web::{self, Refusals},
};
use sti_policy::{FetchLimits, Policy, Settled};
use tokio::time::timeout;

/// What is built: a tree that is there, or an address that leads to one.
#[derive(Clone, Debug)]
pub enum Source {
    /// A directory or a file of the user's.
    Tree(Tree),
    /// Something to be fetched first.
    Address {
        /// What to fetch.
        address: Box<SourceAddress>,
        /// Where to; it stays until the build has ended.
        into: Target,
    },
}

/// Where a fetched tree goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Into an empty directory, where nobody else writes; a tree that is kept is copied there.
    Directory(Arc<Dir>),
    /// Into a scratch directory that the store may keep; a tree that is kept is used where it is.
    Scratch(Arc<Scratch>),
}

impl Target {
    fn dir(&self) -> &Dir {
        match self {
            Self::Directory(dir) => dir,
            Self::Scratch(scratch) => scratch.tree(),
        }
    }
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
    /// How much may be fetched, where the user says so.
    pub limits: FetchLimits,
    /// Where is kept what is neither the source nor fits into memory, in files without a name; where the source goes, if nothing is said.
    pub spool: Option<Arc<Dir>>,
    /// How servers are reached; without it, none is.
    pub web: Option<Arc<web::Surroundings>>,
    /// What earlier fetches left; without it, all is fetched, and nothing kept.
    pub store: Option<Arc<Store>>,
    /// Whose words it is.
    pub named_by: NamedBy,
}

/// Whose words an address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamedBy {
    /// The user's: its host is granted by that.
    #[default]
    User,
    /// A label's, which anybody may have written: its host is reached at public addresses, and without a login of the user's.
    Label,
}

/// A source that is there.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What is built.
    pub tree: Tree,
    /// What is known of where it came from, such as `revision`.
    pub facts: Vec<Variable>,
    /// How much there is in the whole of it; nothing where nothing was fetched.
    pub summary: Option<Summary>,
    /// Where the tree is kept, which stays as long as this lives; nothing where it is not.
    pub kept: Option<Arc<Kept>>,
    /// Whether it was there already, so that there is nothing new to make room for.
    pub is_reused: bool,
}

/// The tree of a source, fetched where it is not there yet.
pub(super) async fn tree_of(
    source: &Source,
    plugins: &Plugins,
    policy: &Policy,
    progress: &Arc<dyn Progress>,
) -> Result<Fetched, StiError> {
    match source {
        Source::Tree(tree) => Ok(Fetched { tree: tree.clone(), facts: Vec::new(), summary: None, kept: None, is_reused: true }),
        Source::Address { address, into } => {
            let fetched = fetch(address, into, plugins, policy, progress).await?;
            if let Some(store) = address.store.clone().filter(|_| !fetched.is_reused) {
                // While the build goes on: nobody waits for it, and what is not done at the end is done by a later one.
                drop(tokio::task::spawn_blocking(move || {
                    store.tidy();
                    let _unsettled = store.settle();
                }));
            }
            Ok(fetched)
        }
    }
}

/// Fetches what an address names, or finds it among what is kept, and answers with the tree.
///
/// # Errors
/// Where nobody fetches such addresses, policy does not vet the plugin, or the plugin could not fetch; what was written until then stays
/// for the caller to remove.
pub async fn fetch(
    address: &SourceAddress,
    into: &Target,
    plugins: &Plugins,
    policy: &Policy,
    progress: &Arc<dyn Progress>,
) -> Result<Fetched, StiError> {
    let begun = Instant::now();
    let fetcher = plugins.fetcher(address, policy).await?;
    fetcher.check_settings(&address.settings)?;
    let grant = policy.fetch_grant(fetcher.identity(), web::named(address));
    progress.say(Level::Debug, format!("`{}` is granted {grant}", fetcher.identity().name));
    let limits = grant.settle(&address.limits)?;
    progress.say(Level::Info, format!("fetching `{}`", address.written));
    let writer = TreeWriter::new(into.dir(), limits.write_limits()).map_err(|error| not_fetched(address, unwritable(&error)))?;
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
    let spool = address.spool.clone().map_or_else(|| into.dir().try_clone().map(Arc::new), Ok);
    let spool = spool.map_err(|error| not_fetched(address, unwritable(&error)))?;
    let granted = (&grant, &limits);
    let servers =
        address.web.as_ref().map(|to| web::of(to, granted, &spool, address.store.as_ref(), &checksum, &refusals, progress));
    let servers = servers.transpose().map_err(|problem| not_fetched(address, problem))?;
    let keeping = Keeping::of(address, fetcher.plugin().digest(), &grant, limits.write_limits()).map(Arc::new);
    let keeper = keeping.clone().map(|keeping| keeping as Arc<dyn Keeper>);
    let reach = Reach { web: servers, keeper, spool, progress: Arc::clone(progress) };
    let plugin = limited(fetcher.plugin(), policy.own_limits(fetcher.identity()));
    let brought = timeout(limits.total(), plugin.fetch(errand, writer, reach)).await;
    let brought = brought.map_err(|_| not_fetched(address, limits.told(took_too_long(address))))?;
    let brought = brought.map_err(|error| match refusals.take() {
        Some(refused) => not_fetched(address, refused),
        None => of_fetcher(error, address, &limits),
    })?;
    checksum.must_have_been_seen().map_err(|problem| not_fetched(address, problem))?;
    if let Some(dropped) = &brought.dropped {
        progress.say(Level::Warning, dropped.to_string());
    }
    let facts = with_facts_of_tree(brought.facts.clone(), keeping.as_deref());
    let kept = settle(address, into, keeping.as_deref(), &brought, progress).map_err(|problem| not_fetched(address, problem))?;
    let (Summary { entries, bytes }, seconds) = (brought.summary, begun.elapsed().as_secs_f32());
    let how = if brought.is_reused { "fetched before and kept:" } else { "fetched" };
    progress.say(Level::Info, format!("{how} {entries} entries, {bytes} bytes in {seconds:.1} s"));
    let whole = kept.as_ref().map_or(into.dir(), |kept| kept.tree()).try_clone();
    let whole = whole.map_err(|error| not_fetched(address, unwritable(&error)))?;
    let tree = Tree::directory(whole, Path::new(&address.written))?;
    let tree = if address.subdirectory.is_empty() { tree } else { tree.within(&address.subdirectory)? };
    Ok(Fetched { tree, facts, summary: Some(brought.summary), kept, is_reused: brought.is_reused })
}

/// What the call found out, and what an earlier one found out of the tree that was taken.
fn with_facts_of_tree(mut facts: Vec<Variable>, keeping: Option<&Keeping>) -> Vec<Variable> {
    for fact in keeping.map(Keeping::facts).unwrap_or_default() {
        facts.retain(|found| found.name != fact.name);
        facts.push(fact);
    }
    facts
}

/// Brings the tree to its place: what was taken into a directory of the user's, what was written under the key that the plugin said.
/// Answers with the tree that is kept, where that is the one to be used.
fn settle(
    address: &SourceAddress,
    into: &Target,
    keeping: Option<&Keeping>,
    brought: &sti_sandbox::Fetched,
    progress: &Arc<dyn Progress>,
) -> Result<Option<Arc<Kept>>, Problem> {
    let Some(keeping) = keeping else { return Ok(None) };
    // A file of the user's that was changed while it was read is not what its name says.
    let is_stable = address.file.as_ref().is_none_or(|file| file.identity().is_some());
    let taken = keeping.taken();
    let written = match into {
        Target::Scratch(scratch) if is_stable && taken.is_none() => Some(scratch.as_ref()),
        _ => None,
    };
    let kept = keeping.conclude(written, brought, progress.as_ref());
    match (into, taken) {
        (Target::Directory(directory), Some(taken)) => {
            copy_tree(taken.tree(), directory).map_err(|error| unwritable(&error))?;
            Ok(None)
        }
        (_, taken) => Ok(taken.or(kept)),
    }
}

/// What the bytes must be, and whether they were.
#[derive(Default)]
pub(crate) struct Checksum {
    expected: Option<String>,
    is_seen: AtomicBool,
}

impl Checksum {
    /// What they must be, if anybody said so.
    pub(crate) fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

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
fn of_fetcher(error: sti_sandbox::Error, address: &SourceAddress, limits: &Settled) -> StiError {
    match error {
        sti_sandbox::Error::Problem { problem, .. } => not_fetched(address, limits.told(problem)),
        error => error.into(),
    }
}

fn not_fetched(address: &SourceAddress, problem: Problem) -> StiError {
    StiError::NotFetched { address: address.written.clone(), problem }
}

/// Servers may keep a fetch waiting for as long as they like, a byte at a time.
fn took_too_long(address: &SourceAddress) -> Problem {
    let message = format!("`{}` was not there in time", address.written);
    Problem::new(ProblemKind::Exhausted, Settled::TOOK_TOO_LONG, message)
}

fn unwritable(error: &std::io::Error) -> Problem {
    Problem::new(ProblemKind::Unavailable, "unwritable", format!("cannot keep what is fetched: {error}"))
}
