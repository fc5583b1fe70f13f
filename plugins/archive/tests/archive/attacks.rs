//! What hostile and broken archives end with: a problem that says what is wrong, and names the entry.

use sti_archive::Archive;
use sti_plugin::{
    ProblemKind,
    testing::{AddressBuilder, Fetched},
};

use crate::make::{self, CODECS, tar, zip};

fn unpack(bytes: Vec<u8>) -> Fetched {
    AddressBuilder::new("an archive").file(bytes).fetch::<Archive>()
}

/// Whatever is wrong is told by its code, in words that hold `names`, such as the entry.
fn check_refused(bytes: Vec<u8>, code: &str, names: &str) {
    let problem = unpack(bytes).result.expect_err(names);
    assert_eq!(problem.code(), code, "{problem}");
    assert!(problem.message().contains(names), "`{problem}` does not name {names}");
    assert!(problem.kind() != ProblemKind::Internal, "{problem}");
}

fn check_tar(parts: &[Vec<u8>], code: &str, names: &str) {
    check_refused(tar::whole(parts), code, names);
    check_refused(make::gzip(&tar::whole(parts)), code, names);
}

fn check_zip(members: &[zip::Member], code: &str, names: &str) {
    check_refused(zip::whole(members), code, names);
}

#[test]
fn refuses_names_that_lead_out_of_the_tree() {
    for name in ["../decoy", "/decoy", "a/../../decoy", "a/..", "C:/decoy", "C:\\decoy"] {
        let shown = format!("`{name}`");
        check_tar(&[tar::file("first", b"1"), tar::file(name, b"out")], "unsafe-path", &shown);
        check_tar(&[tar::directory(name)], "unsafe-path", &shown);
        check_tar(&[tar::symlink(name, "decoy")], "unsafe-path", &shown);
        check_tar(&[tar::pax(&[("path", name)]), tar::file("a", b"")], "unsafe-path", &shown);
        check_tar(&[tar::long(b'L', name), tar::file("a", b"")], "unsafe-path", &shown);
        check_zip(&[zip::stored("first", b"1"), zip::stored(name, b"out")], "unsafe-path", &shown);
    }
    check_zip(&[zip::stored("a\\b", b"out")], "unsafe-path", "`a\\b`");
    check_zip(&[zip::stored("..\\decoy", b"out")], "unsafe-path", "`..\\decoy`");
    check_tar(&[tar::file(".", b"")], "unsafe-path", "`.`");
    check_tar(&[tar::symlink("./", "decoy")], "unsafe-path", "`./`");
    check_zip(&[zip::symlink(".", "decoy")], "unsafe-path", "`.`");
}

#[test]
fn refuses_names_that_no_path_can_have() {
    check_tar(&[tar::pax(&[("path", "a\0b")]), tar::file("a", b"")], "unsafe-path", "`a\\u{0}b`");
    check_zip(&[zip::stored("a\0b", b"")], "unsafe-path", "`a\\u{0}b`");
    check_tar(&[tar::entry(b'0', b"caf\xe9", b"")], "name-not-utf8", "caf\u{fffd}");
    let says_utf8 =
        zip::Member { edit_listed: |listed| zip::put(listed, 8, &[0, 8]), name: b"caf\xe9".to_vec(), ..zip::stored("", b"") };
    check_zip(&[says_utf8], "name-not-utf8", "caf\u{fffd}");
    check_tar(&[tar::long(b'L', &"a/".repeat(3000)), tar::file("a", b"")], "name-too-long", "6000 bytes");
    check_tar(&[tar::header(b'0', b"", 0, |_| {})], "unsafe-path", "it is empty");
}

#[test]
fn writes_nothing_below_a_link_or_a_file() {
    check_tar(&[tar::symlink("d", "/decoy"), tar::file("d/a", b"out")], "below-a-file", "d/a");
    check_tar(&[tar::symlink("d", "e"), tar::symlink("e", "/decoy"), tar::file("d/e/a", b"out")], "below-a-file", "d/e/a");
    check_tar(&[tar::file("d", b"1"), tar::file("d/a", b"2")], "below-a-file", "d/a");
    check_tar(&[tar::file("d/a", b"1"), tar::file("d", b"2")], "written-twice", "`d`");
    check_zip(&[zip::symlink("d", "/decoy"), zip::stored("d/a", b"out")], "below-a-file", "d/a");
    check_zip(&[zip::stored("d", b"1"), zip::stored("d/a", b"out")], "below-a-file", "d/a");
}

#[test]
fn links_hard_to_nothing_but_an_earlier_file_of_the_archive() {
    for target in ["../decoy", "/decoy", "a/../../decoy"] {
        check_tar(&[tar::hardlink("a", target)], "unsafe-path", target);
        check_tar(&[tar::pax(&[("linkpath", target)]), tar::hardlink("a", "b")], "unsafe-path", target);
    }
    check_tar(&[tar::hardlink("a", "b"), tar::file("b", b"1")], "hard-link-missing", "`b`");
    check_tar(&[tar::symlink("b", "/decoy"), tar::hardlink("b/a", "b")], "below-a-file", "b/a");
    check_tar(&[tar::symlink("b", "/decoy"), tar::hardlink("a", "b/c")], "hard-link-missing", "`b/c`");
    check_tar(&[tar::directory("b"), tar::hardlink("a", "b")], "hard-link-missing", "`b`");
    let replaced =
        [tar::file("a", b"1"), tar::directory("b"), tar::file("b/c", b""), tar::directory("a"), tar::hardlink("d", "a")];
    check_tar(&replaced, "hard-link-missing", "`a`");
}

#[test]
fn replaces_nothing_below_which_something_lies() {
    let full = [tar::directory("a"), tar::file("a/b", b"1")];
    for again in [tar::file("a", b"2"), tar::symlink("a", "/decoy"), tar::hardlink("a", "a/b")] {
        check_tar(&[full.concat(), again], "written-twice", "`a`");
    }
    // The link is gone when the file comes, and nothing is written where it led.
    let parts = [tar::symlink("a", "/decoy"), tar::directory("a"), tar::file("a/b", b"1"), tar::symlink("a/b", "/decoy")];
    assert_eq!(unpack(tar::whole(&parts)).expect_tree().to_text(), "directory 755 a\nsymlink a/b -> /decoy\n");
}

#[test]
fn refuses_links_that_no_link_can_be() {
    check_tar(&[tar::symlink("a", "")], "bad-link", "`a`");
    check_tar(&[tar::pax(&[("linkpath", "b\0c")]), tar::symlink("a", "b")], "bad-link", "`a`");
    check_tar(&[tar::long(b'K', &"a/".repeat(3000)), tar::symlink("a", "b")], "bad-link", "`a`");
    check_tar(&[tar::link(b'2', "a", b"\xff")], "name-not-utf8", "`a`");
    check_zip(&[zip::symlink("a", "")], "bad-link", "`a`");
    check_zip(&[zip::symlink("a", &"b".repeat(5000))], "bad-link", "`a`");
}

#[test]
fn refuses_devices_and_fifos_by_name() {
    for (kind, what) in [(b'3', "character device"), (b'4', "block device"), (b'6', "FIFO")] {
        check_tar(&[tar::entry(kind, b"dev/decoy", b"")], "special-file", &format!("`dev/decoy` is a {what}"));
    }
    for (mode, what) in [(0o010_644, "FIFO"), (0o020_644, "character device"), (0o060_644, "block device"), (0o140_644, "socket")]
    {
        check_zip(&[zip::Member { mode, ..zip::stored("decoy", b"") }], "special-file", &format!("`decoy` is a {what}"));
    }
    check_tar(&[tar::entry(b'M', b"a", b"")], "unsupported-entry", "`a`");
    check_tar(&[tar::entry(b'~', b"a", b"")], "unsupported-entry", "`a`");
}

#[test]
fn refuses_sizes_that_are_negative_or_no_numbers() {
    let sized = |bytes: &'static [u8]| {
        tar::header(b'0', b"a", 0, |header| {
            header.as_old_mut().size[..bytes.len()].copy_from_slice(bytes);
        })
    };
    check_tar(&[sized(&[0xff; 12])], "damaged", "`a`");
    check_tar(&[sized(b"-0000000001\0")], "damaged", "`a`");
    check_tar(&[sized(b"99999999999\0")], "damaged", "`a`");
    check_tar(&[sized(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])], "damaged", "`a`");
}

#[test]
fn refuses_absurd_sizes_before_it_reads_a_byte() {
    let most = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for kind in [b'0', b'7', b'5', b'2'] {
        let absurd = tar::header(kind, b"a", 0, |header| {
            header.as_old_mut().size = most;
            header.set_link_name_literal("b").unwrap();
        });
        check_tar(&[absurd], "too-many-bytes", "`a`");
    }
    for kind in [b'L', b'K', b'x', b'g', b'V'] {
        check_tar(&[tar::header(kind, b"a", 0, |header| header.as_old_mut().size = most)], "header-too-large", "1048576");
        check_tar(&[tar::header(kind, b"a", 2 << 20, |_| {})], "header-too-large", "1048576");
    }
    check_tar(&[tar::pax(&[("size", "18446744073709551615")]), tar::file("a", b"1")], "too-many-bytes", "`a`");
    check_tar(&[tar::pax(&[("size", "1000000000")]), tar::file("a", b"1")], "truncated", "");
    check_tar(&[tar::pax(&[("size", "-1")]), tar::file("a", b"1")], "damaged", "pax");
}

#[test]
fn does_not_read_headers_for_ever() {
    for kind in [b'L', b'g', b'V'] {
        check_tar(&vec![tar::entry(kind, b"a", b""); 3000], "header-too-large", "1048576");
    }
}

#[test]
fn refuses_sparse_files_of_exabytes_and_those_that_lie() {
    let exabytes = 1 << 60;
    check_tar(&[tar::old_sparse("s", exabytes, &[(exabytes, 0)], b"")], "too-many-bytes", "`s`");
    check_tar(&[tar::old_sparse("s", 10, &[(0, 5), (3, 5)], &[1; 10])], "damaged", "sparse");
    check_tar(&[tar::old_sparse("s", 10, &[(8, 5)], &[1; 5])], "damaged", "sparse");
    check_tar(&[tar::old_sparse("s", 10, &[(0, 5)], &[1; 9])], "damaged", "sparse");
    let map = |map: &str, size: &str| tar::pax(&[("GNU.sparse.size", size), ("GNU.sparse.map", map)]);
    check_tar(&[map("0,1", "1152921504606846976"), tar::file("s", b"1")], "too-many-bytes", "`s`");
    check_tar(&[map("0,18446744073709551615,1,2", "10"), tar::file("s", b"1")], "damaged", "sparse");
    check_tar(&[map("0,1,2", "10"), tar::file("s", b"1")], "damaged", "sparse");
    let version_1 = |content: &[u8]| {
        let records = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "100")];
        [tar::pax(&records), tar::file("s", content)]
    };
    for map in [b"99999999999999999999\n".as_slice(), b"9999999\n1\n1\n", b"1\n", b"no number\n", b"", &[b'1'; 600]] {
        check_tar(&version_1(map), "damaged", "sparse");
    }
    let parts = "1\n".repeat(70_000 * 2);
    check_tar(&version_1(format!("70000\n{parts}").as_bytes()), "too-many-parts", "65536");
    let other = [("GNU.sparse.major", "2"), ("GNU.sparse.realsize", "100")];
    check_tar(&[tar::pax(&other), tar::file("s", b"")], "unsupported-entry", "2.0");
}

#[test]
fn ends_at_the_limits_of_entries_and_bytes() {
    let parts = (0..20).map(|at| tar::file(&format!("{at}"), &[1; 100])).collect::<Vec<_>>();
    let members = (0..20).map(|at| zip::stored(&format!("{at}"), &[1; 100])).collect::<Vec<_>>();
    for bytes in [tar::whole(&parts), zip::whole(&members)] {
        for (entries, size, code) in [(19, 2000, "too-many-entries"), (20, 1999, "too-many-bytes")] {
            let fetched = AddressBuilder::new("a").file(bytes.clone()).limits(entries, size).fetch::<Archive>();
            let problem = fetched.expect_problem();
            assert_eq!((problem.code(), problem.kind()), (code, ProblemKind::Exhausted));
        }
        AddressBuilder::new("a").file(bytes).limits(20, 2000).fetch::<Archive>().expect_tree();
    }
}

#[test]
fn holds_what_is_passed_over_against_the_limit_of_bytes_too() {
    let passed = tar::entry(b'5', b"a", &[1; 100]);
    let other = tar::entry(b'5', b"b", &[1; 100]);
    let whole = tar::whole(&[passed, other]);
    AddressBuilder::new("a").file(whole.clone()).limits(20, 200).fetch::<Archive>().expect_tree();
    let problem = AddressBuilder::new("a").file(whole).limits(20, 199).fetch::<Archive>().result.unwrap_err();
    assert_eq!(problem.code(), "too-many-bytes", "{problem}");
}

/// A gibibyte of zeros in a megabyte: what is said of it is refused before it is unpacked, and what is not said is never reached.
#[test]
fn stops_at_bombs() {
    let zeros = vec![0; 8 << 20];
    let header = tar::header(b'0', b"bomb", 1 << 40, |_| {});
    let flat = [make::gzip(&header), make::gzip(&zeros).repeat(16)].concat();
    check_refused(flat, "too-many-bytes", "`bomb`");
    let behind = [make::gzip(&tar::whole(&[tar::file("a", b"1")])), make::gzip(&zeros).repeat(64)].concat();
    assert_eq!(unpack(behind).expect_tree().to_text(), "file 644 a (1 bytes)\n");
    let inner = make::gzip(&make::gzip(&tar::whole(&[tar::file("a", b"1")])));
    check_refused(inner, "no-tar-inside", "compressed once more");
    let longer = zip::Member {
        edit_own: |own| zip::put(own, 22, &[10, 0, 0, 0]),
        edit_listed: |listed| zip::put(listed, 24, &[10, 0, 0, 0]),
        ..zip::deflated("bomb", &zeros)
    };
    check_zip(&[longer], "damaged", "longer than its header says");
}

#[test]
fn refuses_zip_files_whose_headers_disagree_with_their_directory() {
    let edits: &[fn(&mut Vec<u8>)] = &[
        |own| zip::put(own, 0, b"XX"),
        |own| zip::put(own, 8, &[8, 0]),
        |own| zip::put(own, 14, &[1, 2, 3, 4]),
        |own| zip::put(own, 18, &[1, 0, 0, 0]),
        |own| zip::put(own, 22, &[1, 0, 0, 0]),
        |own| zip::put(own, 30, b"b"),
    ];
    for edit in edits {
        let edited = zip::Member { edit_own: *edit, ..zip::stored("a", b"content") };
        check_zip(&[zip::stored("first", b"1"), edited], "damaged", "`a` disagrees");
    }
    let streamed = zip::Member { sizes_follow: true, ..zip::stored("a", b"content") };
    let mut bytes = zip::whole(&[streamed]);
    let mark = bytes.windows(4).position(|bytes| bytes == b"PK\x07\x08").unwrap();
    bytes[mark + 4] ^= 1;
    check_refused(bytes, "damaged", "behind the entry `a`");
}

#[test]
fn refuses_zip_files_whose_entries_overlap() {
    let at_first = |listed: &mut Vec<u8>| zip::put(listed, 42, &[0; 4]);
    let twice = zip::Member { edit_listed: at_first, ..zip::stored("b", b"content") };
    check_zip(&[zip::stored("b", b"content"), twice], "damaged", "begin at the same byte");
    // The first one says that it goes on over the second.
    let over = zip::Member {
        edit_own: |own| zip::put(own, 18, &[40, 0, 0, 0, 40, 0, 0, 0]),
        edit_listed: |listed| zip::put(listed, 20, &[40, 0, 0, 0, 40, 0, 0, 0]),
        ..zip::stored("a", b"content")
    };
    check_zip(&[over, zip::stored("b", b"1"), zip::stored("c", b"2")], "overlapping-entries", "`a`");
    let long = zip::Member {
        edit_own: |own| zip::put(own, 18, &[0xff, 0xff, 0xff, 0x7f]),
        edit_listed: |listed| zip::put(listed, 20, &[0xff, 0xff, 0xff, 0x7f]),
        ..zip::deflated("a", b"content")
    };
    check_zip(&[long], "overlapping-entries", "`a`");
}

#[test]
fn refuses_zip_files_that_it_cannot_read_and_says_why() {
    let flagged = |flags: u8| {
        let mut member = zip::stored("secret", b"1");
        member.edit_listed = if flags == 1 { |listed| zip::put(listed, 8, &[1]) } else { |listed| zip::put(listed, 8, &[65]) };
        member
    };
    check_zip(&[flagged(1)], "encrypted", "`secret`");
    check_zip(&[flagged(65)], "encrypted", "`secret`");
    check_zip(&[zip::compressed("secret", 99, b"1", b"1".to_vec())], "encrypted", "`secret`");
    check_zip(&[zip::compressed("a", 6, b"1", b"1".to_vec())], "unsupported-method", "implode");
    check_zip(&[zip::compressed("a", 77, b"1", b"1".to_vec())], "unsupported-method", "77");
    check_zip(&[zip::stored("a", b"1"), zip::stored("a", b"2")], "duplicate-entry", "`a`");
    let members = || [zip::stored("a", b"1")];
    check_refused(zip::whole_with(&members(), |end| zip::put(end, 4, &[1])), "split-archive", "parts");
    let zip64 = |at: usize, byte: u8| {
        zip::whole_with(&members(), |end| {
            zip::enlarge(end);
            end[at] = byte;
        })
    };
    for at in [32, 39, 40, 47, 48, 55, 64, 71] {
        check_refused(zip64(at, 0xff), "damaged", "");
    }
    for at in [16, 20, 72] {
        check_refused(zip64(at, 2), "split-archive", "parts");
    }
    check_refused(zip64(86, 2), "damaged", "zip64 record disagrees");
    check_refused(zip::whole_with(&members(), |end| zip::put(end, 10, &[2])), "damaged", "directory");
    check_refused(zip::whole_with(&members(), |end| zip::put(end, 10, &[0])), "damaged", "directory");
    check_refused(zip::whole_with(&members(), |end| zip::put(end, 12, &[0xff; 3])), "damaged", "directory");
    check_refused(zip::whole_with(&members(), |end| zip::put(end, 16, &[0xff; 4])), "damaged", "directory");
}

#[test]
fn refuses_content_with_a_wrong_sum() {
    let whole = tar::whole(&[tar::file("a", &make::noise(5000))]);
    let mut corrupted = whole.clone();
    corrupted[3000] ^= 1;
    // The same stream with the sum of another: the last bytes of gzip are sum and size.
    let (mut right, wrong) = (make::gzip(&whole), make::gzip(&corrupted));
    let end = right.len();
    right[end - 8..].copy_from_slice(&wrong[wrong.len() - 8..]);
    check_refused(right, "damaged", "damaged");
    let mut member = zip::stored("a", b"content");
    member.compressed[3] ^= 1;
    check_zip(&[member], "damaged", "wrong sum");
    let mut header = tar::file("a", b"1");
    header[3] = b'x';
    check_tar(&[tar::file("b", b"1"), header], "damaged", "wrong sum");
}

#[test]
fn refuses_windows_that_are_too_large_before_it_makes_them() {
    // A frame of zstd with a window of 2 GiB, and a block of no bytes.
    let zstd = [b"\x28\xb5\x2f\xfd\x00".as_slice(), &[21 << 3], &[1, 0, 0]].concat();
    check_refused(zstd, "window-too-large", "128 MiB");
    let mut xz = make::xz(&tar::END);
    // The properties of LZMA2 in the block's header, whose sum follows.
    let at = xz.windows(2).position(|bytes| bytes == [0x21, 1]).unwrap() + 2;
    xz[at] = 40;
    let header = 12..12 + (usize::from(xz[12]) + 1) * 4 - 4;
    let mut sum = flate2::Crc::new();
    sum.update(&xz[header.clone()]);
    xz[header.end..header.end + 4].copy_from_slice(&sum.sum().to_le_bytes());
    check_refused(xz, "window-too-large", "128 MiB");
    let mut lzma = zip::lzma(b"content");
    lzma[5..9].copy_from_slice(&[0xff; 4]);
    let small = zip::compressed("a", 14, b"content", lzma.clone());
    assert_eq!(unpack(zip::whole(&[small])).expect_tree().to_text(), "file 644 a (7 bytes)\n");
    let large = zip::Member {
        edit_own: |own| zip::put(own, 22, &[0, 0, 0, 0x20]),
        edit_listed: |listed| zip::put(listed, 24, &[0, 0, 0, 0x20]),
        ..zip::compressed("a", 14, b"content", lzma)
    };
    check_zip(&[large], "window-too-large", "128 MiB");
}

#[test]
fn says_what_is_no_archive() {
    for (bytes, looks) in [
        (b"<!doctype html><title>404</title>".as_slice(), "page of the web"),
        (b"7z\xbc\xaf\x27\x1cetc", "7z"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"just text", "no archive"),
        (&[0; 100], "no archive"),
        (&[b'a'; 5000], "no archive"),
    ] {
        check_refused(bytes.to_vec(), "not-an-archive", looks);
    }
    check_refused(Vec::new(), "not-an-archive", "empty");
    for (_, compress) in &CODECS[1..] {
        check_refused(compress(b"a file of text, alone"), "no-tar-inside", "no tar file");
        check_refused(compress(b""), "no-tar-inside", "no tar file");
        check_refused(compress(&zip::whole(&[zip::stored("a", b"1")])), "no-tar-inside", "a zip file");
    }
}

#[test]
fn says_what_is_not_there() {
    let check = |address: AddressBuilder, code: &str| assert_eq!(address.fetch::<Archive>().result.unwrap_err().code(), code);
    check(AddressBuilder::new("app.tar.gz"), "source-not-found");
    check(AddressBuilder::new("ftp://example.com/app.tar.gz"), "source-not-found");
    check(AddressBuilder::new("https://example.com/app.tar.gz"), "no-answer");
    check(AddressBuilder::new("a").setting("strip-components", "some"), "invalid-setting");
    check(AddressBuilder::new("a").file(tar::whole(&[tar::file("a", b"")])).setting("strip-components", "1"), "nothing-left");
}
