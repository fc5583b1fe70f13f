//! The first pass: what the names of an archive say together, before anything is written.
//!
//! A tree is filled and never changed, so two questions must be answered first: how many leading parts are left out, and which of
//! several entries of one name is the last. Limits are held here as well, against what headers say: an absurd size is
//! refused before a byte of it is read.

use std::hash::{DefaultHasher, Hash, Hasher};

use sti_plugin::Problem;

use crate::{
    names::{Name, shown},
    settings::Settings,
    strip::Tops,
};

/// What is known after the first pass.
pub(crate) struct Plan {
    /// How many leading parts of each name are left out.
    pub(crate) levels: usize,
    /// How many entries there are.
    pub(crate) entries: u64,
    /// Those that a later entry of the same name replaces, by their place in the archive; sorted.
    replaced: Vec<usize>,
    /// Hashes of names that hard links lead to; sorted.
    linked: Vec<u64>,
}

impl Plan {
    /// Whether a later entry has the same name.
    pub(crate) fn replaces(&self, place: usize) -> bool {
        self.replaced.binary_search(&place).is_ok()
    }

    /// Whether a hard link leads to a name.
    pub(crate) fn links_to(&self, name: &Name) -> bool {
        self.linked.binary_search(&hash(name)).is_ok()
    }
}

/// Gathers entry by entry.
pub(crate) struct Survey {
    settings: Settings,
    tops: Tops,
    bytes: u64,
    /// Hashes of names, at the places of their entries. A million names would be too much memory; a million of these are not.
    names: Vec<u64>,
    linked: Vec<u64>,
}

impl Survey {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, tops: Tops::default(), bytes: 0, names: Vec::new(), linked: Vec::new() }
    }

    /// Looks at one more entry, and refuses it where it would be too much.
    pub(crate) fn add(&mut self, name: &Name, is_directory: bool, size: u64) -> Result<(), Problem> {
        let Settings { most_entries, most_bytes, .. } = self.settings;
        let shown = || shown(name.as_str().as_bytes());
        self.tops.add(name, is_directory);
        self.names.push(hash(name));
        if self.names.len() as u64 > most_entries {
            return Err(too_many(most_entries));
        }
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > most_bytes {
            let message = format!("with `{}`, of {size} bytes, the archive holds more than {most_bytes} bytes", shown());
            return Err(Problem::exhausted("too-many-bytes", message)
                .hint(format!("to allow more: `--fetch-set max-bytes={}`", self.bytes)));
        }
        Ok(())
    }

    /// Notes where a hard link leads.
    pub(crate) fn add_link(&mut self, target: &Name) {
        self.linked.push(hash(target));
    }

    /// Ends the first pass.
    pub(crate) fn plan(mut self) -> Result<Plan, Problem> {
        self.linked.sort_unstable();
        let levels = self.tops.levels(self.settings.strip)?;
        let entries = self.names.len() as u64;
        Ok(Plan { levels, entries, replaced: replaced(&self.names), linked: self.linked })
    }
}

/// Makes the problem of an archive with too many entries.
pub(crate) fn too_many(most_entries: u64) -> Problem {
    Problem::exhausted("too-many-entries", format!("the archive has more than {most_entries} entries"))
        .hint(format!("to allow more: `--fetch-set max-entries={}`", most_entries.saturating_mul(2)))
}

/// Hashes a name. Who finds two names of one hash makes an archive of which a file is missing, which is possible with less work.
fn hash(name: &Name) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.as_str().hash(&mut hasher);
    hasher.finish()
}

/// Finds the places of names that come again later. The top itself (`./`) is never written, and may come as often as it likes.
fn replaced(names: &[u64]) -> Vec<usize> {
    let mut places = (0..names.len()).collect::<Vec<_>>();
    places.sort_unstable_by_key(|place| (names[*place], *place));
    let pairs = places.windows(2).filter(|pair| names[pair[0]] == names[pair[1]]);
    let mut replaced = pairs.map(|pair| pair[0]).collect::<Vec<_>>();
    replaced.sort_unstable();
    replaced
}
