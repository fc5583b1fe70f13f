//! Reads a foreign tar entry by entry, believing nothing: every length is bounded and every checksum is held against its block.

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

use super::{Error, write::padding};

const BLOCK: usize = 512;

/// Of a long name, or of the extensions of one entry.
const MOST_OF_AN_EXTENSION: u64 = 1024 * 1024;

/// One entry, its names as they are written.
pub(super) struct Member {
    pub(super) kind: EntryType,
    pub(super) path: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) seconds: i64,
    /// Bytes that follow, to be read by [`Reader::bytes`].
    pub(super) size: u64,
}

/// Reads a tar from its beginning to its end.
pub(super) struct Reader<'a> {
    from: &'a mut dyn Read,
    /// Bytes of the current entry that were not read yet, and of the padding behind it.
    left: u64,
    padding: usize,
    begun: bool,
}

/// What the pseudo-entries before an entry say of it.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    seconds: Option<i64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(from: &'a mut dyn Read) -> Self {
        Self { from, left: 0, padding: 0, begun: false }
    }

    /// The next entry; `None` behind the last. Nothing at all is an empty archive; one that breaks off is an error.
    pub(super) fn next(&mut self) -> Result<Option<Member>, Error> {
        let mut extensions = Extensions::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = extensions.size.map_or_else(|| header.entry_size().map_err(malformed), Ok)?;
            self.left = size;
            self.padding = padding(size);
            match header.entry_type() {
                EntryType::GNULongName => extensions.path = Some(self.long_name()?),
                EntryType::GNULongLink => extensions.target = Some(self.long_name()?),
                EntryType::XHeader => extensions.read(&self.extension()?)?,
                EntryType::XGlobalHeader => drop(self.extension()?),
                _ => return member(&header, extensions, size).map(Some),
            }
        }
    }

    /// The next bytes of the current entry; 0 at its end.
    pub(super) fn bytes(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        if most == 0 {
            return Ok(0);
        }
        let count = read(self.from, &mut into[..most])?;
        if count == 0 {
            return Err(broken_off());
        }
        self.left -= count as u64;
        Ok(count)
    }

    fn skip(&mut self) -> Result<(), Error> {
        let mut scratch = [0; 8 * 1024];
        while self.bytes(&mut scratch)? > 0 {}
        let padding = std::mem::take(&mut self.padding);
        if self.fill(&mut scratch[..padding])? < padding {
            return Err(broken_off());
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut block = [0; BLOCK];
        let count = self.fill(&mut block)?;
        if count == 0 && !self.begun {
            return Ok(None);
        }
        if count < BLOCK {
            return Err(if self.begun { broken_off() } else { malformed("it is shorter than one block") });
        }
        self.begun = true;
        if block.iter().all(|byte| *byte == 0) {
            // Whoever writes the archive may pad it, and would fail if nobody took that.
            io::copy(self.from, &mut io::sink()).map_err(Error::Read)?;
            return Ok(None);
        }
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(&block);
        if header.cksum().ok() != Some(checksum(&block)) {
            return Err(malformed("the checksum of a header is wrong"));
        }
        Ok(Some(header))
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let mut end = 0;
        while end < into.len() {
            match read(self.from, &mut into[end..])? {
                0 => break,
                count => end += count,
            }
        }
        Ok(end)
    }

    fn extension(&mut self) -> Result<Vec<u8>, Error> {
        if self.left > MOST_OF_AN_EXTENSION {
            return Err(malformed("a name is longer than a megabyte"));
        }
        let mut bytes = vec![0; usize::try_from(self.left).unwrap_or_default()];
        if self.fill(&mut bytes)? < bytes.len() {
            return Err(broken_off());
        }
        self.left = 0;
        Ok(bytes)
    }

    fn long_name(&mut self) -> Result<Vec<u8>, Error> {
        let mut name = self.extension()?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }
}

impl Extensions {
    fn read(&mut self, records: &[u8]) -> Result<(), Error> {
        for record in PaxExtensions::new(records) {
            let record = record.map_err(malformed)?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"size" => self.size = Some(number(value)?),
                b"uid" => self.uid = Some(number(value)?),
                b"gid" => self.gid = Some(number(value)?),
                // The part before the point: whole seconds are what is written again.
                b"mtime" => self.seconds = Some(number(value.split(|byte| *byte == b'.').next().unwrap_or_default())?),
                key if key.starts_with(b"GNU.sparse") => return Err(sparse()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn member(header: &Header, extensions: Extensions, size: u64) -> Result<Member, Error> {
    if header.entry_type() == EntryType::GNUSparse {
        return Err(sparse());
    }
    let target = || header.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
    let path = extensions.path.unwrap_or_else(|| header.path_bytes().into_owned());
    // The oldest tars have no kind for directories, only a slash at the end.
    let is_old_directory = header.entry_type() == EntryType::Regular && path.ends_with(b"/");
    Ok(Member {
        kind: if is_old_directory { EntryType::Directory } else { header.entry_type() },
        path,
        target: extensions.target.unwrap_or_else(target),
        mode: header.mode().map_err(malformed)? & 0o7777,
        uid: extensions.uid.map_or_else(|| header.uid().map_err(malformed), Ok)?,
        gid: extensions.gid.map_or_else(|| header.gid().map_err(malformed), Ok)?,
        seconds: extensions
            .seconds
            .unwrap_or_else(|| header.mtime().ok().and_then(|time| i64::try_from(time).ok()).unwrap_or_default()),
        size,
    })
}

fn read(from: &mut dyn Read, into: &mut [u8]) -> Result<usize, Error> {
    loop {
        match from.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(Error::Read),
        }
    }
}

/// The sum of all bytes, those of the sum itself taken for spaces.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum(&block[..148]) + 8 * u32::from(b' ') + sum(&block[156..])
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Result<N, Error> {
    let parsed = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| malformed("an extended header holds no number where one belongs"))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` asks for")]
fn malformed(why: impl ToString) -> Error {
    Error::NotATar { why: why.to_string() }
}

fn broken_off() -> Error {
    malformed("it breaks off before its end")
}

fn sparse() -> Error {
    malformed("it holds a sparse file; write it without `--sparse`")
}
