//! What one fetch finds of earlier ones and leaves for later ones: the words of a plugin turned into keys of the store.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use sti_cache::{Kept, Scratch, Store};
use sti_core::{
    Blob, Progress, Variable,
    digest::sha256,
    progress::Level,
    tree::{Summary, WriteLimits},
};
use sti_policy::FetchGrant;
use sti_sandbox::{Fetched, Keeper};

use super::fetching::SourceAddress;

/// Raised when trees of the same keys are not the same any more.
const SCHEMA: u32 = 2;

/// The store, as one call of one component for one address may see it.
pub(crate) struct Keeping {
    store: Arc<Store>,
    /// All that a tree depends on beside what the plugin says that it is.
    errand: Value,
    /// All that bytes under a name depend on.
    owner: Value,
    call: Mutex<Call>,
}

/// What the plugin asked for in this call.
#[derive(Default)]
struct Call {
    key: Option<String>,
    taken: Option<Arc<Kept>>,
    /// What was found out of that tree.
    facts: Vec<Variable>,
    kept: Vec<(String, Blob)>,
}

impl Keeping {
    /// What the component of this digest may find for an address. Under another grant or other limits it might have brought another tree, or
    /// none.
    pub(crate) fn of(address: &SourceAddress, component: &str, grant: &FetchGrant, limits: WriteLimits) -> Option<Self> {
        let store = Arc::clone(address.store.as_ref()?);
        let mut settings: Vec<_> = address.settings.iter().map(|setting| (&setting.name, &setting.value)).collect();
        settings.sort_unstable();
        let errand = json!([
            SCHEMA,
            component,
            grant.to_string(),
            address.text,
            address.subdirectory,
            settings,
            address.checksum,
            [json!(limits.entries), json!(limits.bytes), json!(limits.path_bytes), json!(limits.depth)],
        ]);
        let owner = json!([SCHEMA, component, address.text]);
        Some(Self { store, errand, owner, call: Mutex::default() })
    }

    /// The tree that was taken in the place of a new one.
    pub(crate) fn taken(&self) -> Option<Arc<Kept>> {
        self.call().taken.clone()
    }

    /// What an earlier call found out of it.
    pub(crate) fn facts(&self) -> Vec<Variable> {
        self.call().facts.clone()
    }

    /// Keeps what a call that ended well left: bytes under their names, and the tree under its key, if the plugin said one. What cannot be
    /// kept is fetched again the next time.
    pub(crate) fn conclude(&self, tree: Option<&Scratch>, brought: &Fetched, progress: &dyn Progress) -> Option<Arc<Kept>> {
        let Call { key, kept, .. } = std::mem::take(&mut *self.call());
        let told = |error: io::Error| progress.say(Level::Debug, format!("cannot keep what was fetched: {error}"));
        for (name, bytes) in kept {
            self.store.keep_bytes(&name, &bytes).unwrap_or_else(told);
        }
        let (tree, key) = (tree?, key?);
        let noted = json!(brought.of_tree.iter().map(|fact| (&fact.name, &fact.value)).collect::<Vec<_>>());
        self.store.keep_note(&noted_under(&key), &noted.to_string()).unwrap_or_else(told);
        match self.store.keep_tree(tree, &key, brought.summary) {
            Ok(kept) => kept.map(Arc::new),
            Err(error) => {
                told(error);
                None
            }
        }
    }

    fn call(&self) -> MutexGuard<'_, Call> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, name: &str) -> String {
        digest(&self.owner, name)
    }
}

impl Keeper for Keeping {
    fn reuse(&self, key: &str) -> Option<Summary> {
        let key = digest(&self.errand, key);
        let facts = self.store.note(&noted_under(&key)).as_deref().and_then(facts_of);
        // A tree without what was found out of it is fetched again.
        let taken = facts.as_ref().and_then(|_| self.store.tree(&key)).map(Arc::new);
        let summary = taken.as_ref().map(|kept| kept.summary());
        let mut call = self.call();
        call.facts = if taken.is_some() { facts.unwrap_or_default() } else { Vec::new() };
        (call.key, call.taken) = (Some(key), taken);
        summary
    }

    fn kept(&self, name: &str) -> Option<Blob> {
        self.store.bytes(&self.named(name))
    }

    fn keep(&self, name: &str, bytes: &Blob) {
        let name = self.named(name);
        let mut call = self.call();
        call.kept.retain(|(kept, _)| *kept != name);
        call.kept.push((name, bytes.clone()));
    }
}

/// The key of what was found out of a tree.
fn noted_under(key: &str) -> String {
    digest(&json!("facts"), key)
}

fn facts_of(note: &str) -> Option<Vec<Variable>> {
    let facts: Vec<(String, String)> = serde_json::from_str(note).ok()?;
    Some(facts.into_iter().map(|(name, value)| Variable::new(name, value)).collect())
}

fn digest(of: &Value, word: &str) -> String {
    sha256(json!([of, word]).to_string().as_bytes())
}
