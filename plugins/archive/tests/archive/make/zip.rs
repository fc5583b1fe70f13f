//! Zip files, byte by byte, so that each can lie where a test wants it to.

use std::{io::Write, mem};

use flate2::{Compression, Crc, write::DeflateEncoder};
use lzma_rust2::{LzmaOptions, LzmaWriter};

/// An entry to be written.
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
    pub(crate) compressed: Vec<u8>,
    /// Whether sum and sizes stand behind the content.
    pub(crate) sizes_follow: bool,
    /// What is done to the entry's own header, and to the directory's, before they are written.
    pub(crate) edit_own: fn(&mut Vec<u8>),
    pub(crate) edit_listed: fn(&mut Vec<u8>),
}

/// An entry that is stored as it is.
pub(crate) fn stored(name: &str, content: &[u8]) -> Member {
    compressed(name, 0, content, content.to_vec())
}

pub(crate) fn compressed(name: &str, method: u16, content: &[u8], compressed: Vec<u8>) -> Member {
    let content = content.to_vec();
    let name = name.as_bytes().to_vec();
    Member { name, method, mode: 0o100_644, content, compressed, sizes_follow: false, edit_own: |_| {}, edit_listed: |_| {} }
}

pub(crate) fn deflated(name: &str, content: &[u8]) -> Member {
    compressed(name, 8, content, deflate(content))
}

pub(crate) fn symlink(name: &str, target: &str) -> Member {
    Member { mode: 0o120_777, ..stored(name, target.as_bytes()) }
}

pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

/// LZMA with the nine bytes that stand before it in a zip file, and without a mark at its end.
pub(crate) fn lzma(content: &[u8]) -> Vec<u8> {
    let options = LzmaOptions::with_preset(1);
    let mut encoder =
        LzmaWriter::new(Vec::new(), &options, true, false, Some(content.len() as u64)).expect("memory takes everything");
    encoder.write_all(content).expect("memory takes everything");
    let alone = encoder.finish().expect("memory takes everything");
    // The header of a file of its own is five bytes of properties and eight of the size.
    [&[9, 20, 5, 0], &alone[..5], &alone[13..]].concat()
}

/// Writes a zip file, and whatever `edit_end` makes of the record at its end.
pub(crate) fn whole_with(members: &[Member], edit_end: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    written(Vec::new(), members, edit_end)
}

/// Writes a zip file behind something else, with offsets that count from the beginning of that.
pub(crate) fn whole_behind(program: &[u8], members: &[Member]) -> Vec<u8> {
    written(program.to_vec(), members, |_| {})
}

fn written(mut file: Vec<u8>, members: &[Member], edit_end: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut directory = Vec::new();
    for member in members {
        let offset = file.len();
        let mut own = own(member);
        (member.edit_own)(&mut own);
        file.extend(own);
        file.extend(&member.compressed);
        if member.sizes_follow {
            file.extend([b"PK\x07\x08".as_slice(), &sum_and_sizes(member)].concat());
        }
        let mut listed = listed(member, offset);
        (member.edit_listed)(&mut listed);
        directory.extend(listed);
    }
    let count = u16::try_from(members.len()).expect("archives of tests are small").to_le_bytes();
    let (size, offset) = (length(&directory), length(&file));
    let mut end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &size, &offset, &[0, 0]].concat();
    edit_end(&mut end);
    [file, directory, end].concat()
}

pub(crate) fn whole(members: &[Member]) -> Vec<u8> {
    whole_with(members, |_| {})
}

/// Puts a zip64 record and its locator before the record at the end, which then says nothing any more.
pub(crate) fn enlarge(end: &mut Vec<u8>) {
    let wide = |at: usize, length: usize| {
        let mut number = end[at..at + length].to_vec();
        number.resize(8, 0);
        number
    };
    let (count, size, offset) = (wide(10, 2), wide(12, 4), wide(16, 4));
    let at = [size.as_slice(), &offset].map(|bytes| u64::from(bytes[0]) | u64::from(bytes[1]) << 8).iter().sum::<u64>();
    let record = [b"PK\x06\x06\x2c\0\0\0\0\0\0\0-\0-\0\0\0\0\0\0\0\0\0".as_slice(), &count, &count, &size, &offset].concat();
    let locator = [b"PK\x06\x07\0\0\0\0".as_slice(), &at.to_le_bytes(), &[1, 0, 0, 0]].concat();
    put(end, 8, &[0xff; 12]);
    *end = [record, locator, mem::take(end)].concat();
}

/// Writes numbers over a record.
pub(crate) fn put(record: &mut [u8], at: usize, bytes: &[u8]) {
    record[at..at + bytes.len()].copy_from_slice(bytes);
}

fn own(member: &Member) -> Vec<u8> {
    let sums = if member.sizes_follow { vec![0; 12] } else { sum_and_sizes(member) };
    [
        b"PK\x03\x04\x14\0".as_slice(),
        &flags(member),
        &member.method.to_le_bytes(),
        &[0; 4],
        &sums,
        &name_length(member),
        &[0, 0],
        &member.name,
    ]
    .concat()
}

fn listed(member: &Member, offset: usize) -> Vec<u8> {
    let mode = (member.mode << 16).to_le_bytes();
    let offset = u32::try_from(offset).expect("archives of tests are small").to_le_bytes();
    let head = [b"PK\x01\x02\x14\x03\x14\0".as_slice(), &flags(member), &member.method.to_le_bytes(), &[0; 4]].concat();
    let tail = [name_length(member).as_slice(), &[0; 8], &mode, &offset, &member.name].concat();
    [head, sum_and_sizes(member), tail].concat()
}

fn flags(member: &Member) -> [u8; 2] {
    (u16::from(member.sizes_follow) << 3).to_le_bytes()
}

fn sum_and_sizes(member: &Member) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(&member.content);
    [sum.sum().to_le_bytes(), length(&member.compressed), length(&member.content)].concat()
}

fn name_length(member: &Member) -> [u8; 2] {
    u16::try_from(member.name.len()).expect("archives of tests are small").to_le_bytes()
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).expect("archives of tests are small").to_le_bytes()
}
