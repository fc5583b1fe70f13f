//! The fetcher `git`: turns the address of a repository into a tree.
//!
//! | file | answers for |
//! |---|---|
//! | `location` | what kind of address it is |
//! | `reference` | which commit is meant |
//! | `remote`, `web`, `line` | talking to the server |
//! | `kept` | what earlier fetches left |
//! | `packs` | what the server sent, or what lies in a directory: checked, and under limits |
//! | `local` | a repository in a directory of the user's |
//! | `store` | what both have in common: objects by identifier |
//! | `checkout`, `name` | writing a commit's files into the tree, and refusing names that lead elsewhere |
//! | `attributes`, `ident`, `lfs` | files as git would check them out, and those that are kept elsewhere |
//! | `submodules` | repositories in the tree of another |
//!
//! Nothing here is trusted that came from a server: every size is limited before it is believed, every name is judged before it is used,
//! and what the host judges again is judged there too.

mod attributes;
mod checkout;
mod facts;
mod ident;
mod kept;
mod lfs;
mod line;
mod local;
mod location;
mod name;
mod packs;
mod reference;
mod remote;
mod repository;
mod store;
mod submodules;
mod trouble;
mod web;

use gix_hash::ObjectId;
use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, register_fetcher};

use crate::{checkout::Checkout, kept::Keeper, location::Location, reference::RequestedRef};

/// Fetches from git repositories.
pub struct Git;

register_fetcher!(Git);

impl Fetcher for Git {
    fn card() -> Card {
        let card = Card::new("git", env!("CARGO_PKG_VERSION"))
            .summary("fetches a branch, tag or commit of a git repository, without its history")
            .setting("submodules", "whether submodules are fetched too: yes or no", Some("yes"))
            .setting("lfs", "files that Git LFS keeps: fetch them, or skip them and leave pointers", Some("fetch"))
            .serves_suffix(".git");
        ["git", "ssh", "http", "https", "file"].into_iter().fold(card, Card::serves_scheme)
    }

    fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
        let text = address.text();
        let location = Location::parse(&text)?;
        let wanted = RequestedRef::parse(address.reference().as_deref())?;
        let mut checkout = Checkout::new(tree, address)?;
        // A commit says what its tree is, down to the commits of submodules and the digests of what Git LFS keeps.
        let is_there = |commit: &ObjectId, reference: Option<&str>| {
            address.record_fact("address", &text);
            address.record_fact("revision", &commit.to_string());
            if let Some(reference) = reference {
                address.record_fact("reference", reference);
            }
            tree.reuse(&format!("commit {commit}"))
        };
        let found = match (&location, address.directory()) {
            (Location::Local(_), Some(directory)) => local::open(directory, &text, &wanted, &is_there)?,
            _ => repository::open(&location, &wanted, &Keeper::new(address, &location), &is_there)?,
        };
        let Some(found) = found else { return Ok(()) };
        address.record_fact("revision", &found.commit.to_string());
        facts::record(address, found.objects.as_ref(), &found.commit)?;
        submodules::write_all(&mut checkout, found, &location, address)
    }
}
