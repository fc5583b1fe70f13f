//! Compressed streams: taken into memory, or handed on in pieces.

use std::{cmp::Ordering, io::BufRead};

use gix_zlib::{Decompress, FlushDecompress, Inflate, Status};
use sti_plugin::Problem;

use crate::{
    store::{self, OBJECT_LIMIT, Take},
    trouble,
};

/// How much is made at once of what is handed on in pieces, and the least room that is made for what is not.
const PIECE: usize = 1 << 16;

/// How many times larger than what it was compressed to a file mostly is at most.
const USUAL_GROWTH: usize = 8;

/// Decompressors, which are costly to make and used again and again.
pub(crate) struct Inflater {
    /// The fast one, for what lies there as a whole.
    whole: Inflate,
    /// The one that goes on where it stopped.
    stream: Decompress,
    /// Where pieces are made.
    piece: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { whole: Inflate::default(), stream: Decompress::new(), piece: Vec::new() }
    }
}

/// How far a step went.
struct Step {
    written: usize,
    is_end: bool,
}

impl Inflater {
    /// Reads a stream into memory. Where it is known how much it holds, it must hold exactly that.
    pub(crate) fn whole(&mut self, reader: &mut dyn BufRead, size: Option<u64>) -> Result<Vec<u8>, Problem> {
        let limit = size.map_or(OBJECT_LIMIT, |size| usize::try_from(size).unwrap_or(usize::MAX));
        if limit > OBJECT_LIMIT {
            return Err(store::too_large(size.unwrap_or(u64::MAX)));
        }
        // What is compressed is hardly ever the larger one: all of it is there.
        if size.is_some()
            && limit <= there(reader)?.len()
            && let Some(content) = self.at_once(reader, limit)?
        {
            return match content.len().cmp(&limit) {
                Ordering::Less => Err(shorter()),
                Ordering::Equal => Ok(content),
                Ordering::Greater => Err(longer()),
            };
        }
        self.stream.reset();
        let (mut content, mut filled) = (Vec::new(), 0);
        loop {
            if filled == content.len() {
                // Nobody is believed how large it is. One byte more than there may be, to see that there is no more.
                content.resize((limit + 1).min(content.len() * 2 + PIECE), 0);
            }
            let step = self.step(reader, &mut content[filled..], FlushDecompress::Finish)?;
            filled += step.written;
            if filled > limit {
                return Err(longer());
            }
            if step.is_end {
                content.truncate(filled);
                return if size.is_none() || filled == limit { Ok(content) } else { Err(shorter()) };
            }
        }
    }

    /// As [`Inflater::whole`] of an unknown size, where the reader has all of the stream.
    pub(crate) fn small(&mut self, reader: &mut dyn BufRead) -> Result<Vec<u8>, Problem> {
        let room = there(reader)?.len() * USUAL_GROWTH;
        match self.at_once(reader, room)? {
            Some(content) => Ok(content),
            None => self.whole(reader, None),
        }
    }

    /// Reads a stream that ends in what the reader has; nothing, and nothing read, where it does not, is wrong, or needs more room than
    /// this and one byte, which shows that there is more.
    fn at_once(&mut self, reader: &mut dyn BufRead, room: usize) -> Result<Option<Vec<u8>>, Problem> {
        let mut content = vec![0; room + 1];
        self.whole.reset();
        let Ok((Status::StreamEnd, read, written)) = self.whole.once(there(reader)?, &mut content) else { return Ok(None) };
        reader.consume(read);
        content.truncate(written);
        Ok(Some(content))
    }

    /// Hands on a stream that must hold exactly so much, in pieces.
    pub(crate) fn pieces(&mut self, reader: &mut dyn BufRead, size: u64, take: &mut Take<'_>) -> Result<(), Problem> {
        self.stream.reset();
        let mut piece = std::mem::take(&mut self.piece);
        piece.resize(PIECE, 0);
        let mut left = size;
        loop {
            let step = self.step(reader, &mut piece, FlushDecompress::None)?;
            left = left.checked_sub(step.written as u64).ok_or_else(longer)?;
            take(&piece[..step.written])?;
            if step.is_end {
                self.piece = piece;
                return if left == 0 { Ok(()) } else { Err(shorter()) };
            }
        }
    }

    /// Reads the first bytes of a stream.
    pub(crate) fn start(&mut self, reader: &mut dyn BufRead, room: &mut [u8]) -> Result<usize, Problem> {
        self.stream.reset();
        Ok(self.step(reader, room, FlushDecompress::None)?.written)
    }

    /// Takes what the reader has, as far as there is room.
    fn step(&mut self, reader: &mut dyn BufRead, room: &mut [u8], flush: FlushDecompress) -> Result<Step, Problem> {
        let input = there(reader)?;
        let (is_over, read, written) = (input.is_empty(), self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(input, room, flush).map_err(|error| trouble::corrupt(&error))?;
        let read = usize::try_from(self.stream.total_in() - read)?;
        let written = usize::try_from(self.stream.total_out() - written)?;
        reader.consume(read);
        let is_end = status == Status::StreamEnd;
        if !is_end && (is_over || (read == 0 && written == 0)) {
            return Err(trouble::damaged("an object ends too early"));
        }
        Ok(Step { written, is_end })
    }
}

/// What the reader has.
fn there(reader: &mut dyn BufRead) -> Result<&[u8], Problem> {
    reader.fill_buf().map_err(|error| super::told(&error))
}

fn shorter() -> Problem {
    trouble::damaged("an object is smaller than it says")
}

fn longer() -> Problem {
    trouble::damaged("an object is larger than it says")
}
