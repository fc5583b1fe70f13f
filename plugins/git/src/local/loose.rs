//! Objects that have a file each, held against their names.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
    rc::Rc,
};

use gix_hash::{Kind::Sha1, ObjectId, oid};
use gix_object::Kind;
use sti_plugin::Problem;

use super::directory::Directory;
use crate::{
    packs::Inflater,
    store::{Large, Object, Opened, Take},
    trouble,
};

/// How much of a file is read at once.
const PIECE: usize = 1 << 15;

/// The longest start of an object: its kind and size.
const START: usize = 32;

/// Opens an object; none where it has no file. One that is larger than this is not read yet, if its file is large too.
pub(super) fn open(directory: &Directory, id: &oid, largest: u64) -> Result<Option<Opened<'static>>, Problem> {
    let name = id.to_string();
    let Some(file) = directory.open(&format!("objects/{}/{}", &name[..2], &name[2..]))? else { return Ok(None) };
    let is_small = file.metadata()?.len() <= PIECE as u64;
    let mut reader = BufReader::with_capacity(PIECE, file);
    if !is_small {
        let (kind, size, start) = begin(&mut reader, id)?;
        reader.rewind()?;
        if size > largest {
            return Ok(Some(Opened::Large(Box::new(Loose { reader, id: id.to_owned(), kind, size, start }))));
        }
    }
    Ok(Some(Opened::Held(Rc::new(whole(&mut reader, id)?))))
}

fn whole(reader: &mut dyn BufRead, id: &oid) -> Result<Object, Problem> {
    let mut content = Inflater::default().whole(reader, None)?;
    let mut hasher = gix_hash::hasher(Sha1);
    hasher.update(&content);
    if hasher.try_finalize().map_err(|error| trouble::corrupt(&error))? != id {
        return Err(wrong(id));
    }
    let (kind, _, start) = parse(&content).ok_or_else(|| wrong(id))?;
    content.drain(..start);
    Ok(Object { kind, content })
}

/// Reads what an object says of itself: its kind and size, and how long that is.
fn begin(reader: &mut dyn BufRead, id: &oid) -> Result<(Kind, u64, usize), Problem> {
    let mut start = [0; START];
    let length = Inflater::default().start(reader, &mut start)?;
    parse(&start[..length]).ok_or_else(|| wrong(id))
}

fn parse(content: &[u8]) -> Option<(Kind, u64, usize)> {
    let end = content.iter().take(START).position(|byte| *byte == 0)?;
    let (kind, size) = std::str::from_utf8(&content[..end]).ok()?.split_once(' ')?;
    Some((Kind::from_bytes(kind.as_bytes()).ok()?, size.parse().ok()?, end + 1))
}

/// A large object that is still to be read.
struct Loose {
    reader: BufReader<File>,
    id: ObjectId,
    kind: Kind,
    size: u64,
    /// How many bytes stand before the content.
    start: usize,
}

impl Large for Loose {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn pour(mut self: Box<Self>, take: &mut Take<'_>) -> Result<(), Problem> {
        let (mut hasher, mut before) = (gix_hash::hasher(Sha1), self.start);
        Inflater::default().pieces(&mut self.reader, self.size.saturating_add(self.start as u64), &mut |piece| {
            hasher.update(piece);
            let skipped = before.min(piece.len());
            before -= skipped;
            take(&piece[skipped..])
        })?;
        let found = hasher.try_finalize().map_err(|error| trouble::corrupt(&error))?;
        if found == self.id { Ok(()) } else { Err(wrong(&self.id)) }
    }
}

fn wrong(id: &oid) -> Problem {
    trouble::damaged(format_args!("the object `{id}` is not what its name says"))
}
