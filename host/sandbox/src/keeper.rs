//! What fetches leave for later ones: whoever implements this decides what is kept, for how long, and for whom.

use sti_core::{Blob, tree::Summary};

/// What earlier calls of one component for one address left, and what this call leaves.
pub trait Keeper: Send + Sync {
    /// Takes the tree that was kept under a key, and tells how much there is in it. Where there is none, what this call writes may be
    /// kept under the key when it ends well. Asked once at most.
    fn reuse(&self, key: &str) -> Option<Summary>;

    /// The bytes that were kept under a name.
    fn kept(&self, name: &str) -> Option<Blob>;

    /// Keeps bytes under a name, from when the call ends well.
    fn keep(&self, name: &str, bytes: &Blob);
}
