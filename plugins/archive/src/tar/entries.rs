//! Walks through a tar file: header by header, each with what stands before it and overrides it, and with its content.
//!
//! The headers are the `tar` crate's; the walk is ours, because that crate's own believes every length that a header claims.

use std::{
    io::{self, BufRead, Read},
    mem,
    rc::Rc,
};

use sti_plugin::{Blob, Problem, log};
use tar::Header;

use super::{
    extensions::{self, Extensions},
    header::{has_right_sum, mode_of, refused, size_of},
    sparse::{self, Segment},
};
use crate::{
    codecs::{self, Codec},
    damage::{damaged, told, truncated},
    format::no_tar,
    names::{Habits, Name, link_target},
    reader::Stream,
};

const BLOCK: usize = 512;

/// What an entry is. There is nothing else in a tree.
pub(super) enum Kind {
    Directory,
    File,
    Sparse(Vec<Segment>),
    Symlink(String),
    Hardlink(Name),
}

/// An entry, judged.
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) kind: Kind,
    /// Bits of any kind.
    pub(super) mode: u32,
    /// Bytes of the file, with its holes.
    pub(super) size: u64,
    /// Bytes that follow the header of what is no file, to be passed over.
    pub(super) passed: u64,
}

/// The entries of a tar file, in order.
pub(super) struct Entries {
    stream: Box<dyn Stream>,
    codec: Option<Codec>,
    /// What holds for all entries to come.
    global: Extensions,
    /// What is left of the content of the latest entry, and of the block that it fills.
    content: u64,
    padding: u64,
    is_begun: bool,
}

impl Entries {
    pub(super) fn open(blob: &Rc<Blob>, codec: Option<Codec>) -> Self {
        let stream = codecs::open(blob, codec);
        Self { stream, codec, global: Extensions::default(), content: 0, padding: 0, is_begun: false }
    }

    /// Gives the next entry, or none where the archive says that it ends.
    ///
    /// Who gives GNU tar one file twice gets an archive with a hard link from it to itself, which says nothing.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Problem> {
        let is_own_link = |entry: &Entry| matches!(&entry.kind, Kind::Hardlink(target) if *target == entry.name);
        loop {
            match self.any()? {
                Some(entry) if is_own_link(&entry) => {}
                entry => return Ok(entry),
            }
        }
    }

    fn any(&mut self) -> Result<Option<Entry>, Problem> {
        let (mut name, mut link) = (None, None);
        let mut pax = Extensions::default();
        let mut left = extensions::MOST;
        loop {
            self.pass_over()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = size_of(&header)?;
            match header.entry_type().as_byte() {
                b'L' => name = Some(long_name(self.extension(size, &mut left)?)),
                b'K' => link = Some(long_name(self.extension(size, &mut left)?)),
                b'x' | b'X' => pax.read(&self.extension(size, &mut left)?)?,
                b'g' => {
                    let records = self.extension(size, &mut left)?;
                    self.global.read(&records)?;
                }
                // The name of the volume, which says nothing of the tree.
                b'V' => {
                    self.extension(size, &mut left)?;
                }
                _ => {
                    let mut said = pax.over(&self.global);
                    said.path = said.sparse.name.take().or(said.path).or(name);
                    said.link = said.link.or(link);
                    return self.entry(&header, size, said).map(Some);
                }
            }
        }
    }

    /// Lends the content of the latest entry.
    pub(super) fn content(&mut self) -> Content<'_> {
        Content(self)
    }

    /// Reads what follows the end, which checks the sums of a compressed file. Zeros follow often, and anything else is ignored as other
    /// programs do, with a warning.
    pub(super) fn finish(&mut self) -> Result<(), Problem> {
        let mut left = MOST_BEHIND;
        let mut warned = false;
        while left > 0 {
            let piece = self.stream.fill_buf().map_err(|error| told(&error))?;
            if piece.is_empty() {
                return Ok(());
            }
            if !warned && piece.iter().any(|byte| *byte != 0) {
                warned = true;
                log::warning("something follows the end of the archive, such as a second one, and is ignored");
            }
            let length = piece.len();
            self.stream.consume(length);
            left = left.saturating_sub(length as u64);
        }
        Ok(())
    }

    /// Passes over what was not read of the latest entry.
    fn pass_over(&mut self) -> Result<(), Problem> {
        let (content, padding) = (mem::take(&mut self.content), mem::take(&mut self.padding));
        let passed = self.stream.skip(content).and_then(|()| self.stream.skip(padding));
        passed.map_err(|error| told(&error))
    }

    /// Announces so many bytes of content, and what fills their last block.
    fn expect(&mut self, size: u64) {
        const WHOLE: u64 = BLOCK as u64;
        self.content = size;
        self.padding = (WHOLE - size % WHOLE) % WHOLE;
    }

    /// Reads a block, and judges whether it is a header. A block of zeros is the end.
    fn header(&mut self) -> Result<Option<Header>, Problem> {
        let mut header = Header::new_old();
        let block = header.as_mut_bytes();
        let mut filled = 0;
        while filled < BLOCK {
            match self.stream.read(&mut block[filled..]).map_err(|error| told(&error))? {
                0 => break,
                read => filled += read,
            }
        }
        let is_first = !mem::replace(&mut self.is_begun, true);
        let is_whole = filled == BLOCK;
        if is_whole && block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if is_whole && has_right_sum(&header) {
            return Ok(Some(header));
        }
        match (is_first, is_whole) {
            (true, _) => Err(no_tar(self.codec, &header.as_bytes()[..filled])),
            (false, true) => Err(damaged("a header has a wrong sum")),
            (false, false) if filled > 0 => Err(truncated("half a header is missing")),
            (false, false) => Err(truncated("it has no mark at its end")),
        }
    }

    /// Reads what an extension holds, which is limited for all extensions of one entry together.
    fn extension(&mut self, size: u64, left: &mut u64) -> Result<Vec<u8>, Problem> {
        // Empty ones count too, or they could go on for ever.
        let cost = size.saturating_add(BLOCK as u64);
        *left = left.checked_sub(cost).ok_or_else(|| {
            Problem::exhausted("header-too-large", format!("the headers of one entry have more than {} bytes", extensions::MOST))
        })?;
        self.expect(size);
        let mut bytes = Vec::new();
        self.content().read_to_end(&mut bytes).map_err(|error| told(&error))?;
        Ok(bytes)
    }

    /// Judges an entry by its header and what was said before.
    fn entry(&mut self, header: &Header, size: u64, said: Extensions) -> Result<Entry, Problem> {
        let raw = said.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let stored = said.size.unwrap_or(size);
        let link = || said.link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        let name = Name::judge(&raw, Habits::Tar)?;
        // Above the permissions and those beside them stands, in some archives, what the type says.
        let mode = mode_of(header)? & 0o7777;
        self.expect(stored);
        let (kind, size) = match header.entry_type().as_byte() {
            // A directory in archives that are older than its own type.
            0 | b'0' if raw.ends_with(b"/") => (Kind::Directory, 0),
            0 | b'0' | b'7' if said.sparse.real_size.is_some() => self.sparse(&said.sparse, stored)?,
            0 | b'0' | b'7' => (Kind::File, stored),
            b'S' => self.old_sparse(header, stored)?,
            b'5' | b'D' => (Kind::Directory, 0),
            b'2' => (Kind::Symlink(link_target(&link(), &name)?), 0),
            b'1' => {
                // The size is that of the file which it is a name of; nothing of it follows.
                self.expect(0);
                (Kind::Hardlink(Name::judge(&link(), Habits::Tar)?), 0)
            }
            other => return Err(refused(other, &raw)),
        };
        if name.is_top() && !matches!(kind, Kind::Directory) {
            return Err(crate::names::unsafe_path(&raw, "it is the top of the tree"));
        }
        let is_file = matches!(kind, Kind::File | Kind::Sparse(_));
        let passed = if is_file { 0 } else { self.content };
        Ok(Entry { name, kind, mode, size, passed })
    }

    /// Reads the map of a sparse file in the form of the year 1994, whose blocks stand before the content.
    fn old_sparse(&mut self, header: &Header, stored: u64) -> Result<(Kind, u64), Problem> {
        let header = header.as_gnu().ok_or_else(|| damaged("a sparse file has no GNU header"))?;
        let size = header.real_size().map_err(|_| damaged("a sparse file has no size"))?;
        let segments = sparse::read_old(header, &mut *self.stream)?;
        Ok((Kind::Sparse(sparse::judge(segments, size, stored)?), size))
    }

    /// Takes the map of a sparse file from its pax records, or, since version 1.0, from the head of its content.
    fn sparse(&mut self, records: &extensions::SparseRecords, stored: u64) -> Result<(Kind, u64), Problem> {
        let size = records.real_size.unwrap_or_default();
        let segments = match (records.major.unwrap_or_default(), records.minor.unwrap_or_default()) {
            (0, _) => sparse::judge(records.segments.clone().unwrap_or_default(), size, stored)?,
            (1, 0) => {
                let (segments, taken) = sparse::read_map(&mut *self.stream, stored)?;
                self.content = stored - taken;
                sparse::judge(segments, size, self.content)?
            }
            (major, minor) => {
                let message = format!("sparse files of version {major}.{minor} are not known");
                return Err(Problem::invalid("unsupported-entry", message));
            }
        };
        Ok((Kind::Sparse(segments), size))
    }
}

/// How much is read behind the end of an archive. Tar fills up to 10 KiB; more is no part of it.
const MOST_BEHIND: u64 = 1 << 20;

/// The content of an entry, no further than it goes.
pub(super) struct Content<'a>(&'a mut Entries);

impl BufRead for Content<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.0.content == 0 {
            return Ok(&[]);
        }
        match self.0.stream.fill_buf()? {
            [] => Err(io::ErrorKind::UnexpectedEof.into()),
            there => Ok(sparse::head(there, self.0.content)),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.0.stream.consume(amount);
        self.0.content -= amount as u64;
    }
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// A long name ends with a NUL byte that does not belong to it.
fn long_name(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
