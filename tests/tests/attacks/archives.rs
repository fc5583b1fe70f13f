//! Archives that mean harm, or are broken.

use std::{fs, path::Path};

use sti_tests::built_sti;

use crate::{
    codecs::{bzip2, gzip, noise, xz, zstd},
    tar,
    yard::{End, INVALID, TOO_LARGE, Yard},
    zip::{self, Member},
};

/// What it is, its bytes, how it ends, and what the error names.
type Row = (&'static str, Vec<u8>, End, &'static str);

fn put(own: fn(&mut Vec<u8>), listed: fn(&mut Vec<u8>), member: Member) -> Member {
    Member { edit_own: own, edit_listed: listed, ..member }
}

/// A tar file of one entry whose field for its size holds these bytes.
fn sized(size: &'static [u8]) -> Vec<u8> {
    tar::whole(&[tar::header(b'0', b"sized", 0, |header| header.as_old_mut().size[..size.len()].copy_from_slice(size))])
}

/// Names and links that lead out of the tree.
fn leading_out(yard: &Yard) -> Vec<Row> {
    let decoy = yard.decoy("file");
    let link = |target: &str| [tar::pax(&[("linkpath", target)]), tar::symlink("link", "x")].concat();
    vec![
        ("tar: a name that climbs", tar::whole(&[tar::file("../decoy/file", b"out")]), INVALID, "`../decoy/file`"),
        ("tar: one that climbs within", tar::whole(&[tar::file("a/../../decoy/file", b"out")]), INVALID, "unsafe|not safe"),
        ("tar: an absolute name", tar::whole(&[tar::pax(&[("path", &decoy)]), tar::file("a", b"out")]), INVALID, "absolute"),
        ("tar: a drive letter", tar::whole(&[tar::file("C:\\decoy", b"out")]), INVALID, "drive letter"),
        ("tar: NUL in a name", tar::whole(&[tar::pax(&[("path", "a\0b")]), tar::file("a", b"")]), INVALID, "NUL"),
        (
            "tar: a link and a file through it",
            tar::whole(&[link(&yard.decoy("")), tar::file("link/file", b"out")]),
            INVALID,
            "link/file",
        ),
        (
            "tar: a relative link and a file through it",
            tar::whole(&[link("../decoy"), tar::file("link/new", b"out")]),
            INVALID,
            "link/new",
        ),
        (
            "tar: a chain of links and a file through it",
            tar::whole(&[tar::symlink("a", "b"), tar::symlink("b", "link"), link("../decoy"), tar::file("a/file", b"out")]),
            INVALID,
            "a/file",
        ),
        ("tar: a hard link that climbs", tar::whole(&[tar::hardlink("a", "../decoy/file")]), INVALID, "../decoy/file"),
        (
            "tar: an absolute hard link",
            tar::whole(&[tar::pax(&[("linkpath", &decoy)]), tar::hardlink("a", "x")]),
            INVALID,
            "absolute",
        ),
        ("tar: a hard link through a link", tar::whole(&[link("../decoy"), tar::hardlink("a", "link/file")]), INVALID, "`a`"),
        ("zip: a name that climbs", zip::whole(&[zip::stored("../decoy/file", b"out")]), INVALID, "`../decoy/file`"),
        ("zip: an absolute name", zip::whole(&[zip::stored(&decoy, b"out")]), INVALID, "absolute"),
        ("zip: a drive letter", zip::whole(&[zip::stored("c:/decoy", b"out")]), INVALID, "drive letter"),
        ("zip: backslashes", zip::whole(&[zip::stored("..\\decoy\\file", b"out")]), INVALID, "backslashes"),
        ("zip: NUL in a name", zip::whole(&[zip::stored("a\0b", b"")]), INVALID, "NUL"),
        (
            "zip: a link and a file through it",
            zip::whole(&[zip::symlink("link", "../decoy"), zip::stored("link/file", b"out")]),
            INVALID,
            "link/file",
        ),
        ("tar: a device", tar::whole(&[tar::entry(b'3', b"device", b"")]), INVALID, "`device` is a character device"),
        ("tar: a FIFO", tar::whole(&[tar::entry(b'6', b"pipe", b"")]), INVALID, "`pipe` is a FIFO"),
        (
            "zip: a socket",
            zip::whole(&[Member { mode: 0o140_644, ..zip::stored("socket", b"") }]),
            INVALID,
            "`socket` is a socket",
        ),
    ]
}

/// What is there twice, or in the place of something else.
fn in_each_others_place() -> Vec<Row> {
    vec![
        ("tar: a file over a directory", tar::whole(&[tar::file("d/a", b"1"), tar::file("d", b"2")]), INVALID, "`d`"),
        ("tar: a directory over a file", tar::whole(&[tar::file("d", b"1"), tar::file("d/a", b"2")]), INVALID, "`d/a`"),
        ("zip: a directory over a file", zip::whole(&[zip::stored("d", b"1"), zip::stored("d/a", b"2")]), INVALID, "d/a"),
        ("zip: duplicates", zip::whole(&[zip::stored("a", b"1"), zip::stored("a", b"2")]), INVALID, "`a`"),
    ]
}

/// Sizes that are none, and headers that disagree.
fn lying() -> Vec<Row> {
    const EXABYTE: u64 = 1 << 60;
    let overridden = |records: &[(&str, &str)]| tar::whole(&[tar::pax(records), tar::file("a", b"1")]);
    let mut corrupted = gzip(&tar::whole(&[tar::file("a", &noise(5000))]));
    let at = corrupted.len() - 6;
    corrupted[at] ^= 1;
    vec![
        ("tar: a negative size", sized(&[0xff; 12]), INVALID, "`sized`"),
        ("tar: a size that is no number", sized(b"-0000000001\0"), INVALID, "`sized`"),
        ("tar: an absurd size", sized(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), TOO_LARGE, "`sized`"),
        (
            "tar: a sparse file of an exabyte",
            tar::whole(&[tar::old_sparse("s", EXABYTE, &[(EXABYTE, 0)], b"")]),
            TOO_LARGE,
            "`s`",
        ),
        ("tar: pax says another size", overridden(&[("size", "1000000000")]), INVALID, ""),
        ("tar: pax says an absurd size", overridden(&[("size", "18446744073709551615")]), TOO_LARGE, "`a`"),
        ("tar: pax says another name", overridden(&[("path", "../decoy/file")]), INVALID, "../decoy/file"),
        ("tar: a header of two megabytes", tar::whole(&[tar::header(b'x', b"a", 2 << 20, |_| {})]), TOO_LARGE, "1048576"),
        ("gzip: a wrong sum", corrupted, INVALID, "damaged"),
        (
            "zip: the directory names another file",
            zip::whole(&[put(|own| zip::put(own, 30, b"b"), |_| {}, zip::stored("a", b"content"))]),
            INVALID,
            "`a` disagrees",
        ),
        (
            "zip: the directory says another size",
            zip::whole(&[put(|own| zip::put(own, 22, &[1, 0, 0, 0]), |_| {}, zip::stored("a", b"content"))]),
            INVALID,
            "`a` disagrees",
        ),
        (
            "zip: overlapping entries",
            zip::whole(&[zip::stored("b", b"1"), put(|_| {}, |listed| zip::put(listed, 42, &[0; 4]), zip::stored("b", b"1"))]),
            INVALID,
            "",
        ),
        (
            "zip: encrypted",
            zip::whole(&[put(|_| {}, |listed| zip::put(listed, 8, &[1]), zip::stored("a", b"1"))]),
            INVALID,
            "encrypted",
        ),
    ]
}

/// Little that means much.
fn bombs() -> Vec<Row> {
    let zeros = vec![0; 8 << 20];
    let huge = tar::header(b'0', b"bomb", 1 << 40, |_| {});
    let large = tar::header(b'0', b"bomb", 30 << 20, |_| {});
    let members = (0..40).map(|at| {
        let four_gigabytes: fn(&mut Vec<u8>) = |listed| zip::put(listed, 24, &[0xfe, 0xff, 0xff, 0xff]);
        put(
            |own| zip::put(own, 22, &[0xfe, 0xff, 0xff, 0xff]),
            four_gigabytes,
            zip::deflated(&format!("bomb-{at}"), &zeros[..1 << 20]),
        )
    });
    let mut window = xz(&tar::END, 1 << 20);
    let at = window.windows(2).position(|bytes| bytes == [0x21, 1]).unwrap() + 2;
    window[at] = 40;
    let header = 12..12 + (usize::from(window[12]) + 1) * 4 - 4;
    let mut sum = flate2::Crc::new();
    sum.update(&window[header.clone()]);
    window[header.end..header.end + 4].copy_from_slice(&sum.sum().to_le_bytes());
    vec![
        ("gzip: a bomb that says what it is", [gzip(&huge), gzip(&zeros).repeat(4)].concat(), TOO_LARGE, "`bomb`"),
        ("gzip: a bomb behind a limit", gzip(&[&large[..], &zeros, &zeros, &zeros, &zeros].concat()), TOO_LARGE, "bomb"),
        ("gzip: a bomb in a bomb", gzip(&gzip(&gzip(&zeros))), INVALID, "compressed once more"),
        ("zip: forty bombs of four gigabytes", zip::whole(&members.collect::<Vec<_>>()), TOO_LARGE, "bomb-"),
        (
            "zip: a bomb that says that it is none",
            zip::whole(&[put(
                |own| zip::put(own, 22, &[10, 0, 0, 0]),
                |listed| zip::put(listed, 24, &[10, 0, 0, 0]),
                zip::deflated("bomb", &zeros),
            )]),
            INVALID,
            "longer than its header says",
        ),
        ("zstd: a window of two gigabytes", zstd(&[], 0, 21), TOO_LARGE, "128 MiB"),
        ("xz: a window of four gigabytes", window, TOO_LARGE, "128 MiB"),
    ]
}

#[test]
fn archives_that_mean_harm_are_refused_and_reach_nothing() {
    let yard = Yard::new();
    for (what, bytes, end, word) in [leading_out(&yard), in_each_others_place(), lying()].concat() {
        let word = word.split('|').next_back().unwrap();
        yard.refuses(what, &yard.archive(&bytes), &[], end, &[word]);
    }
    for (what, bytes, end, word) in bombs() {
        yard.refuses(what, &yard.archive(&bytes), &["--limit", "bytes=16777216"], end, &[word]);
    }
}

#[test]
fn archives_that_are_merely_odd_are_taken_as_they_are() {
    let yard = Yard::new();
    let whole = tar::whole(&[tar::file("a", b"1")]);
    let inner = zip::whole(&[zip::deflated("zeros", &vec![0; 1 << 20])]);
    let inner_is = format!("inner.zip = {} bytes", inner.len());
    let rows: &[(&str, Vec<u8>, &[&str])] = &[
        ("a newline in a name", tar::whole(&[tar::file("new\nline", b"1")]), &["new\nline = 1"]),
        (
            "a link that leads out",
            tar::whole(&[tar::symlink("link", "../decoy/file"), tar::file("a", b"1")]),
            &["a = 1", "link -> ../decoy/file"],
        ),
        (
            "a link, a directory in its place, and a file in that",
            tar::whole(&[tar::symlink("link", "../decoy"), tar::directory("link/"), tar::file("link/file", b"in")]),
            &["link/file = in"],
        ),
        ("duplicates, of which the last one counts", tar::whole(&[tar::file("a", b"1"), tar::file("a", b"2")]), &["a = 2"]),
        ("names that differ in case", tar::whole(&[tar::file("a", b"1"), tar::file("A", b"2")]), &["A = 2", "a = 1"]),
        (
            "names that differ in their Unicode form",
            zip::whole(&[zip::stored("\u{e9}", b"1"), zip::stored("e\u{301}", b"2")]),
            &["e\u{301} = 2", "\u{e9} = 1"],
        ),
        ("entries after the end", [whole.clone(), tar::file("b", b"2")].concat(), &["a = 1"]),
        ("concatenated archives", [whole.clone(), tar::whole(&[tar::file("b", b"2")])].concat(), &["a = 1"]),
        (
            "an archive in an archive",
            zip::whole(&[zip::stored("inner.zip", &inner), zip::stored("a", b"1")]),
            &["a = 1", &inner_is],
        ),
    ];
    for (what, bytes, files) in rows {
        yard.takes(what, &yard.archive(bytes), &[], files);
    }
    let special = tar::whole(&[tar::file_with_mode("tool", 0o6755, b"#!")]);
    yard.takes("set-id bits", &yard.archive(&special), &[], &["tool = #!"]);
    assert_eq!(mode(&yard.out().join("tool")), 0o755);
}

fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::symlink_metadata(path).unwrap().permissions()) & 0o7777
}

#[test]
fn archives_that_end_early_anywhere_are_refused() {
    let yard = Yard::new();
    let content = noise(2000);
    let parts: Vec<_> = (0..4).map(|at| tar::file(&format!("file-{at}"), &content)).collect();
    let members: Vec<_> = (0..4).map(|at| zip::deflated(&format!("file-{at}"), &content)).collect();
    // Without the zeros at its end, behind which nothing is missed.
    let plain = parts.concat();
    let whole = tar::whole(&parts);
    let formats = [plain, gzip(&whole), xz(&whole, 1 << 20), bzip2(&whole), zstd(&whole, 0, 10), zip::whole(&members)];
    for bytes in formats {
        for length in (1000..bytes.len()).step_by(1000) {
            yard.refuses(&format!("{length} of {} bytes", bytes.len()), &yard.archive(&bytes[..length]), &[], INVALID, &[]);
        }
    }
}

#[test]
fn what_comes_from_elsewhere_is_held_against_what_was_expected() {
    let yard = Yard::new();
    let bytes = gzip(&tar::whole(&[tar::file("a", &noise(5000))]));
    let address = yard.archive(&bytes);
    let wrong = format!("sha256:{}", "0".repeat(64));
    yard.refuses("another checksum", &address, &["--checksum", &wrong], INVALID, &["0000", "checksum"]);
    let path = yard.lab.root().join("in/archive");
    for (what, length) in [("standard input that ends early", 3000), ("standard input that says nothing", 0)] {
        let mut command = yard.lab.command_of(Path::new("/bin/sh"));
        let script = format!("head -c {length} \"$1\" | \"$0\" fetch archive:- out --json");
        command.args(["-c", &script]).args([built_sti(), &path]);
        let _gone = fs::remove_dir_all(yard.out());
        let outcome = yard.lab.run_command(command);
        yard.check(what, &outcome);
        outcome.assert_error(INVALID.0, INVALID.1, &[]);
    }
}
