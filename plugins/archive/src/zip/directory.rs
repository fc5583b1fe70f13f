//! The directory at the end of a zip file: where it lies, and what it lists.

use std::{
    io::{self, Read},
    rc::Rc,
};

use sti_plugin::{Blob, Problem};

use super::{
    fields::{ELSEWHERE, fill_in, long, number, short},
    words,
};
use crate::{
    damage::{damaged, told, truncated},
    names::{Habits, Name, shown},
    reader::Reader,
};

/// The record at the end, without its comment.
const END: usize = 22;
const LONGEST_COMMENT: u64 = 0xffff;
/// The zip64 locator, which stands before it.
const LOCATOR: u64 = 20;
const END64: usize = 56;
const END64_MARK: &[u8] = b"PK\x06\x06";
const LISTED: usize = 46;
const LISTED_MARK: &[u8] = b"PK\x01\x02";

/// Where the directory lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directory {
    pub(super) entries: u64,
    pub(super) offset: u64,
    size: u64,
    /// How many bytes stand before the zip file, such as a program that unpacks it; all its offsets are so much smaller.
    shift: u64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Symlink,
}

/// An entry as the directory lists it, judged.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: Name,
    /// The name as it stands there, which that of the entry's own header must equal.
    pub(super) raw: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) checksum: u64,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Where its own header lies.
    pub(super) offset: u64,
}

impl Directory {
    /// Finds the directory by the record at the end of the file, whose comment must end where the file does.
    pub(super) fn find(reader: &mut Reader) -> Result<Self, Problem> {
        let size = reader.size();
        let from = size.saturating_sub(END as u64 + LONGEST_COMMENT);
        let tail = read(reader, from, usize::try_from(size - from).unwrap_or_default())?;
        let is_end =
            |at: &usize| tail[*at..].starts_with(b"PK\x05\x06") && at + END + usize::from(short(&tail[*at..], 20)) == tail.len();
        let last = tail.len().checked_sub(END).ok_or_else(no_end)?;
        let at = (0..=last).rev().find(is_end).ok_or_else(no_end)?;
        let record = &tail[at..];
        let found_at = from + at as u64;
        let small = Self { entries: u64::from(short(record, 10)), offset: long(record, 16), size: long(record, 12), shift: 0 };
        let disks = [short(record, 4), short(record, 6)];
        let (directory, ends) = match small.read_zip64(found_at, reader)? {
            Some((directory, at)) => (directory, at),
            None if disks != [0, 0] => return Err(split()),
            None => (small, found_at),
        };
        let fits = directory.offset.checked_add(directory.size).is_some_and(|end| end <= ends);
        // Each entry has a record of its own, so that their number cannot be absurd.
        let can_be = directory.entries <= directory.size / LISTED as u64;
        if !fits || !can_be {
            return Err(damaged("the directory of the zip file does not lie where its end says"));
        }
        directory.shifted(ends, reader)
    }

    /// Finds what stands before the zip file: where the directory does not lie at its offset, and lies right before its end.
    fn shifted(self, ends: u64, reader: &mut Reader) -> Result<Self, Problem> {
        let shift = ends - self.offset - self.size;
        let mut is_directory = |at: u64| -> Result<bool, Problem> { Ok(read(reader, at, 4)? == LISTED_MARK) };
        if shift == 0 || self.entries == 0 || is_directory(self.offset)? || !is_directory(self.offset + shift)? {
            return Ok(self);
        }
        Ok(Self { offset: self.offset + shift, shift, ..self })
    }

    /// Reads the larger record, where there is one; what the small one holds of it must be the same.
    fn read_zip64(&self, end: u64, reader: &mut Reader) -> Result<Option<(Self, u64)>, Problem> {
        let Some(locator_at) = end.checked_sub(LOCATOR) else { return Ok(None) };
        let locator = read(reader, locator_at, 20)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        let mut at = number(&locator, 8, 8);
        if at.checked_add(END64 as u64).is_none_or(|behind| behind > locator_at) {
            return Err(damaged("the zip64 record does not lie where its locator says"));
        }
        let mut record = read(reader, at, END64)?;
        if !record.starts_with(END64_MARK) {
            // Where something stands before the zip file, it lies right before its locator.
            at = locator_at - END64 as u64;
            record = read(reader, at, END64)?;
        }
        if !record.starts_with(END64_MARK) {
            return Err(damaged("there is no zip64 record where its locator says"));
        }
        if long(&record, 16) != 0 || long(&record, 20) != 0 || long(&locator, 16) > 1 {
            return Err(split());
        }
        let (entries, offset, size) = (number(&record, 32, 8), number(&record, 48, 8), number(&record, 40, 8));
        let large = Self { entries, offset, size, shift: 0 };
        let agree = |small: u64, elsewhere: u64, large: u64| small == elsewhere || small == large;
        let all_agree = agree(self.entries, 0xffff, large.entries)
            && agree(self.offset, ELSEWHERE, large.offset)
            && agree(self.size, ELSEWHERE, large.size);
        if all_agree { Ok(Some((large, at))) } else { Err(damaged("the zip64 record disagrees with the end of the file")) }
    }

    /// Begins to read the directory.
    pub(super) fn listing(&self, blob: &Rc<Blob>) -> Listing {
        let mut reader = Reader::new(blob);
        reader.seek(self.offset);
        Listing { reader, left: self.entries, end: self.offset + self.size, shift: self.shift }
    }
}

/// Entries in the order of the directory.
pub(super) struct Listing {
    reader: Reader,
    left: u64,
    end: u64,
    shift: u64,
}

impl Listing {
    pub(super) fn next(&mut self) -> Result<Option<Listed>, Problem> {
        if self.left == 0 {
            return if self.reader.at() == self.end { Ok(None) } else { Err(damaged("the directory lists more than it counts")) };
        }
        self.left -= 1;
        let mut record = [0; LISTED];
        self.reader.read_exact(&mut record).map_err(|error| told(&error))?;
        if !record.starts_with(LISTED_MARK) {
            return Err(damaged("the directory of the zip file has something else in it"));
        }
        let raw = self.take(short(&record, 28))?;
        let extra = self.take(short(&record, 30))?;
        self.take(short(&record, 32))?;
        if self.reader.at() > self.end {
            return Err(damaged("the directory of the zip file is longer than its end says"));
        }
        let listed = listed(&record, raw, &extra)?;
        let offset = listed.offset.checked_add(self.shift).ok_or_else(|| damaged("an entry does not lie in the zip file"))?;
        Ok(Some(Listed { offset, ..listed }))
    }

    fn take(&mut self, length: u16) -> Result<Vec<u8>, Problem> {
        let mut bytes = vec![0; usize::from(length)];
        self.reader.read_exact(&mut bytes).map_err(|error| told(&error))?;
        Ok(bytes)
    }
}

fn listed(record: &[u8], raw: Vec<u8>, extra: &[u8]) -> Result<Listed, Problem> {
    let name = Name::judge(&words::name(&raw, short(record, 8), is_of_unix(record), extra), Habits::Zip)?;
    let (mut compressed, mut size, mut offset) = (long(record, 20), long(record, 24), long(record, 42));
    fill_in([&mut size, &mut compressed, &mut offset], extra)?;
    let (kind, mode) = kind(record, &raw)?;
    if name.is_top() && kind != Kind::Directory {
        return Err(crate::names::unsafe_path(&raw, "it is the top of the tree"));
    }
    let (flags, method, checksum) = (short(record, 8), short(record, 10), long(record, 16));
    Ok(Listed { name, raw, kind, mode, flags, method, checksum, compressed, size, offset })
}

/// Tells what an entry is: by its mode, where it was made on a Unix (APPNOTE 4.4.2), else by the slash at the end of its name.
fn kind(record: &[u8], raw: &[u8]) -> Result<(Kind, u32), Problem> {
    let is_unix = is_of_unix(record);
    let mode = if is_unix { u32::from(short(record, 40)) } else { 0 };
    let is_directory = raw.ends_with(b"/") || (!is_unix && record[38] & 0x10 != 0);
    let kind = match mode >> 12 {
        0o4 => Kind::Directory,
        0 | 0o10 if is_directory => Kind::Directory,
        0 | 0o10 => Kind::File,
        0o12 => Kind::Symlink,
        other => return Err(special(other, raw)),
    };
    let usual = if kind == Kind::Directory { 0o755 } else { 0o644 };
    Ok((kind, if mode == 0 { usual } else { mode & 0o7777 }))
}

/// Whether an entry was made on a Unix, or by a Mac, which is one (APPNOTE 4.4.2).
fn is_of_unix(record: &[u8]) -> bool {
    const UNIX: u8 = 3;
    const MAC: u8 = 19;
    matches!(record[5], UNIX | MAC)
}

fn special(kind: u32, raw: &[u8]) -> Problem {
    let what = match kind {
        0o1 => "a FIFO",
        0o2 => "a character device",
        0o6 => "a block device",
        0o14 => "a socket",
        _ => "of an unknown type",
    };
    Problem::invalid("special-file", format!("`{}` is {what}, which a source may not have", shown(raw)))
        .hint("make the archive anew without it")
}

/// Reads so many bytes at a place, all of which must be there.
pub(super) fn read(reader: &mut Reader, offset: u64, length: usize) -> Result<Vec<u8>, Problem> {
    reader.seek(offset);
    let mut bytes = Vec::new();
    let read = reader.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(|error| told(&error))?;
    if read < length { Err(told(&io::ErrorKind::UnexpectedEof.into())) } else { Ok(bytes) }
}

fn no_end() -> Problem {
    truncated("it begins as a zip file and does not end as one")
}

fn split() -> Problem {
    Problem::invalid("split-archive", "this is one part of a zip file in several parts")
        .hint("join the parts first, such as by `zip -s 0 parts.zip --out whole.zip`")
}
