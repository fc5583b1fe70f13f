//! Finds out what an archive is by its first bytes, never by its name.

use std::io;

use sti_plugin::Problem;

use crate::{codecs::Codec, damage::told, reader::Reader, tar, zip};

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A tar file, compressed or not.
    Tar(Option<Codec>),
    /// A zip file.
    Zip,
}

/// Formats and how they begin.
const BEGINNINGS: &[(&[u8], Format)] = &[
    (b"\x1f\x8b", Format::Tar(Some(Codec::Gzip))),
    (b"\x28\xb5\x2f\xfd", Format::Tar(Some(Codec::Zstd))),
    (b"\xfd7zXZ\0", Format::Tar(Some(Codec::Xz))),
    (b"BZh", Format::Tar(Some(Codec::Bzip2))),
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"PK\x06\x06", Format::Zip),
];

/// What people take for an archive that is not unpacked here, and how it begins.
const OTHERS: &[(&[u8], &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x9d", "a file of `compress`"),
    (b"\x1f\xa0", "a file of `compress`"),
    (b"LZIP", "an lzip file"),
    (b"\x04\x22\x4d\x18", "an lz4 file"),
    (b"\x5d\x00\x00", "an lzma file of the old form"),
    (b"!<arch>", "an ar archive"),
    (b"070701", "a cpio archive"),
    (b"070707", "a cpio archive"),
    (b"PK\x07\x08", "a zip file in several parts"),
    (b"MZ", "a program of Windows"),
    (b"\x7fELF", "a program"),
    (b"<", "a page of the web"),
];

/// The last four bits of a skippable frame's magic number are free (RFC 8878, 3.1.2).
fn begins_skippable(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl Format {
    /// Looks at the first bytes. A plain tar file begins with a name, which can be like any magic number, and so its sum is looked at
    /// first; whatever has no magic number may still be an empty one.
    pub(crate) fn of(reader: &mut Reader) -> Result<Self, Problem> {
        let head = reader.peek(512).map_err(|error: io::Error| told(&error))?;
        if head.is_empty() {
            return Err(Problem::invalid("not-an-archive", "the file is empty"));
        }
        if tar::begins(head) {
            return Ok(Self::Tar(None));
        }
        if begins_skippable(head) {
            return Ok(Self::Tar(Some(Codec::Zstd)));
        }
        let found = BEGINNINGS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, format)| *format);
        // A zip file may stand behind a program that unpacks it.
        Ok(found.unwrap_or_else(|| if zip::ends(reader) { Self::Zip } else { Self::Tar(None) }))
    }

    /// The name that is recorded as a fact.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar(None) => "tar",
            Self::Tar(Some(codec)) => codec.name_with_tar(),
        }
    }
}

/// Makes the problem of something that is no tar file where there must be one, told by its first bytes.
pub(crate) fn no_tar(codec: Option<Codec>, head: &[u8]) -> Problem {
    let other = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what);
    let other = other.or_else(|| BEGINNINGS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(.., format)| format.kind()));
    let looks = other.map(|what| format!("; it looks like {what}")).unwrap_or_default();
    match codec {
        Some(codec) => Problem::invalid("no-tar-inside", format!("what the {} file holds is no tar file{looks}", codec.name()))
            .hint("a single file is not unpacked: give it as a plain path, or pack it with `tar`"),
        None => Problem::invalid("not-an-archive", format!("this is no archive that can be unpacked{looks}"))
            .hint("tar files can be, plain or compressed with gzip, zstd, xz or bzip2, and zip files"),
    }
}

impl Format {
    fn kind(self) -> &'static str {
        match self {
            Self::Zip => "a zip file",
            Self::Tar(_) => "a file that is compressed once more",
        }
    }
}
