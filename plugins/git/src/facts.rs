//! What a commit says of itself: who wrote it, when, and what for.

use gix_hash::{Kind::Sha1, oid};
use gix_object::{CommitRefIter, Kind};
use sti_plugin::{Address, Problem};

use crate::store::Store;

/// The longest first line that is told, in characters.
const LONGEST: usize = 200;

/// Records the author (`Name <email>`), the date (seconds since 1970 and the offset, as git writes it) and the first line of the message. A
/// commit that was written by no git may lack them.
pub(crate) fn record(address: &Address, objects: &dyn Store, commit: &oid) -> Result<(), Problem> {
    let commit = objects.expect(commit, Kind::Commit)?;
    let read = || CommitRefIter::from_bytes(&commit.content, Sha1);
    if let Ok(author) = read().author() {
        let author = author.trim();
        address.record_fact("author", &format!("{} <{}>", author.name, author.email));
        address.record_fact("date", author.time);
    }
    if let Ok(message) = read().message() {
        let message = message.to_string();
        let first: String = message.trim_start().lines().next().unwrap_or_default().chars().take(LONGEST).collect();
        address.record_fact("message", &first);
    }
    Ok(())
}
