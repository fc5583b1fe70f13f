//! Parts of tar files, to be put one behind the other.

use tar::{EntryType, Header};

/// The mark at the end.
pub(crate) const END: [u8; 1024] = [0; 1024];

/// Joins parts to a whole archive.
pub(crate) fn whole(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), END.to_vec()].concat()
}

/// A header of any kind with any name, a right sum, and whatever `edit` makes of it.
pub(crate) fn header(kind: u8, name: &[u8], size: u64, edit: impl FnOnce(&mut Header)) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::new(kind));
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(if kind == b'5' { 0o755 } else { 0o644 });
    edit(&mut header);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Content, filled up to whole blocks.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<u8> {
    let mut blocks = bytes.to_vec();
    blocks.resize(bytes.len().next_multiple_of(512), 0);
    blocks
}

pub(crate) fn entry(kind: u8, name: &[u8], bytes: &[u8]) -> Vec<u8> {
    [header(kind, name, bytes.len() as u64, |_| {}), blocks(bytes)].concat()
}

pub(crate) fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    entry(b'0', name.as_bytes(), bytes)
}

pub(crate) fn file_with_mode(name: &str, mode: u32, bytes: &[u8]) -> Vec<u8> {
    [header(b'0', name.as_bytes(), bytes.len() as u64, |header| header.set_mode(mode)), blocks(bytes)].concat()
}

pub(crate) fn directory(name: &str) -> Vec<u8> {
    entry(b'5', name.as_bytes(), b"")
}

pub(crate) fn symlink(name: &str, target: &str) -> Vec<u8> {
    link(b'2', name, target.as_bytes())
}

pub(crate) fn hardlink(name: &str, target: &str) -> Vec<u8> {
    link(b'1', name, target.as_bytes())
}

pub(crate) fn link(kind: u8, name: &str, target: &[u8]) -> Vec<u8> {
    header(kind, name.as_bytes(), 0, |header| header.as_old_mut().linkname[..target.len()].copy_from_slice(target))
}

/// Pax records for the next entry.
pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    entry(b'x', b"pax", &records_of(records))
}

/// Pax records for all entries that follow.
pub(crate) fn global(records: &[(&str, &str)]) -> Vec<u8> {
    entry(b'g', b"pax_global_header", &records_of(records))
}

fn records_of(records: &[(&str, &str)]) -> Vec<u8> {
    records.iter().flat_map(|(key, value)| record(key, value)).collect()
}

fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    format!("{length}{rest}").into_bytes()
}

/// A GNU long name for the next entry (`L`), or a long target (`K`).
pub(crate) fn long(kind: u8, name: &str) -> Vec<u8> {
    entry(kind, b"././@LongLink", format!("{name}\0").as_bytes())
}

/// A sparse file of the old form, with parts of which the first four stand in the header and the others in blocks behind it.
pub(crate) fn old_sparse(name: &str, size: u64, parts: &[(u64, u64)], content: &[u8]) -> Vec<u8> {
    let (first, rest) = parts.split_at(parts.len().min(4));
    let header = header(b'S', name.as_bytes(), content.len() as u64, |header| {
        let header = header.as_gnu_mut().expect("it was made as one");
        header.set_real_size(size);
        header.set_is_extended(!rest.is_empty());
        for (field, (offset, length)) in header.sparse.iter_mut().zip(first) {
            field.set_offset(*offset);
            field.set_length(*length);
        }
    });
    let more = rest.chunks(21).enumerate().flat_map(|(at, parts)| {
        let mut block = tar::GnuExtSparseHeader::new();
        for (field, (offset, length)) in block.sparse_mut().iter_mut().zip(parts) {
            field.set_offset(*offset);
            field.set_length(*length);
        }
        let mut bytes = block.as_bytes().to_vec();
        bytes[504] = u8::from((at + 1) * 21 < rest.len());
        bytes
    });
    [header, more.collect(), blocks(content)].concat()
}
