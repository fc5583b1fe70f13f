//! What is taken away: what cannot be used any more, and what was not used for longest where there is too much. Never what somebody holds.

use std::{
    ffi::{CStr, CString},
    io,
    os::fd::OwnedFd,
};

use rustix::fs::{FlockOperation, Mode, flock};
use sti_core::BuildId;

use crate::{
    entry::{DURABLE, Entry},
    place,
    remove::remove,
    store::{Store, Turn},
};

/// What was taken away, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Things that were removed.
    pub removed: u64,
    /// About how many bytes they took.
    pub freed: u64,
    /// Things that are kept.
    pub kept: u64,
    /// About how many bytes they take.
    pub bytes: u64,
}

/// Something that is kept, as a list shows it.
struct Listed {
    name: CString,
    cost: u64,
    /// When it was last used: seconds and nanoseconds. Before all others where it cannot be used.
    used: (i64, i64),
}

impl Store {
    /// Removes what killed builds left and what cannot be used any more, and of the rest what was not used for longest until no more is
    /// kept than may be.
    pub fn tidy(&self) -> Tidied {
        self.sweep();
        self.narrow(self.limit)
    }

    /// Removes all that nobody uses.
    pub fn clear(&self) -> Tidied {
        self.sweep();
        self.narrow(0)
    }

    /// Sees to it that what is kept outlives the machine's losing its power: waits until the disk has it, and marks it.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn settle(&self) -> io::Result<()> {
        let mut settling = Vec::new();
        for name in self.names() {
            let entry = place::open_directory(self.top(), &name).map_err(io::Error::from).and_then(Entry::of);
            if let Ok(entry) = entry
                && entry.about().is_of(self.boot.as_deref())
                && !entry.is_durable()
            {
                settling.push(entry.into_held());
            }
        }
        if settling.is_empty() {
            return Ok(());
        }
        rustix::fs::syncfs(self.top())?;
        for directory in settling {
            // Of two that settle the same thing one is enough.
            let _marked = place::new_file(&directory, DURABLE, Mode::RUSR);
        }
        Ok(())
    }

    fn narrow(&self, limit: u64) -> Tidied {
        let mut listed: Vec<_> = self.names().into_iter().filter_map(|name| self.list(name)).collect();
        listed.sort_unstable_by_key(|listed| listed.used);
        let mut tidied = Tidied { kept: listed.len() as u64, ..Tidied::default() };
        tidied.bytes = listed.iter().map(|listed| listed.cost).sum();
        for listed in listed {
            let is_useless = listed.used == NEVER;
            if (is_useless || tidied.bytes > limit) && self.take_away(&listed.name).is_ok() {
                tidied.removed += 1;
                tidied.kept -= 1;
                tidied.freed += listed.cost;
                tidied.bytes -= listed.cost;
            }
        }
        tidied
    }

    fn list(&self, name: CString) -> Option<Listed> {
        let directory = place::open_directory(self.top(), &name).ok()?;
        let stat = rustix::fs::fstat(&directory).ok()?;
        let used = (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default());
        Some(match Entry::of(directory) {
            Ok(entry) if entry.counts(self.boot.as_deref()) => Listed { name, cost: entry.about().cost(), used },
            Ok(entry) => Listed { name, cost: entry.about().cost(), used: NEVER },
            Err(_) => Listed { name, cost: 0, used: NEVER },
        })
    }

    /// The names of what is kept.
    fn names(&self) -> Vec<CString> {
        let mut names = place::names(self.top()).unwrap_or_default();
        names.retain(|name| is_name(name));
        names
    }

    /// Takes away what nobody holds: it loses its name at once, and its files afterwards.
    ///
    /// # Errors
    /// Where somebody holds it, or it cannot be renamed.
    pub(crate) fn take_away(&self, name: &CStr) -> io::Result<()> {
        let (_held, gone) = self.unname(name)?;
        Ok(remove(self.top(), &gone)?)
    }

    fn unname(&self, name: &CStr) -> io::Result<(OwnedFd, CString)> {
        let _turn = self.turn(Turn::Alone)?;
        let directory = place::open_directory(self.top(), name)?;
        flock(&directory, FlockOperation::NonBlockingLockExclusive)?;
        let gone = place::name(BuildId::draw().as_str())?;
        rustix::fs::renameat(self.top(), name, self.top(), &gone)?;
        Ok((directory, gone))
    }
}

const NEVER: (i64, i64) = (i64::MIN, 0);

fn is_name(name: &CStr) -> bool {
    let is_key = |key: &str| key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let key = name.to_str().ok().and_then(|name| name.split_once('-'));
    key.is_some_and(|(kind, key)| matches!(kind, "tree" | "bytes" | "note") && is_key(key))
}
