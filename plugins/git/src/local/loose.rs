//! Objects that have a file each. As with those in packs, their names are believed, as git itself believes them; damage is found by the
//! checksum of the compressed stream.

use std::{
    cell::RefCell,
    fs::File,
    io::{BufRead, BufReader, Seek},
    rc::Rc,
};

use gix_hash::oid;
use gix_object::Kind;
use sti_plugin::Problem;

use super::directory::{Directory, is_absent};
use crate::{
    packs::Inflater,
    store::{Large, Object, Opened, Take},
    trouble,
};

/// How much of a file is read at once.
const PIECE: usize = 1 << 15;

/// The longest start of an object: its kind and size.
const START: usize = 32;

/// Opens an object of a place; none where it has no file there. One that is larger than this is not read yet, if its file is large too.
pub(super) fn open(
    directory: &Directory,
    inflater: &RefCell<Inflater>,
    (place, id): (&str, &oid),
    largest: u64,
) -> Result<Option<Opened<'static>>, Problem> {
    let name = id.to_string();
    let Some(file) = directory.open(&format!("{place}/{}/{}", &name[..2], &name[2..]))? else { return Ok(None) };
    let mut reader = BufReader::with_capacity(PIECE, file);
    // Each question about a file takes as long as reading one: a piece that is not full is the whole.
    let is_small = match reader.fill_buf() {
        Err(error) if is_absent(&error) => return Ok(None),
        piece => piece?.len() < PIECE,
    };
    let inflater = &mut inflater.borrow_mut();
    let content = if is_small {
        inflater.small(&mut reader)?
    } else {
        let (kind, size, start) = begin(&mut reader, inflater, id)?;
        reader.rewind()?;
        if size > largest {
            return Ok(Some(Opened::Large(Box::new(Loose { reader, kind, size, start }))));
        }
        inflater.whole(&mut reader, None)?
    };
    Ok(Some(Opened::Held(Rc::new(object(content, id)?))))
}

/// Takes an object out of what its file holds.
fn object(mut content: Vec<u8>, id: &oid) -> Result<Object, Problem> {
    let (kind, size, start) = parse(&content).ok_or_else(|| wrong(id))?;
    content.drain(..start);
    if content.len() as u64 == size { Ok(Object { kind, content }) } else { Err(wrong(id)) }
}

/// Reads what an object says of itself: its kind and size, and how long that is.
fn begin(reader: &mut dyn BufRead, inflater: &mut Inflater, id: &oid) -> Result<(Kind, u64, usize), Problem> {
    let mut start = [0; START];
    let length = inflater.start(reader, &mut start)?;
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
        let mut before = self.start;
        Inflater::default().pieces(&mut self.reader, self.size.saturating_add(self.start as u64), &mut |piece| {
            let skipped = before.min(piece.len());
            before -= skipped;
            take(&piece[skipped..])
        })
    }
}

fn wrong(id: &oid) -> Problem {
    trouble::damaged(format_args!("the object `{id}` is not what its name says"))
}
