//! Compresses what the archives of the attacks are made of.

use std::io::Write;

use lzma_rust2::{XzOptions, XzWriter};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With a window of so many bytes, whatever is needed.
pub(crate) fn xz(bytes: &[u8], window: u32) -> Vec<u8> {
    let mut options = XzOptions::with_preset(0);
    options.lzma_options.dict_size = window;
    let mut encoder = XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame of zstd (RFC 8878) that stores bytes as they are, and zeros behind them, with a window of `2 ^ (10 + exponent)` bytes.
pub(crate) fn zstd(bytes: &[u8], zeros: usize, exponent: u8) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    let header = |kind: u32, size: usize, is_last: bool| {
        let size = u32::try_from(size).unwrap();
        (size << 3 | kind << 1 | u32::from(is_last)).to_le_bytes()[..3].to_vec()
    };
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3];
    for piece in bytes.chunks(BLOCK) {
        frame.extend([header(0, piece.len(), false), piece.to_vec()].concat());
    }
    for _ in 0..zeros / BLOCK {
        frame.extend([header(1, BLOCK, false), vec![0]].concat());
    }
    frame.extend(header(0, 0, true));
    frame
}

/// Bytes that nothing makes smaller, the same each time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
