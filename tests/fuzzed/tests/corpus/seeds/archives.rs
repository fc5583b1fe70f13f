//! Archives of each form, by the writers of the plugin's own tests. The two bytes before them are what the target draws first.

#[path = "../../../../../plugins/archive/tests/archive/make/tar.rs"]
#[allow(dead_code, reason = "the tests of the plugin need more of it")]
mod tar;
#[path = "../../../../../plugins/archive/tests/archive/make/zip.rs"]
#[allow(dead_code, reason = "the tests of the plugin need more of it")]
mod zip;

use std::io::Write;

use lzma_rust2::{XzOptions, XzWriter};
use structured_zstd::encoding::{CompressionLevel, compress_to_vec};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("memory takes everything");
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Everything that a proper tar file has.
fn proper() -> Vec<Vec<u8>> {
    vec![
        tar::global(&[("comment", "made by a test")]),
        tar::directory("app/"),
        tar::file("app/a", b"content"),
        tar::file_with_mode("app/tool", 0o4755, b"#!"),
        tar::symlink("app/link", "../decoy"),
        tar::hardlink("app/again", "app/a"),
        tar::long(b'L', &format!("app/{}", "long".repeat(40))),
        tar::file("short", b"x"),
        tar::pax(&[("path", "app/pax"), ("size", "3")]),
        tar::file("other", b"abc"),
    ]
}

fn sparse() -> Vec<Vec<u8>> {
    let parts: Vec<_> = (0..6).map(|at| (at * 1024, 2)).collect();
    vec![
        tar::old_sparse("old", 6 * 1024, &parts, &[7; 12]),
        tar::pax(&[("GNU.sparse.size", "10"), ("GNU.sparse.map", "0,1,5,2")]),
        tar::file("newer", b"abc"),
        tar::pax(&[
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.realsize", "100"),
            ("GNU.sparse.name", "n"),
        ]),
        tar::file("newest", &[tar::blocks(b"1\n50\n3\n"), b"abc".to_vec()].concat()),
    ]
}

fn hostile() -> Vec<Vec<u8>> {
    vec![
        tar::symlink("d", "/nonexistent/decoy"),
        tar::file("d/a", b"out"),
        tar::file("../decoy", b"out"),
        tar::hardlink("stolen", "../decoy"),
        tar::entry(b'3', b"device", b""),
    ]
}

fn members() -> Vec<zip::Member> {
    let text = b"the same again and the same again";
    vec![
        zip::stored("app/", b""),
        zip::stored("app/stored", text),
        zip::deflated("app/deflated", text),
        zip::compressed("app/deflate64", 9, text, zip::deflate(text)),
        zip::compressed("app/bzip2", 12, text, bzip2(text)),
        zip::compressed("app/lzma", 14, text, zip::lzma(text)),
        zip::compressed("app/zstd", 93, text, zstd(text)),
        zip::compressed("app/xz", 95, text, xz(text)),
        zip::Member { sizes_follow: true, ..zip::deflated("app/streamed", text) },
        zip::symlink("app/link", "stored"),
    ]
}

pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let small = tar::whole(&[tar::file("a", b"content"), tar::symlink("b", "a")]);
    let one = |method: u16, bytes: Vec<u8>| zip::whole(&[zip::compressed("a", method, b"content", bytes)]);
    let archives = [
        ("tar", 1, tar::whole(&proper())),
        ("tar-sparse", 1, tar::whole(&sparse())),
        ("tar-hostile", 1, tar::whole(&hostile())),
        ("tar-twice", 1, tar::whole(&[tar::file("a", b"1"), tar::file("a", b"2"), tar::directory("./")])),
        ("tar-behind-end", 0, [tar::whole(&[tar::file("a", b"1")]), tar::file("b", b"2")].concat()),
        ("gzip", 0, gzip(&small)),
        ("gzip-members", 0, [gzip(&small[..700]), gzip(&small[700..])].concat()),
        ("zstd", 0, zstd(&small)),
        ("xz", 0, xz(&small)),
        ("bzip2", 0, bzip2(&small)),
        ("zip", 0, zip::whole(&members())),
        ("zip-large", 0, zip::whole_with(&[zip::stored("a", b"1")], zip::enlarge)),
        ("zip-streamed", 0, zip::whole(&[zip::Member { sizes_follow: true, ..zip::deflated("a", b"content") }])),
        ("zip-deflate", 0, zip::whole(&[zip::deflated("a", b"content")])),
        ("zip-deflate64", 0, one(9, zip::deflate(b"content"))),
        ("zip-bzip2", 0, one(12, bzip2(b"content"))),
        ("zip-lzma", 0, one(14, zip::lzma(b"content"))),
        ("zip-zstd", 0, one(93, zstd(b"content"))),
        ("zip-xz", 0, one(95, xz(b"content"))),
        (
            "zip-hostile",
            0,
            zip::whole(&[zip::symlink("d", "/nonexistent"), zip::stored("d/a", b"out"), zip::stored("..\\b", b"")]),
        ),
    ];
    archives.map(|(name, form, archive)| (name.to_owned(), [&[form, 0], &archive[..]].concat())).to_vec()
}
