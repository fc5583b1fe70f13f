//! What stands before a header and overrides it: GNU long names and pax records, which may also hold for all entries that follow.
//!
//! The source is POSIX.1-2017, `pax`, "pax Extended Header"; and the manual of GNU tar, "Storing Sparse Files".

use std::str::FromStr;

use sti_plugin::Problem;

use super::sparse::Segment;
use crate::damage::damaged;

/// The most bytes that extensions of one entry may have.
pub(super) const MOST: u64 = 1 << 20;

/// What extensions say of an entry, each as far as it was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: SparseRecords,
}

/// The records of GNU tar's sparse files, in all their versions.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseRecords {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) real_size: Option<u64>,
    pub(super) segments: Option<Vec<Segment>>,
    /// The offset of version 0.0, until its length comes.
    offset: Option<u64>,
}

impl Extensions {
    /// Reads pax records: `LENGTH KEY=VALUE\n`, of which the length counts all bytes, its own digits too. An empty value takes an
    /// earlier one back.
    pub(super) fn read(&mut self, mut records: &[u8]) -> Result<(), Problem> {
        // Some writers fill up with NUL.
        while records.first().is_some_and(|byte| *byte != 0) {
            let (record, rest) = split_record(records).ok_or_else(|| damaged("a pax record is malformed"))?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(|| damaged("a pax record has no `=`"))?;
            self.set(&record[..equals], &record[equals + 1..])?;
            records = rest;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Problem> {
        let text = || (!value.is_empty()).then(|| value.to_vec());
        let sparse = &mut self.sparse;
        match key {
            b"path" => self.path = text(),
            b"linkpath" => self.link = text(),
            b"size" => self.size = number(value)?,
            b"GNU.sparse.major" => sparse.major = number(value)?,
            b"GNU.sparse.minor" => sparse.minor = number(value)?,
            b"GNU.sparse.name" => sparse.name = text(),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => sparse.real_size = number(value)?,
            b"GNU.sparse.numblocks" => sparse.segments = Some(Vec::new()),
            b"GNU.sparse.offset" => sparse.offset = number(value)?,
            b"GNU.sparse.numbytes" => sparse.add(number(value)?)?,
            b"GNU.sparse.map" => sparse.segments = Some(map(value)?),
            _ => {}
        }
        Ok(())
    }

    /// Lets these records stand where the others, of the archive as a whole, say something else.
    pub(super) fn over(self, global: &Self) -> Self {
        let sparse = if self.sparse.is_empty() { global.sparse.clone() } else { self.sparse };
        Self {
            path: self.path.or_else(|| global.path.clone()),
            link: self.link.or_else(|| global.link.clone()),
            size: self.size.or(global.size),
            sparse,
        }
    }
}

impl SparseRecords {
    fn is_empty(&self) -> bool {
        self.major.is_none() && self.segments.is_none() && self.real_size.is_none()
    }

    fn add(&mut self, length: Option<u64>) -> Result<(), Problem> {
        let (Some(offset), Some(length)) = (self.offset.take(), length) else {
            return Err(damaged("a sparse file has a length without an offset"));
        };
        self.segments.get_or_insert_default().push(Segment { offset, length });
        Ok(())
    }
}

/// Parts the first record (without its length and line end) from the rest.
fn split_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = records.iter().take(20).position(|byte| *byte == b' ')?;
    let length = digits::<usize>(&records[..space])?;
    let record = records.get(space + 1..length)?;
    Some((record.strip_suffix(b"\n")?, &records[length..]))
}

/// Reads `OFFSET,LENGTH,OFFSET,LENGTH,…` of sparse version 0.1.
fn map(value: &[u8]) -> Result<Vec<Segment>, Problem> {
    let numbers = value.split(|byte| *byte == b',').map(digits::<u64>).collect::<Option<Vec<_>>>();
    let numbers =
        numbers.filter(|numbers| numbers.len() % 2 == 0).ok_or_else(|| damaged("the map of a sparse file is malformed"))?;
    Ok(numbers.chunks_exact(2).map(|pair| Segment { offset: pair[0], length: pair[1] }).collect())
}

fn number(value: &[u8]) -> Result<Option<u64>, Problem> {
    if value.is_empty() {
        return Ok(None);
    }
    digits(value).map(Some).ok_or_else(|| damaged("a pax record has no number where there must be one"))
}

/// Reads decimal digits and nothing else, no sign either.
pub(super) fn digits<N: FromStr>(text: &[u8]) -> Option<N> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(records: &[u8]) {
        let refused = Extensions::default().read(records);
        assert_eq!(refused.unwrap_err().code(), "damaged", "{}", String::from_utf8_lossy(records));
    }

    #[test]
    fn reads_records_with_line_ends_and_equals_signs_in_their_values() {
        let mut extensions = Extensions::default();
        extensions.read(b"14 path=a\nb=c\n12 size=123\n17 comment=later\n").unwrap();
        assert_eq!((extensions.path.as_deref(), extensions.size), (Some(b"a\nb=c".as_slice()), Some(123)));
        extensions.read(b"8 path=\n").unwrap();
        assert_eq!(extensions.path, None);
    }

    #[test]
    fn refuses_records_that_lie_about_their_length() {
        for records in [
            b"99 path=a\n".as_slice(),
            b"0 path=a\n",
            b"3 path=a\n",
            b"8 path=a\n",
            b"-10 path=a\n",
            b"18446744073709551616 path=a\n",
            b"99999999999999999999999 path=a\n",
            b"path=a\n",
            b"7 path\n",
            b"12 size=-12\n",
            b"30 size=99999999999999999999999\n",
            b"28 GNU.sparse.numbytes=1234\n",
            b"22 GNU.sparse.map=1,2,3\n",
        ] {
            check_refused(records);
        }
    }

    #[test]
    fn takes_an_entrys_own_record_before_that_of_all() {
        let (mut own, mut global) = (Extensions::default(), Extensions::default());
        own.read(b"10 path=a\n").unwrap();
        global.read(b"10 path=b\n11 size=12\n").unwrap();
        let both = own.over(&global);
        assert_eq!((both.path.as_deref(), both.size), (Some(b"a".as_slice()), Some(12)));
    }
}
