//! Tar files, in one pass: each entry is judged and written as it comes.

mod entries;
mod extensions;
mod header;
mod sparse;

use std::rc::Rc;

use sti_plugin::{Blob, Problem, TreeWriter};

use crate::{
    codecs::Codec,
    output::{Again, Output},
    strip::{Strip, Tops},
};
use entries::{Entries, Entry, Kind};

/// Whether bytes, of which 512 are needed, begin a plain tar file.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    header::begins(bytes)
}

/// Unpacks a tar file.
pub(crate) fn unpack(blob: &Rc<Blob>, codec: Option<Codec>, strip: Strip, tree: &TreeWriter) -> Result<(), Problem> {
    let levels = match strip {
        Strip::Auto => 0,
        Strip::Levels(levels) => levels,
    };
    let (mut tops, mut output) = (Tops::default(), Output::new(tree, levels, Again::Replaces));
    let mut entries = Entries::open(blob, codec);
    while let Some(entry) = entries.next()? {
        tops.add(&entry.name, matches!(entry.kind, Kind::Directory));
        write(&entry, &mut entries, &mut output)?;
    }
    entries.finish()?;
    tops.must_be_deeper(levels)?;
    match (strip, tops.only()) {
        // Only the last name tells whether all lie below one directory.
        (Strip::Auto, Some(top)) => tree.set_top(top),
        _ => Ok(()),
    }
}

fn write(entry: &Entry, entries: &mut Entries, output: &mut Output) -> Result<(), Problem> {
    let Entry { name, mode, size, passed, .. } = entry;
    if *passed > 0 {
        output.pass(name, *passed)?;
    }
    match &entry.kind {
        _ if name.is_top() => Ok(()),
        Kind::Directory => output.directory(name, *mode),
        Kind::File => output.file(name, *mode, *size, &mut entries.content()),
        Kind::Sparse(segments) => output.file(name, *mode, *size, &mut sparse::Filled::new(segments, *size, entries.content())),
        Kind::Symlink(target) => output.symlink(name, target),
        Kind::Hardlink(target) => output.hardlink(name, target),
    }
}
