//! Zip files: the directory is read first, and then entry by entry. The source is PKWARE's APPNOTE 6.3.10.
//!
//! The directory is read by code of ours: the `zip` crate holds all of it in memory, and takes it for true where an entry's own
//! header says something else. Both are held against each other here, and no entry may lie over another.

mod directory;
mod fields;
mod member;
mod words;

use std::rc::Rc;

use sti_plugin::{Blob, Problem, TreeWriter};

use crate::{
    codecs::Inflater,
    damage::damaged,
    names::link_target,
    output::{Again, Output},
    reader::Reader,
    strip::{Strip, Tops},
};
use directory::{Directory, Kind, Listed};

/// Whether a file ends as a zip file does, whatever it begins with: a program that unpacks itself is one.
pub(crate) fn ends(reader: &mut Reader) -> bool {
    Directory::find(reader).is_ok_and(|directory| directory.entries > 0)
}

/// Unpacks a zip file.
pub(crate) fn unpack(blob: &Rc<Blob>, strip: Strip, tree: &TreeWriter) -> Result<(), Problem> {
    let directory = Directory::find(&mut Reader::new(blob))?;
    let (tops, starts) = survey(&directory, blob)?;
    let levels = match strip {
        Strip::Auto => usize::from(tops.only().is_some()),
        Strip::Levels(levels) => levels,
    };
    tops.must_be_deeper(levels)?;
    let mut output = Output::new(tree, levels, Again::IsRefused);
    let (mut reader, mut inflater) = (Reader::new(blob), Inflater::default());
    let mut listing = directory.listing(blob);
    while let Some(listed) = listing.next()? {
        write(&listed, starts.room(&listed, &directory), &mut reader, &mut inflater, &mut output)?;
    }
    Ok(())
}

/// Where entries begin, in order.
struct Starts(Vec<u64>);

impl Starts {
    /// Tells where an entry must have ended: where the next one begins, or the directory.
    fn room(&self, listed: &Listed, directory: &Directory) -> u64 {
        let next = self.0.partition_point(|start| *start <= listed.offset);
        self.0.get(next).copied().unwrap_or(directory.offset)
    }
}

fn survey(directory: &Directory, blob: &Rc<Blob>) -> Result<(Tops, Starts), Problem> {
    let mut tops = Tops::default();
    let mut starts = Vec::new();
    let mut listing = directory.listing(blob);
    while let Some(listed) = listing.next()? {
        tops.add(&listed.name, listed.kind == Kind::Directory);
        starts.push(listed.offset);
    }
    starts.sort_unstable();
    match starts.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(damaged(format!("two entries begin at the same byte {}", pair[0]))),
        None => Ok((tops, Starts(starts))),
    }
}

/// Holds the entry's own header against the directory, whatever the entry is, and writes it.
fn write(listed: &Listed, room: u64, reader: &mut Reader, inflater: &mut Inflater, output: &mut Output) -> Result<(), Problem> {
    let Listed { name, mode, size, .. } = listed;
    let mut member = member::Member::open(listed, room, reader)?;
    match listed.kind {
        _ if name.is_top() => {}
        Kind::Directory => output.directory(name, *mode)?,
        Kind::File => output.file(name, *mode, *size, &mut member.content(inflater)?)?,
        Kind::Symlink => output.symlink(name, &link_target(&member.whole(inflater)?, name)?)?,
    }
    member.close()
}
