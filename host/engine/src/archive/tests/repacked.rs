//! Foreign tars.

use sti_core::plan::Names;
use tar::{EntryType, Header};

use super::*;
use crate::archive::{Choice, Repack, repack};

/// A tar as anybody could write it, entry by entry.
#[derive(Default)]
struct Foreign(Vec<u8>);

impl Foreign {
    fn entry(mut self, kind: EntryType, name: &str, target: &str, text: &str) -> Self {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o640);
        header.set_uid(12);
        header.set_gid(34);
        header.set_mtime(7);
        header.set_size(text.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn directory(self, name: &str) -> Self {
        self.entry(EntryType::Directory, name, "", "")
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.entry(EntryType::Regular, name, "", text)
    }

    fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, name, target, "")
    }

    fn hardlink(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Link, name, target, "")
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 10_240, 0);
        self.0
    }
}

fn repacked(tar: &[u8], owner: Option<Owner>, strip_first: bool) -> Result<Vec<String>, Error> {
    let mut out = Vec::new();
    repack(&mut { tar }, &mut out, &Repack { at: "x".to_owned(), owner, times: Times::Kept, strip_first, only: None }, &|_| {})?;
    Ok(lines(&out))
}

fn picked(tar: &[u8], glob: &str) -> Result<Vec<String>, Error> {
    let mut out = Vec::new();
    let only = Some(Choice { names: Names::of(glob).unwrap(), path: format!("/out/{glob}") });
    let to = Repack { at: "x".to_owned(), owner: None, times: Times::Kept, strip_first: true, only };
    repack(&mut { tar }, &mut out, &to, &|_| {})?;
    Ok(lines(&out))
}

#[test]
fn writes_only_the_entries_that_are_wanted_and_not_their_directory() {
    let foreign = Foreign::default().directory("out/").file("out/a.txt", "1").directory("out/b.d/").file("out/b.d/c.txt", "2");
    let foreign = foreign.symlink("out/l.txt", "a.txt").hardlink("out/h.txt", "out/a.txt").end();
    let texts = ["file 640 12:34 x/a.txt 1", "link 640 12:34 x/l.txt a.txt", "name 640 12:34 x/h.txt x/a.txt"];
    assert_eq!(picked(&foreign, "*.txt").unwrap(), texts);
    assert_eq!(picked(&foreign, "b*").unwrap(), ["directory 640 12:34 x/b.d/", "file 640 12:34 x/b.d/c.txt 2"]);
    let nothing = picked(&foreign, "*.jar").unwrap_err();
    assert!(matches!(&nothing, Error::NothingMatches { path } if path == "/out/*.jar"), "{nothing}");
    let torn = picked(&foreign, "h.txt").unwrap_err();
    assert!(torn.to_string().contains("pick the whole directory"), "{torn}");
    let file = Foreign::default().file("out", "1").end();
    assert!(matches!(picked(&file, "*"), Err(Error::NothingMatches { .. })));
}

#[test]
fn writes_everything_again_below_the_new_place() {
    let foreign =
        Foreign::default().directory("./").file("./a", "1").directory("./d/").symlink("./d/l", "/up/../x").hardlink("b", "a");
    let foreign = foreign.end();
    let expected = [
        "directory 640 12:34 x/",
        "file 640 12:34 x/a 1",
        "directory 640 12:34 x/d/",
        "link 640 12:34 x/d/l /up/../x",
        "name 640 12:34 x/b x/a",
    ];
    assert_eq!(repacked(&foreign, None, false).unwrap(), expected);
    let owned = repacked(&foreign, Some(OWNER), false).unwrap();
    assert!(owned.iter().all(|line| line.contains(" 1000670000:433 ")), "{owned:?}");
}

#[test]
fn takes_the_first_part_of_names_away_where_asked() {
    let foreign = Foreign::default().directory("build/").file("build/a", "1").hardlink("build/b", "build/a").end();
    assert_eq!(
        repacked(&foreign, None, true).unwrap(),
        ["directory 640 12:34 x/", "file 640 12:34 x/a 1", "name 640 12:34 x/b x/a"]
    );
    let single = Foreign::default().file("result.bin", "1").end();
    assert_eq!(repacked(&single, None, true).unwrap(), ["file 640 12:34 x 1"]);
    let of_a_volume = Foreign::default().directory("/").file("/a", "1").hardlink("/b", "/a").end();
    assert_eq!(
        repacked(&of_a_volume, None, true).unwrap(),
        ["directory 640 12:34 x/", "file 640 12:34 x/a 1", "name 640 12:34 x/b x/a"]
    );
}

#[test]
fn writes_out_the_directories_that_an_archive_only_implies() {
    let foreign = Foreign::default().file("a/b/c", "1").end();
    assert_eq!(
        repacked(&foreign, Some(OWNER), false).unwrap(),
        [
            "directory 755 1000670000:433 x/",
            "directory 755 1000670000:433 x/a/",
            "directory 755 1000670000:433 x/a/b/",
            "file 640 1000670000:433 x/a/b/c 1",
        ]
    );
}

#[test]
fn takes_nothing_for_an_empty_directory() {
    for nothing in [Foreign::default().end(), Vec::new()] {
        assert_eq!(repacked(&nothing, Some(OWNER), false).unwrap(), ["directory 755 1000670000:433 x/"]);
    }
}

#[test]
fn reads_long_names_of_both_kinds() {
    let long = "n".repeat(300);
    let gnu = Foreign::default().entry(EntryType::GNULongName, "././@LongLink", "", &format!("{long}\0")).file("n", "1").end();
    let record = format!("path={long}\n");
    let pax = format!("{} {record}", record.len() + 4);
    let pax = Foreign::default().entry(EntryType::XHeader, "pax", "", &pax).file("n", "1").end();
    for tar in [gnu, pax] {
        assert_eq!(repacked(&tar, None, false).unwrap()[1], format!("file 640 12:34 x/{long} 1"));
    }
}

#[test]
fn refuses_hostile_entries_by_name() {
    let start = Foreign::default;
    let refused = [
        (start().file("/a", ""), "/a", "its name is absolute"),
        (start().file("a/../../b", ""), "a/../../b", "its name leads upwards"),
        (start().symlink("l", "/decoy").file("l/a", ""), "l/a", "it lies below a symbolic link of the same archive"),
        (start().symlink("l", "d").directory("./l//d/"), "./l//d/", "it lies below a symbolic link of the same archive"),
        (
            start().symlink("l", "/decoy").directory("l/").file("l/a", ""),
            "l/",
            "it is a directory in the place of a symbolic link of the same archive",
        ),
        (start().file("a", "").hardlink("l", "/decoy"), "l", "its name is absolute"),
        (start().hardlink("l", "../decoy"), "l", "its name leads upwards"),
        (start().hardlink("l", "decoy"), "l", "it is a hard link to what is no earlier file of the archive"),
        (
            start().symlink("s", "/decoy").hardlink("h", "s").file("h/a", ""),
            "h/a",
            "it lies below a symbolic link of the same archive",
        ),
        (start().file("a", "").file("a/b", ""), "a/b", "it lies below a file of the same archive"),
        (start().entry(EntryType::Fifo, "a", "", ""), "a", "it is a FIFO"),
        (start().entry(EntryType::Char, "a", "", ""), "a", "it is a device"),
        (start().entry(EntryType::Block, "a", "", ""), "a", "it is a device"),
        (start().symlink("./", "/decoy"), "./", "the top of the archive must be a directory"),
        (start().file("", ""), "", "it has no proper name"),
        (start().file("a\u{1b}[2J/../..", ""), "a\\u{1b}[2J/../..", "its name leads upwards"),
    ];
    for (foreign, name, reason) in refused {
        match repacked(&foreign.end(), None, false) {
            Err(Error::Hostile { entry, why }) => assert_eq!((entry.as_str(), why.as_str()), (name, reason)),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn refuses_what_is_no_whole_tar() {
    let whole = Foreign::default().file("a", "12345").end();
    let mut wrong_sum = whole.clone();
    wrong_sum[0] = b'b';
    let too_long = Foreign::default().entry(EntryType::GNULongName, "l", "", &"n".repeat(2_000_000)).end();
    let cases: [(&[u8], &str); 6] = [
        (b"hello, this is text", "it is shorter than one block"),
        (&[b'x'; 4096], "the checksum of a header is wrong"),
        (&wrong_sum, "the checksum of a header is wrong"),
        (&whole[..514], "it breaks off before its end"),
        (&whole[..1024], "it breaks off before its end"),
        (&too_long, "a name is longer than a megabyte"),
    ];
    for (tar, reason) in cases {
        match repacked(tar, None, false) {
            Err(Error::NotATar { why }) => assert_eq!(why, reason),
            other => panic!("{reason}: {other:?}"),
        }
    }
}
