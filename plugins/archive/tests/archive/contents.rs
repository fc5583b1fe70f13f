//! What archives of all formats become.

use sti_archive::Archive;
use sti_plugin::{
    Fetcher,
    testing::{AddressBuilder, Fetched},
};

use crate::make::{self, CODECS, noise, tar, zip};

fn unpack(bytes: Vec<u8>) -> Fetched {
    AddressBuilder::new("an archive").file(bytes).fetch::<Archive>()
}

fn check_tree(bytes: Vec<u8>, tree: &str) {
    assert_eq!(unpack(bytes).expect_tree().to_text(), tree);
}

fn check_file(bytes: Vec<u8>, path: &str, content: &[u8]) {
    let fetched = unpack(bytes);
    assert_eq!(fetched.expect_tree().open().read(path, u32::MAX).as_deref(), Ok(content));
}

/// A project with one entry of each kind.
fn project() -> Vec<Vec<u8>> {
    vec![
        tar::directory("app/"),
        tar::file("app/README", b"read me"),
        tar::file_with_mode("app/bin/run", 0o755, b"#!/bin/sh"),
        tar::header(b'5', b"app/empty", 0, |header| header.set_mode(0o700)),
        tar::symlink("app/link", "/anywhere/at/all"),
        tar::hardlink("app/bin/run-too", "app/bin/run"),
        tar::file("app/nothing", b""),
        tar::file("app/large", &noise(200_000)),
    ]
}

const PROJECT: &str = "\
file 644 README (7 bytes)
directory 755 bin
file 755 bin/run (9 bytes)
file 755 bin/run-too = bin/run
directory 700 empty
file 644 large (200000 bytes)
symlink link -> /anywhere/at/all
file 644 nothing (0 bytes)
";

#[test]
fn unpacks_a_tar_file_however_it_is_compressed() {
    for (format, compress) in CODECS {
        let fetched = unpack(compress(&tar::whole(&project())));
        assert_eq!(fetched.expect_tree().to_text(), PROJECT, "{format}");
        assert_eq!(fetched.expect_tree().open().read("large", u32::MAX).unwrap(), noise(200_000), "{format}");
        assert_eq!(fetched.facts["format"], *format);
        assert!(fetched.log.is_empty(), "{format}: {:?}", fetched.log);
    }
}

#[test]
fn unpacks_compressed_files_of_several_parts() {
    let whole = tar::whole(&project());
    let (head, tail) = whole.split_at(1000);
    for (format, compress) in CODECS {
        let fetched = unpack([compress(head), compress(tail)].concat());
        assert_eq!(fetched.expect_tree().to_text(), PROJECT, "{format}");
    }
    check_tree([make::xz(head), vec![0; 200_000], make::xz(tail)].concat(), PROJECT);
}

#[test]
fn passes_over_skippable_frames_of_zstd() {
    let skippable = |length: u32| [b"\x5a\x2a\x4d\x18".as_slice(), &length.to_le_bytes(), &vec![7; length as usize]].concat();
    let whole = tar::whole(&project());
    let (head, tail) = whole.split_at(1000);
    check_tree([skippable(9), make::zstd(head), skippable(0), make::zstd(tail), skippable(70_000)].concat(), PROJECT);
}

#[test]
fn ignores_what_follows_compressed_data_as_other_programs_do() {
    for (format, compress) in CODECS.iter().filter(|(format, _)| !matches!(*format, "tar+zstd" | "tar")) {
        let fetched = unpack([compress(&tar::whole(&project())), vec![0; 700], b"signature".to_vec()].concat());
        assert_eq!(fetched.expect_tree().to_text(), PROJECT, "{format}");
    }
}

#[test]
fn takes_long_names_of_gnu_and_pax_with_anything_in_them() {
    let long = "directory/".repeat(30) + "name";
    let name = "caf\u{e9} = \n tea";
    let whole = [
        [tar::long(b'L', &long), tar::file("short", b"1")].concat(),
        [tar::long(b'K', &long), tar::long(b'L', "a"), tar::symlink("short", "short")].concat(),
        [tar::pax(&[("comment", "\n9 path=no\n"), ("path", name)]), tar::file("short", b"22")].concat(),
        [tar::pax(&[("linkpath", name)]), tar::symlink("b", "short")].concat(),
        [tar::global(&[("comment", "0123456789")]), tar::file("c", b"333")].concat(),
    ];
    let fetched = unpack(tar::whole(&whole));
    let tree = fetched.expect_tree().open();
    assert_eq!(tree.read(&long, 9).unwrap(), b"1");
    assert_eq!(tree.link_target("a").unwrap(), long);
    assert_eq!(tree.read(name, 9).unwrap(), b"22");
    assert_eq!(tree.link_target("b").unwrap(), name);
    assert_eq!(tree.read("c", 9).unwrap(), b"333");
}

#[test]
fn lets_pax_records_say_what_the_header_cannot() {
    let large =
        [tar::pax(&[("size", "600"), ("path", "a")]), tar::header(b'0', b"b", 0, |_| {}), tar::blocks(&[7; 600])].concat();
    check_tree(tar::whole(&[large, tar::file("c", b"1")]), "file 644 a (600 bytes)\nfile 644 c (1 bytes)\n");
    let renamed =
        [tar::global(&[("path", "x/of-all")]), tar::pax(&[("path", "x/own")]), tar::file("a", b"1"), tar::file("b", b"22")];
    check_tree(tar::whole(&renamed), "file 644 of-all (2 bytes)\nfile 644 own (1 bytes)\n");
}

#[test]
fn takes_names_of_ustar_in_two_parts_and_headers_of_the_seventies() {
    let mut ustar = ::tar::Header::new_ustar();
    ustar.set_path("long/".repeat(25) + "name").unwrap();
    ustar.set_size(0);
    ustar.set_mode(0o600);
    ustar.set_cksum();
    let mut old = ::tar::Header::new_old();
    old.set_path("dir/").unwrap();
    old.set_size(0);
    old.set_mode(0o750);
    old.set_entry_type(::tar::EntryType::new(0));
    old.set_cksum();
    let fetched = unpack(tar::whole(&[ustar.as_bytes().to_vec(), old.as_bytes().to_vec()]));
    assert_eq!(fetched.expect_tree().mode(&("long/".repeat(25) + "name")), Some(0o600));
    assert_eq!(fetched.expect_tree().mode("dir"), Some(0o750));
}

#[test]
fn fills_the_holes_of_sparse_files_in_all_their_forms() {
    let mut filled = vec![0; 3000];
    filled[600..605].copy_from_slice(b"hello");
    filled[2000..2512].copy_from_slice(&[7; 512]);
    let content = [b"hello".as_slice(), &[7; 512]].concat();
    let parts = [(600, 5), (2000, 512), (3000, 0)];
    check_file(tar::whole(&[tar::old_sparse("s", 3000, &parts, &content)]), "s", &filled);

    let version_00 = [
        ("GNU.sparse.size", "3000"),
        ("GNU.sparse.numblocks", "2"),
        ("GNU.sparse.offset", "600"),
        ("GNU.sparse.numbytes", "5"),
        ("GNU.sparse.offset", "2000"),
        ("GNU.sparse.numbytes", "512"),
    ];
    check_file(tar::whole(&[tar::pax(&version_00), tar::file("s", &content)]), "s", &filled);

    let version_01 = [("GNU.sparse.size", "3000"), ("GNU.sparse.map", "600,5,2000,512"), ("GNU.sparse.name", "s")];
    check_file(tar::whole(&[tar::pax(&version_01), tar::file("GNUSparseFile.1/s", &content)]), "s", &filled);

    let version_10 =
        [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"), ("GNU.sparse.realsize", "3000")];
    let mapped = [tar::blocks(b"2\n600\n5\n2000\n512\n"), content].concat();
    check_file(tar::whole(&[tar::pax(&version_10), tar::file("GNUSparseFile.1/s", &mapped)]), "s", &filled);
}

#[test]
fn reads_old_sparse_files_of_many_parts() {
    let parts = (0..60).map(|at| (at * 100, 3)).collect::<Vec<_>>();
    let mut filled = vec![0; 6000];
    for (offset, length) in &parts {
        filled[usize::try_from(*offset).unwrap()..][..usize::try_from(*length).unwrap()].fill(9);
    }
    check_file(tar::whole(&[tar::old_sparse("s", 6000, &parts, &[9; 180]), tar::file("t", b"")]), "s", &filled);
}

#[test]
fn lets_the_last_of_several_entries_count_as_gnu_tar_does() {
    let parts = [
        tar::file("a", b"first"),
        tar::symlink("d", "/decoy"),
        tar::file("b", b"only"),
        tar::directory("d"),
        tar::file("d/c", b"1"),
        tar::file("./a", b"second one"),
        tar::hardlink("e", "a"),
    ];
    check_tree(
        tar::whole(&parts),
        "file 644 a (10 bytes)\nfile 644 b (4 bytes)\ndirectory 755 d\nfile 644 d/c (1 bytes)\nfile 644 e = a\n",
    );
}

#[test]
fn a_link_keeps_the_file_that_it_was_made_to() {
    let parts = [tar::file("a", b"first"), tar::hardlink("b", "a"), tar::file("a", b"second"), tar::hardlink("c", "a")];
    check_tree(tar::whole(&parts), "file 644 a (6 bytes)\nfile 644 b (5 bytes)\nfile 644 c = a\n");
    let parts = [tar::symlink("a", "/decoy"), tar::file("a", b"1"), tar::hardlink("b", "a")];
    check_tree(tar::whole(&parts), "file 644 a (1 bytes)\nfile 644 b = a\n");
}

#[test]
fn lets_the_last_count_whatever_it_replaces() {
    let kinds = || [tar::file("top/a", b"1"), tar::symlink("top/a", "/anywhere"), tar::directory("top/a")];
    let told = ["file 644 a (1 bytes)\n", "symlink a -> /anywhere\n", "directory 755 a\n"];
    for first in kinds() {
        for (last, tree) in kinds().into_iter().zip(told) {
            check_tree(tar::whole(&[first.clone(), last.clone(), first.clone(), last]), tree);
        }
    }
    let below = [tar::file("top/a", b"1"), tar::directory("top/a"), tar::file("top/a/b", b"22")];
    check_tree(tar::whole(&below), "directory 755 a\nfile 644 a/b (2 bytes)\n");
}

#[test]
fn leaves_modes_to_the_host_with_all_their_bits() {
    let parts =
        [tar::file_with_mode("a", 0o4755, b""), tar::file_with_mode("b", 0o100_644, b""), tar::file_with_mode("c", 0o2710, b"")];
    let fetched = unpack(tar::whole(&parts));
    assert_eq!(fetched.expect_tree().to_text(), "file 755 a (0 bytes)\nfile 644 b (0 bytes)\nfile 710 c (0 bytes)\n");
    assert!(fetched.log.is_empty());
}

#[test]
fn takes_the_one_directory_for_the_whole_and_nothing_else() {
    check_tree(tar::whole(&[tar::file("app/app/app", b"1")]), "directory 755 app\nfile 644 app/app (1 bytes)\n");
    check_tree(tar::whole(&[tar::directory("./"), tar::directory("./app"), tar::file("./app/a", b"")]), "file 644 a (0 bytes)\n");
    check_tree(tar::whole(&[tar::file("app", b"1")]), "file 644 app (1 bytes)\n");
    check_tree(tar::whole(&[tar::directory("app")]), "directory 755 app\n");
    check_tree(
        tar::whole(&[tar::file("a/b", b""), tar::symlink("c", "a")]),
        "directory 755 a\nfile 644 a/b (0 bytes)\nsymlink c -> a\n",
    );
}

#[test]
fn lets_the_last_count_of_those_that_are_one_when_stripped() {
    let parts = [tar::file("a/x", b"1"), tar::file("b/x", b"22")];
    let stripped = |levels: &str| AddressBuilder::new("a").file(tar::whole(&parts)).setting("strip-components", levels);
    assert_eq!(stripped("1").fetch::<Archive>().expect_tree().to_text(), "file 644 x (2 bytes)\n");
    assert_eq!(stripped("2").fetch::<Archive>().expect_problem().code(), "nothing-left");
}

#[test]
fn strips_names_and_the_targets_of_hard_links_and_not_those_of_symlinks() {
    let parts =
        [tar::file("a/b/c", b"1"), tar::hardlink("a/b/d", "a/b/c"), tar::symlink("a/b/e", "a/b/c"), tar::file("a/f", b"")];
    let fetched = AddressBuilder::new("a").file(tar::whole(&parts)).setting("strip-components", "2").fetch::<Archive>();
    assert_eq!(fetched.expect_tree().to_text(), "file 644 c (1 bytes)\nfile 644 d = c\nsymlink e -> a/b/c\n");
    let fetched = AddressBuilder::new("a").file(tar::whole(&parts)).setting("strip-components", "0").fetch::<Archive>();
    assert_eq!(fetched.expect_tree().mode("a/b/c"), Some(0o644));
}

#[test]
fn passes_over_a_hard_link_from_a_file_to_itself() {
    check_tree(tar::whole(&[tar::file("a", b"1"), tar::hardlink("./a", "a")]), "file 644 a (1 bytes)\n");
}

#[test]
fn takes_a_plain_tar_file_for_one_whatever_its_first_name_is_like() {
    for name in ["BZh91AY", "PK\x03\x04", "<", "MZ"] {
        check_tree(tar::whole(&[tar::file(name, b"1")]), &format!("file 644 {name} (1 bytes)\n"));
    }
}

#[test]
fn takes_fields_that_were_left_out_for_zero() {
    let blank = tar::header(b'5', b"a", 0, |header| {
        header.as_old_mut().size = [b' '; 12];
        header.as_old_mut().mode = [0; 8];
    });
    check_tree(tar::whole(&[blank]), "directory 0 a\n");
}

#[test]
fn gives_symlinks_a_second_name_too() {
    let parts = [tar::symlink("top/a", "/anywhere"), tar::hardlink("top/b", "top/a"), tar::hardlink("top/c", "top/b")];
    check_tree(tar::whole(&parts[..2]), "symlink a -> /anywhere\nsymlink b -> /anywhere\n");
    check_tree(tar::whole(&parts), "symlink a -> /anywhere\nsymlink b -> /anywhere\nsymlink c -> /anywhere\n");
}

#[test]
fn takes_an_empty_archive_for_an_empty_tree() {
    for (format, compress) in CODECS {
        assert_eq!(unpack(compress(&tar::END)).expect_tree().to_text(), "", "{format}");
    }
    check_tree(zip::whole(&[]), "");
}

#[test]
fn reads_only_the_first_of_two_archives_and_says_so() {
    let two = [tar::whole(&[tar::file("a", b"1")]), tar::whole(&[tar::file("b", b"2")])].concat();
    for (format, compress) in CODECS {
        let fetched = unpack(compress(&two));
        assert_eq!(fetched.expect_tree().to_text(), "file 644 a (1 bytes)\n", "{format}");
        assert_eq!(fetched.log.len(), 1, "{format}");
        assert!(fetched.log[0].text.contains("follows the end"), "{format}");
    }
}

#[test]
fn unpacks_a_zip_file_of_all_methods() {
    let text = "deflate64 is deflate, as long as no match is long ".repeat(3);
    let text = text.as_bytes();
    let members = [
        zip::stored("app/", b""),
        zip::Member { mode: 0o100_755, ..zip::stored("app/stored", text) },
        zip::deflated("app/deflate", text),
        zip::compressed("app/deflate64", 9, b"abc", zip::deflate(b"abc")),
        zip::compressed("app/bzip2", 12, text, make::bzip2(text)),
        zip::compressed("app/lzma", 14, text, zip::lzma(text)),
        zip::compressed("app/zstd", 93, text, make::zstd(text)),
        zip::compressed("app/xz", 95, text, make::xz(text)),
        zip::Member { sizes_follow: true, ..zip::deflated("app/streamed", text) },
        zip::symlink("app/link", "../anywhere"),
        zip::deflated("app/large", &noise(200_000)),
    ];
    let fetched = unpack(zip::whole(&members));
    let tree = fetched.expect_tree().open();
    for name in ["stored", "deflate", "bzip2", "lzma", "zstd", "xz", "streamed"] {
        assert_eq!(tree.read(name, 1000).unwrap(), text, "{name}");
    }
    assert_eq!(tree.read("deflate64", 1000).unwrap(), b"abc");
    assert_eq!(tree.read("large", u32::MAX).unwrap(), noise(200_000));
    assert_eq!(tree.link_target("link").unwrap(), "../anywhere");
    assert_eq!([fetched.tree.mode("stored"), fetched.tree.mode("deflate")], [Some(0o755), Some(0o644)]);
    assert_eq!(fetched.facts["format"], "zip");
}

/// What another writer makes of the same, with zip64 and with sizes behind the content.
#[test]
fn unpacks_zip_files_of_another_writer() {
    use ::zip::{ZipWriter, write::SimpleFileOptions};
    use std::io::{Cursor, Write};

    let options = SimpleFileOptions::default().unix_permissions(0o750);
    let large = options.large_file(true);
    let mut seekable = ZipWriter::new(Cursor::new(Vec::new()));
    seekable.add_directory("app/empty", options).unwrap();
    seekable.start_file("app/a", large).unwrap();
    seekable.write_all(&noise(100_000)).unwrap();
    seekable.add_symlink("app/link", "a", options).unwrap();
    seekable.set_comment("PK\x05\x06 is how an end begins").unwrap();
    let seekable = seekable.finish().unwrap().into_inner();
    let mut streamed = ZipWriter::new_stream(Vec::new());
    streamed.start_file("a", options).unwrap();
    streamed.write_all(&noise(100_000)).unwrap();
    let streamed = streamed.finish().unwrap().into_inner();

    check_tree(seekable.clone(), "file 750 a (100000 bytes)\ndirectory 750 empty\nsymlink link -> a\n");
    check_file(seekable, "a", &noise(100_000));
    check_file(streamed, "a", &noise(100_000));
}

#[test]
fn finds_the_directory_of_zip64() {
    let members = [zip::stored("a", b"1"), zip::deflated("b", b"22")];
    let whole = zip::whole_with(&members, zip::enlarge);
    assert_eq!(whole.windows(4).filter(|bytes| bytes == b"PK\x06\x06").count(), 1);
    check_tree(whole, "file 644 a (1 bytes)\nfile 644 b (2 bytes)\n");
}

#[test]
fn finds_a_zip_file_behind_a_program_that_unpacks_it() {
    let tree = "file 644 a (1 bytes)\nfile 644 b (2 bytes)\nfile 644 c (5000 bytes)\n";
    let members = || [zip::stored("a", b"1"), zip::deflated("b", b"22"), zip::deflated("c", &noise(5000))];
    for program in [b"MZ\x90\0".to_vec(), b"\x7fELF".to_vec(), b"#!/bin/sh\nexit\n".to_vec(), noise(100_000)] {
        for edit_end in [|_: &mut Vec<u8>| {}, zip::enlarge as fn(&mut Vec<u8>)] {
            check_tree([program.clone(), zip::whole_with(&members(), edit_end)].concat(), tree);
        }
        // One whose offsets count from the beginning of the program.
        check_tree(zip::whole_behind(&program, &members()), tree);
    }
}

#[test]
fn reads_names_of_zip_files_in_their_letters() {
    let of_pc = |listed: &mut Vec<u8>| zip::put(listed, 5, &[0]);
    let named = |name: &[u8], edit_listed| zip::Member { name: name.to_vec(), edit_listed, ..zip::stored("", b"1") };
    check_tree(zip::whole(&[named(b"\x81ber", of_pc)]), "file 644 über (1 bytes)\n");
    check_tree(zip::whole(&[named("über".as_bytes(), of_pc)]), "file 644 ├╝ber (1 bytes)\n");
    check_tree(zip::whole(&[named("über".as_bytes(), |_| {})]), "file 644 über (1 bytes)\n");
    check_tree(
        zip::whole(&[named("über".as_bytes(), |listed| zip::put(listed, 5, &[0, 20, 0, 0, 8]))]),
        "file 644 über (1 bytes)\n",
    );
}

#[test]
fn downloads_what_an_address_names() {
    let url = "https://example.com/app-1.0.tar.gz";
    let page = make::gzip(&tar::whole(&project()));
    let fetched = AddressBuilder::new(url).page(url, 200, page).fetch::<Archive>();
    assert_eq!(fetched.expect_tree().to_text(), PROJECT);
}

#[test]
fn introduces_itself_with_all_endings() {
    let card = Archive::card();
    assert_eq!(card.name(), "archive");
    let settings = card.settings().iter().map(|setting| setting.name.as_str()).collect::<Vec<_>>();
    assert_eq!(settings, ["strip-components"]);
}
