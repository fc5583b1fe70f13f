//! Packs made by hand, right or wrong.

use std::io::Write;

use gix_hash::{Kind, ObjectId};
use gix_zlib::{Compression, stream::deflate};

/// An entry of a pack.
#[derive(Clone)]
pub(crate) enum Entry {
    /// A whole object: 1 commit, 2 tree, 3 blob, 4 tag.
    Whole(u8, Vec<u8>),
    /// A delta on the entry with this number.
    Delta(usize, Vec<u8>),
    /// A delta on an object by its identifier.
    ByName(ObjectId, Vec<u8>),
    /// An entry that says another size than it has.
    Lying(u8, u64, Vec<u8>),
}

/// Writes a pack.
pub(crate) fn pack(entries: &[Entry]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).expect("few entries");
    let mut pack = [b"PACK".as_slice(), &2_u32.to_be_bytes(), &count.to_be_bytes()].concat();
    let mut offsets = Vec::new();
    for entry in entries {
        offsets.push(pack.len());
        match entry {
            Entry::Whole(kind, content) => pack.extend([header(*kind, content.len() as u64), deflated(content)].concat()),
            Entry::Lying(kind, size, content) => pack.extend([header(*kind, *size), deflated(content)].concat()),
            Entry::ByName(base, delta) => {
                pack.extend([header(7, delta.len() as u64), base.as_slice().to_vec(), deflated(delta)].concat());
            }
            Entry::Delta(base, delta) => {
                let distance = distance(pack.len() - offsets[*base]);
                pack.extend([header(6, delta.len() as u64), distance, deflated(delta)].concat());
            }
        }
    }
    sealed(pack)
}

/// Puts the checksum behind a pack.
pub(crate) fn sealed(mut pack: Vec<u8>) -> Vec<u8> {
    let mut hasher = gix_hash::hasher(Kind::Sha1);
    hasher.update(&pack);
    pack.extend_from_slice(hasher.try_finalize().expect("no collision").as_slice());
    pack
}

/// The identifier of an object.
pub(crate) fn id(kind: gix_object::Kind, content: &[u8]) -> ObjectId {
    gix_object::compute_hash(Kind::Sha1, kind, content).expect("no collision")
}

/// A tree of entries `(mode, name, identifier)`.
pub(crate) fn tree(entries: &[(&str, &str, ObjectId)]) -> Vec<u8> {
    let entry = |(mode, name, id): &(&str, &str, ObjectId)| [format!("{mode} {name}\0").as_bytes(), id.as_slice()].concat();
    entries.iter().flat_map(entry).collect()
}

/// A commit of a tree, and its identifier.
pub(crate) fn commit(tree: ObjectId) -> (Vec<u8>, ObjectId) {
    let who = "a <a@example> 1700000000 +0000";
    let content = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nm\n").into_bytes();
    let id = id(gix_object::Kind::Commit, &content);
    (content, id)
}

/// A delta that copies the whole base and appends.
pub(crate) fn appending(base_size: u64, more: &[u8]) -> Vec<u8> {
    let mut delta = [number(base_size), number(base_size + more.len() as u64)].concat();
    let mut copied = 0;
    while copied < base_size {
        let size = (base_size - copied).min(0xff_ffff);
        let (from, length) =
            (u32::try_from(copied).expect("a small base").to_le_bytes(), u32::try_from(size).expect("a piece").to_le_bytes());
        delta.extend([&[0xff], &from[..], &length[..3]].concat());
        copied += size;
    }
    if !more.is_empty() {
        delta.push(u8::try_from(more.len()).expect("at most 127 bytes"));
        delta.extend_from_slice(more);
    }
    delta
}

/// A number as deltas write it.
pub(crate) fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(low(number) | 0x80);
        number >>= 7;
    }
    bytes.push(low(number));
    bytes
}

/// A line of the protocol.
pub(crate) fn line(text: &str) -> Vec<u8> {
    data_line(text.as_bytes())
}

/// What a server says that sends a pack.
pub(crate) fn answer(pack: &[u8]) -> Vec<u8> {
    let mut answer = line("packfile\n");
    for piece in pack.chunks(60_000) {
        answer.extend(data_line(&[&[1], piece].concat()));
    }
    answer.extend(b"0000");
    answer
}

fn data_line(bytes: &[u8]) -> Vec<u8> {
    [format!("{:04x}", bytes.len() + 4).as_bytes(), bytes].concat()
}

fn header(kind: u8, size: u64) -> Vec<u8> {
    let mut rest = size >> 4;
    let mut bytes = vec![kind << 4 | low(size) & 0xf];
    while rest > 0 {
        *bytes.last_mut().expect("there is one") |= 0x80;
        bytes.push(low(rest));
        rest >>= 7;
    }
    bytes
}

fn distance(mut distance: usize) -> Vec<u8> {
    let mut bytes = vec![low(distance as u64)];
    while distance >= 0x80 {
        distance = (distance >> 7) - 1;
        bytes.insert(0, low(distance as u64) | 0x80);
    }
    bytes
}

/// The lowest seven bits.
fn low(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut writer = deflate::Write::new(Vec::new(), Compression::BEST_SPEED);
    writer.write_all(content).expect("memory");
    writer.flush().expect("memory");
    writer.into_inner()
}
