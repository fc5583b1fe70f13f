//! Sparse files of GNU tar: which parts of a file are in the archive, and the zeros between them.
//!
//! The source is the manual of GNU tar, "Storing Sparse Files". All numbers are judged here before anything is done by them.

use std::io::{self, BufRead, Read};

use sti_plugin::Problem;
use tar::GnuSparseHeader;

use super::extensions::digits;
use crate::{
    damage::{damaged, told},
    reader::Stream,
};

/// The most parts that a sparse file may have; each one costs memory.
const MOST_SEGMENTS: usize = 1 << 16;
const BLOCK: u64 = 512;

/// A part of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Holds segments against the size of the file and the bytes that there are: in order, none over another, none behind the end.
pub(super) fn judge(segments: Vec<Segment>, size: u64, stored: u64) -> Result<Vec<Segment>, Problem> {
    let mut end = 0;
    let mut sum = 0_u64;
    for Segment { offset, length } in &segments {
        let wrong = || damaged("the parts of a sparse file are not in order, or lie behind its end");
        if *offset < end {
            return Err(wrong());
        }
        end = offset.checked_add(*length).filter(|end| *end <= size).ok_or_else(wrong)?;
        sum = sum.saturating_add(*length);
    }
    if sum != stored {
        return Err(damaged(format!("the parts of a sparse file make {sum} bytes, and {stored} are there")));
    }
    Ok(segments)
}

/// Reads the old form: four descriptions in the header, and blocks of 21 more as long as each says that another follows.
pub(super) fn read_old(header: &tar::GnuHeader, stream: &mut dyn Stream) -> Result<Vec<Segment>, Problem> {
    let mut segments = Vec::new();
    add_old(&header.sparse, &mut segments)?;
    let mut more = header.is_extended();
    while more {
        let mut block = tar::GnuExtSparseHeader::new();
        stream.read_exact(block.as_mut_bytes()).map_err(|error| told(&error))?;
        // Blocks without a description would never reach the limit.
        if block.sparse()[0].is_empty() {
            return Err(damaged("a sparse file goes on without a part"));
        }
        add_old(block.sparse(), &mut segments)?;
        more = block.is_extended();
    }
    Ok(segments)
}

fn add_old(headers: &[GnuSparseHeader], segments: &mut Vec<Segment>) -> Result<(), Problem> {
    for header in headers.iter().take_while(|header| !header.is_empty()) {
        let (Ok(offset), Ok(length)) = (header.offset(), header.length()) else {
            return Err(damaged("a sparse file has a part without numbers"));
        };
        add(Segment { offset, length }, segments)?;
    }
    Ok(())
}

fn add(segment: Segment, segments: &mut Vec<Segment>) -> Result<(), Problem> {
    if segments.len() >= MOST_SEGMENTS {
        return Err(Problem::exhausted("too-many-parts", format!("a sparse file has more than {MOST_SEGMENTS} parts")));
    }
    segments.push(segment);
    Ok(())
}

/// Reads the map of version 1.0, which stands in front of the content: decimal numbers with a line each, filled up to a whole block.
/// Tells also how many bytes that took.
pub(super) fn read_map(stream: &mut dyn Stream, stored: u64) -> Result<(Vec<Segment>, u64), Problem> {
    let mut lines = Lines { stream, taken: 0, most: stored };
    let mut segments = Vec::new();
    let number = lines.number()?;
    for _ in 0..number {
        add(Segment { offset: lines.number()?, length: lines.number()? }, &mut segments)?;
    }
    let filled = lines.taken.next_multiple_of(BLOCK);
    let (padding, taken) = (filled - lines.taken, filled);
    if taken > stored {
        return Err(damaged("the map of a sparse file is longer than its content"));
    }
    stream.skip(padding).map_err(|error| told(&error))?;
    Ok((segments, taken))
}

struct Lines<'a> {
    stream: &'a mut dyn Stream,
    taken: u64,
    most: u64,
}

impl Lines<'_> {
    /// Reads a line of digits, of which a number has no more than twenty.
    fn number(&mut self) -> Result<u64, Problem> {
        let mut line = Vec::new();
        while line.len() <= 20 && self.taken < self.most {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).map_err(|error| told(&error))?;
            self.taken += 1;
            if byte == *b"\n" {
                return digits(&line).ok_or_else(|| damaged("the map of a sparse file has a line without a number"));
            }
            line.extend(byte);
        }
        Err(damaged("the map of a sparse file is malformed"))
    }
}

/// Zeros to lend from.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// The content of a sparse file with its holes filled.
pub(super) struct Filled<'a, R> {
    segments: &'a [Segment],
    size: u64,
    at: u64,
    content: R,
}

/// What comes next in a sparse file, and how much of it.
enum Next {
    Zeros(u64),
    Content(u64),
}

impl<'a, R: BufRead> Filled<'a, R> {
    pub(super) fn new(segments: &'a [Segment], size: u64, content: R) -> Self {
        Self { segments, size, at: 0, content }
    }

    fn next(&mut self) -> Next {
        while let [Segment { offset, length }, rest @ ..] = self.segments {
            let end = offset + length;
            if self.at < *offset {
                return Next::Zeros(offset - self.at);
            }
            if self.at < end {
                return Next::Content(end - self.at);
            }
            self.segments = rest;
        }
        Next::Zeros(self.size - self.at)
    }
}

impl<R: BufRead> BufRead for Filled<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.next() {
            Next::Zeros(length) => Ok(head(&ZEROS, length)),
            Next::Content(length) => Ok(head(self.content.fill_buf()?, length)),
        }
    }

    fn consume(&mut self, amount: usize) {
        if let Next::Content(_) = self.next() {
            self.content.consume(amount);
        }
        self.at += amount as u64;
    }
}

impl<R: BufRead> Read for Filled<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// The first bytes, no more than so many.
pub(super) fn head(bytes: &[u8], length: u64) -> &[u8] {
    &bytes[..usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(pairs: &[(u64, u64)]) -> Vec<Segment> {
        pairs.iter().map(|(offset, length)| Segment { offset: *offset, length: *length }).collect()
    }

    fn check_filled(pairs: &[(u64, u64)], size: u64, content: &[u8], filled: &[u8]) {
        let segments = judge(segments(pairs), size, content.len() as u64).unwrap();
        let mut whole = Vec::new();
        Filled::new(&segments, size, content).read_to_end(&mut whole).unwrap();
        assert_eq!(whole, filled);
    }

    fn check_refused(pairs: &[(u64, u64)], size: u64, stored: u64) {
        assert_eq!(judge(segments(pairs), size, stored).unwrap_err().code(), "damaged", "{pairs:?}");
    }

    #[test]
    fn fills_holes_with_zeros() {
        check_filled(&[(2, 2), (5, 1), (8, 0)], 8, b"abc", b"\0\0ab\0c\0\0");
        check_filled(&[(0, 3)], 3, b"abc", b"abc");
        check_filled(&[(4, 0)], 4, b"", b"\0\0\0\0");
        check_filled(&[], 2, b"", b"\0\0");
    }

    #[test]
    fn refuses_parts_that_overlap_overflow_or_lie_behind_the_end() {
        check_refused(&[(0, 4), (3, 1)], 8, 5);
        check_refused(&[(4, 1), (0, 1)], 8, 2);
        check_refused(&[(7, 2)], 8, 2);
        check_refused(&[(u64::MAX, 2)], 8, 2);
        check_refused(&[(0, u64::MAX), (0, u64::MAX)], u64::MAX, 5);
        check_refused(&[(0, 4)], 8, 5);
    }
}
