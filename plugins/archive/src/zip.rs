//! Zip files: one pass over the directory that looks, and one that writes. The source is PKWARE's APPNOTE 6.3.10.
//!
//! The directory is read by code of ours: the `zip` crate holds all of it in memory, and takes it for true where an entry's own
//! header says something else. Both are held against each other here, and no entry may lie over another.

mod directory;
mod fields;
mod member;

use std::rc::Rc;

use sti_plugin::{Blob, Problem, TreeWriter};

use crate::{
    damage::damaged,
    names::{link_target, shown},
    output::Output,
    reader::Reader,
    settings::Settings,
    survey::{Plan, Survey, too_many},
};
use directory::{Directory, Kind, Listed};

/// Unpacks a zip file, and tells how many entries it wrote.
pub(crate) fn unpack(blob: &Rc<Blob>, settings: Settings, tree: &TreeWriter) -> Result<u64, Problem> {
    let directory = Directory::find(&mut Reader::new(blob))?;
    if directory.entries > settings.most_entries {
        return Err(too_many(settings.most_entries));
    }
    let (plan, starts) = survey(&directory, blob, settings)?;
    let mut output = Output::new(tree, &plan);
    let mut reader = Reader::new(blob);
    let mut listing = directory.listing(blob);
    let mut place = 0;
    while let Some(listed) = listing.next()? {
        let is_again = plan.replaces(place) && !listed.name.is_top();
        if is_again && listed.kind != Kind::Directory {
            let message = format!("the entry `{}` is there twice", shown(listed.name.as_str().as_bytes()));
            return Err(Problem::invalid("duplicate-entry", message).hint("make the archive anew with one of them"));
        }
        write(&listed, starts.room(&listed, &directory), &mut reader, is_again, &mut output)?;
        place += 1;
    }
    Ok(output.finish())
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

fn survey(directory: &Directory, blob: &Rc<Blob>, settings: Settings) -> Result<(Plan, Starts), Problem> {
    let mut survey = Survey::new(settings);
    let mut starts = Vec::new();
    let mut listing = directory.listing(blob);
    while let Some(listed) = listing.next()? {
        survey.add(&listed.name, listed.kind == Kind::Directory, listed.size)?;
        starts.push(listed.offset);
    }
    starts.sort_unstable();
    match starts.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(damaged(format!("two entries begin at the same byte {}", pair[0]))),
        None => Ok((survey.plan()?, Starts(starts))),
    }
}

/// Holds the entry's own header against the directory, whatever the entry is, and writes it.
fn write(listed: &Listed, room: u64, reader: &mut Reader, is_again: bool, output: &mut Output) -> Result<(), Problem> {
    let Listed { name, mode, size, .. } = listed;
    let mut member = member::Member::open(listed, room, reader)?;
    match listed.kind {
        _ if name.is_top() || is_again => {}
        Kind::Directory => output.directory(name, *mode)?,
        Kind::File => output.file(name, *mode, *size, &mut member.content()?)?,
        Kind::Symlink => output.symlink(name, &link_target(&member.whole()?, name)?)?,
    }
    member.close()
}
