//! An entry of a zip file: its own header held against the directory, and its content held against both.

use std::io::{self, BufRead, BufReader, Read};

use flate2::Crc;
use sti_plugin::Problem;

use super::{
    directory::{Listed, read},
    fields::{fill_in, long, number, short},
};
use crate::{
    codecs::{Decoder, Inflater, zip_decoder},
    damage::{damaged, told},
    names::{LONGEST, shown},
    reader::{PIECE, Reader},
};

/// An entry's own header, without name and extra field.
const HEADER: usize = 30;

/// Bits of the flags (APPNOTE 4.4.4).
const ENCRYPTED: u16 = 1;
const HAS_END_MARK: u16 = 1 << 1;
const SIZES_FOLLOW: u16 = 1 << 3;
const STRONGLY_ENCRYPTED: u16 = 1 << 6;
const MASKED: u16 = 1 << 13;

/// Methods that are known and not decoded, and the one that says that an entry is encrypted.
const METHODS: &[(u16, &str)] = &[
    (1, "shrink"),
    (6, "implode"),
    (10, "PKWARE implode"),
    (18, "TERSE"),
    (94, "MP3"),
    (96, "JPEG"),
    (97, "WavPack"),
    (98, "PPMd"),
];
const AES: u16 = 99;

/// An entry whose header was judged.
pub(super) struct Member<'a> {
    listed: &'a Listed,
    reader: &'a mut Reader,
    starts: u64,
    room: u64,
    /// Whether sum and sizes stand behind the content, and not in the header.
    sizes_follow: bool,
}

impl<'a> Member<'a> {
    /// Reads an entry's own header. `room` is where the entry must have ended.
    pub(super) fn open(listed: &'a Listed, room: u64, reader: &'a mut Reader) -> Result<Self, Problem> {
        let shown = || shown(&listed.raw);
        let header = read(reader, listed.offset, HEADER)?;
        let rest =
            read(reader, listed.offset + HEADER as u64, usize::from(short(&header, 26)) + usize::from(short(&header, 28)))?;
        let (name, extra) = rest.split_at(usize::from(short(&header, 26)));
        let flags = short(&header, 6) | listed.flags;
        if flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED) != 0 || listed.method == AES {
            return Err(encrypted(&shown()));
        }
        let sizes_follow = short(&header, 6) & SIZES_FOLLOW != 0;
        let is_same = header.starts_with(b"PK\x03\x04")
            && name == listed.raw
            && short(&header, 8) == listed.method
            && agree(listed, &header, extra, sizes_follow)?;
        if !is_same {
            return Err(damaged(format!("the entry `{}` disagrees with the directory of the zip file", shown())));
        }
        let starts = listed.offset + (HEADER + rest.len()) as u64;
        if starts.checked_add(listed.compressed).is_none_or(|end| end > room) {
            return Err(Problem::invalid("overlapping-entries", format!("the entry `{}` lies over what follows it", shown()))
                .hint("do not unpack this archive elsewhere either; ask whoever made it for a proper one"));
        }
        Ok(Self { listed, reader, starts, room, sizes_follow })
    }

    /// Lends the content, decompressed; at its end the sum is checked.
    pub(super) fn content<'b>(&'b mut self, inflater: &'b mut Inflater) -> Result<Checked<'b>, Problem> {
        let Listed { method, compressed, size, checksum, raw, flags, .. } = self.listed;
        self.reader.seek(self.starts);
        let known_size = (flags & HAS_END_MARK == 0).then_some(*size);
        let bytes = Read::take(&mut *self.reader, *compressed);
        let decoder = zip_decoder(*method, bytes, known_size, inflater).ok_or_else(|| unsupported(*method, &shown(raw)))?;
        let decoder = BufReader::with_capacity(buffer(*size), decoder.map_err(|error| told(&error))?);
        Ok(Checked { decoder, sum: Crc::new(), checksum: *checksum })
    }

    /// Reads the whole of what is a symbolic link's target.
    pub(super) fn whole(&mut self, inflater: &mut Inflater) -> Result<Vec<u8>, Problem> {
        let mut whole = Vec::new();
        self.content(inflater)?.take(LONGEST as u64).read_to_end(&mut whole).map_err(|error| told(&error))?;
        Ok(whole)
    }

    /// Holds what stands behind the content against the directory.
    pub(super) fn close(self) -> Result<(), Problem> {
        if !self.sizes_follow {
            return Ok(());
        }
        let at = self.starts + self.listed.compressed;
        let length = usize::try_from(self.room.saturating_sub(at)).unwrap_or(usize::MAX).min(24);
        let found = read(self.reader, at, length)?;
        let bare = found.strip_prefix(b"PK\x07\x08");
        if [Some(found.as_slice()), bare].into_iter().flatten().any(|record| describes(record, self.listed)) {
            return Ok(());
        }
        Err(damaged(format!("what stands behind the entry `{}` disagrees with the directory", shown(&self.listed.raw))))
    }
}

/// A small file needs no large buffer.
fn buffer(size: u64) -> usize {
    usize::try_from(size.clamp(512, u64::from(PIECE))).unwrap_or_default()
}

/// Whether sum and sizes of an entry's own header are those of the directory. Where they follow the content they may be zero here.
fn agree(listed: &Listed, header: &[u8], extra: &[u8], sizes_follow: bool) -> Result<bool, Problem> {
    let (mut compressed, mut size, mut none) = (long(header, 18), long(header, 22), 0);
    if !sizes_follow {
        fill_in([&mut size, &mut compressed, &mut none], extra)?;
    }
    let same = |here: u64, there: u64| here == there || (sizes_follow && (here == 0 || here == super::fields::ELSEWHERE));
    Ok(same(long(header, 14), listed.checksum) && same(compressed, listed.compressed) && same(size, listed.size))
}

/// Whether a data descriptor (APPNOTE 4.3.9), of either length, says what the directory does.
fn describes(record: &[u8], listed: &Listed) -> bool {
    let says = |length: usize| {
        record.len() >= 4 + 2 * length
            && long(record, 0) == listed.checksum
            && number(record, 4, length) == listed.compressed
            && number(record, 4 + length, length) == listed.size
    };
    says(4) || says(8)
}

/// Content whose sum is checked at its end.
pub(super) struct Checked<'a> {
    decoder: BufReader<Decoder<'a>>,
    sum: Crc,
    checksum: u64,
}

impl BufRead for Checked<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.decoder.fill_buf()?.is_empty() && u64::from(self.sum.sum()) != self.checksum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a file has a wrong sum"));
        }
        Ok(self.decoder.buffer())
    }

    fn consume(&mut self, amount: usize) {
        self.sum.update(&self.decoder.buffer()[..amount]);
        self.decoder.consume(amount);
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

fn encrypted(name: &str) -> Problem {
    Problem::invalid("encrypted", format!("the entry `{name}` is encrypted, and there is no way to give a password"))
        .hint("make the archive anew without a password")
}

fn unsupported(method: u16, name: &str) -> Problem {
    let known = METHODS.iter().find(|(number, _)| *number == method);
    let what =
        known.map_or_else(|| format!("the unknown method {method}"), |(_, known)| format!("{known}, which is not supported"));
    Problem::invalid("unsupported-method", format!("the entry `{name}` is compressed by {what}"))
        .hint("make the archive anew by `zip`, which compresses by deflate")
}
