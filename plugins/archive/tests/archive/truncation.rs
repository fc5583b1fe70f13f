//! Archives that end too early, or of which a byte is wrong: always an answer, and never a breakdown.

use sti_archive::Archive;
use sti_plugin::testing::AddressBuilder;

use crate::make::{self, CODECS, noise, tar, zip};

/// Small archives of every format and method, with the number of bytes at their end that say nothing.
fn archives() -> Vec<(String, Vec<u8>, usize)> {
    let text = b"some text, and some text again, and some more text".repeat(4);
    let parts = [
        tar::directory("app"),
        tar::file("app/a", &text),
        tar::long(b'L', "app/with a long name"),
        tar::file("short", &noise(300)),
        tar::pax(&[("path", "app/of pax")]),
        tar::symlink("short", "a"),
        tar::hardlink("app/b", "app/a"),
        tar::old_sparse("app/sparse", 900, &[(0, 5), (20, 5), (40, 5), (60, 5), (80, 5), (900, 0)], &noise(25)),
    ];
    let tar = tar::whole(&parts);
    let tars = CODECS.iter().map(|(format, compress)| {
        // All behind the first block of zeros.
        let silent = if *format == "tar" { 512 } else { 0 };
        ((*format).to_owned(), compress(&tar), silent)
    });
    let members = [
        zip::stored("app/stored", &text),
        zip::deflated("app/deflate", &text),
        zip::compressed("app/deflate64", 9, b"abc", zip::deflate(b"abc")),
        zip::compressed("app/bzip2", 12, &text, make::bzip2(&text)),
        zip::compressed("app/lzma", 14, &text, zip::lzma(&text)),
        zip::compressed("app/zstd", 93, &text, make::zstd(&text)),
        zip::compressed("app/xz", 95, &text, make::xz(&text)),
        zip::Member { sizes_follow: true, ..zip::deflated("app/streamed", &text) },
        zip::symlink("app/link", "stored"),
    ];
    tars.chain([("zip".to_owned(), zip::whole(&members), 0)]).collect()
}

#[test]
fn refuses_what_is_cut_off_anywhere() {
    for (format, bytes, silent) in archives() {
        AddressBuilder::new("whole").file(bytes.clone()).fetch::<Archive>().expect_tree();
        for length in (0..bytes.len() - silent).step_by(if bytes.len() > 4000 { 3 } else { 1 }) {
            let cut = AddressBuilder::new("cut").file(&bytes[..length]).fetch::<Archive>();
            assert!(cut.result.is_err(), "{format} of {length} bytes");
        }
    }
}

#[test]
fn answers_whatever_byte_is_wrong() {
    for (_, bytes, _) in archives() {
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= [0x01, 0x80, 0xff][at % 3];
            let fetched = AddressBuilder::new("wrong").file(wrong).fetch::<Archive>();
            assert!(fetched.result.is_ok() || !fetched.result.unwrap_err().message().is_empty());
        }
    }
}
