//! Tar files: one pass that looks, and one that writes.

mod entries;
mod extensions;
mod header;
mod sparse;

use std::rc::Rc;

use sti_plugin::{Blob, Problem, TreeWriter};

use crate::{
    codecs::Codec,
    output::Output,
    settings::Settings,
    survey::{Plan, Survey},
};
use entries::{Entries, Entry, Kind};

/// Whether bytes, of which 512 are needed, begin a plain tar file.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    header::begins(bytes)
}

/// Unpacks a tar file, and tells how many entries it wrote.
pub(crate) fn unpack(blob: &Rc<Blob>, codec: Option<Codec>, settings: Settings, tree: &TreeWriter) -> Result<u64, Problem> {
    let plan = survey(Entries::open(blob, codec), settings)?;
    let mut output = Output::new(tree, &plan);
    let mut entries = Entries::open(blob, codec);
    let mut place = 0;
    while let Some(entry) = entries.next()? {
        if !plan.replaces(place) && !entry.name.is_top() {
            write(&entry, &mut entries, &mut output)?;
        }
        place += 1;
    }
    Ok(output.finish())
}

/// Looks at all entries, and at what follows them, before anything is written.
fn survey(mut entries: Entries, settings: Settings) -> Result<Plan, Problem> {
    let mut survey = Survey::new(settings);
    while let Some(entry) = entries.next()? {
        survey.add(&entry.name, matches!(entry.kind, Kind::Directory), entry.cost)?;
        if let Kind::Hardlink(target) = &entry.kind {
            survey.add_link(target);
        }
    }
    entries.finish()?;
    survey.plan()
}

fn write(entry: &Entry, entries: &mut Entries, output: &mut Output) -> Result<(), Problem> {
    let Entry { name, mode, size, .. } = entry;
    match &entry.kind {
        Kind::Directory => output.directory(name, *mode),
        Kind::File => output.file(name, *mode, *size, &mut entries.content()),
        Kind::Sparse(segments) => output.file(name, *mode, *size, &mut sparse::Filled::new(segments, *size, entries.content())),
        Kind::Symlink(target) => output.symlink(name, target),
        Kind::Hardlink(target) => output.hardlink(name, target),
    }
}
