//! Sources of all shapes, made in a temporary directory.

use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, net::UnixListener},
    path::Path,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, Permissions, PermissionsExt},
};
use rustix::fs::Mode;
use tempfile::TempDir;

use super::{Entry, Error, Kind, Summary, Tree};

mod asked;
mod ignoring;

/// A directory of the test's own, and the handle by which it is filled.
fn made(fill: impl FnOnce(&Dir)) -> (TempDir, Dir) {
    let temporary = TempDir::new().unwrap();
    let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority()).unwrap();
    fill(&dir);
    (temporary, dir)
}

fn tree(dir: &Dir) -> Tree {
    Tree::directory(dir.try_clone().unwrap(), Path::new("./app")).unwrap()
}

/// One line an entry: kind, mode, path, and where it leads.
fn line(entry: &Entry<'_>) -> String {
    let path = entry.path.escape_ascii();
    match &entry.kind {
        Kind::File(_) => format!("file {:o} {path} {}", entry.mode, entry.size),
        Kind::Directory => format!("directory {:o} {path}", entry.mode),
        Kind::Symlink { target } => format!("link {path} -> {}", target.escape_ascii()),
        Kind::Hardlink { to } => format!("file {:o} {path} = {}", entry.mode, to.escape_ascii()),
    }
}

fn lines(tree: &Tree, below: &str) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    tree.walk(below, &mut |entry| -> Result<(), Error> {
        if !entry.path.is_empty() {
            lines.push(line(&entry));
        }
        Ok(())
    })?;
    Ok(lines)
}

fn set_mode(dir: &Dir, path: &str, mode: u32) {
    dir.set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn walks_parents_before_children_in_the_order_of_bytes() {
    let (_kept, dir) = made(|dir| {
        dir.create_dir_all("b/empty").unwrap();
        dir.write("b/z", "12345").unwrap();
        dir.write("b.txt", "").unwrap();
        dir.write("A", "1").unwrap();
        dir.write(".dot", "1").unwrap();
        for (path, mode) in [("b", 0o2775), ("b/empty", 0o700), ("b/z", 0o4755), ("b.txt", 0o600), ("A", 0o444), (".dot", 0o644)]
        {
            set_mode(dir, path, mode);
        }
    });
    let expected =
        ["file 644 .dot 1", "file 444 A 1", "directory 2775 b", "directory 700 b/empty", "file 4755 b/z 5", "file 600 b.txt 0"];
    assert_eq!(lines(&tree(&dir), "").unwrap(), expected);
    assert_eq!(tree(&dir).check().unwrap(), Summary { entries: 6, bytes: 7 });
}

#[test]
fn keeps_links_as_they_are_written_and_follows_none() {
    let (_kept, dir) = made(|dir| {
        dir.create_dir("real").unwrap();
        dir.write("real/file", "1").unwrap();
        for (target, path) in [("/nowhere/at/all", "absolute"), ("gone", "dangling"), ("real", "to-directory"), ("..", "up")] {
            dir.symlink_contents(target, path).unwrap();
        }
        dir.hard_link("real/file", dir, "second").unwrap();
        dir.hard_link("real/file", dir, "third").unwrap();
        for path in ["real", "real/file"] {
            set_mode(dir, path, 0o755);
        }
    });
    let expected = [
        "link absolute -> /nowhere/at/all",
        "link dangling -> gone",
        "directory 755 real",
        "file 755 real/file 1",
        "file 755 second = real/file",
        "file 755 third = real/file",
        "link to-directory -> real",
        "link up -> ..",
    ];
    assert_eq!(lines(&tree(&dir), "").unwrap(), expected);
    assert_eq!(tree(&dir).check().unwrap().bytes, 1);
}

#[test]
fn takes_names_of_any_bytes() {
    let names: [&[u8]; 5] = [b"new\nline", b"\xff\xfe", "naïve ☃".as_bytes(), b"-rf *", &[b'x'; 255]];
    let (_kept, dir) = made(|dir| names.iter().for_each(|name| dir.write(OsStr::from_bytes(name), "").unwrap()));
    let mut expected = names.map(<[u8]>::to_vec).to_vec();
    expected.sort();
    let mut seen = Vec::new();
    tree(&dir)
        .walk("", &mut |entry| -> Result<(), Error> {
            seen.push(entry.path.to_vec());
            Ok(())
        })
        .unwrap();
    assert_eq!(seen[1..], expected);
}

#[test]
fn names_special_files_before_anything_is_made() {
    let check_special = |make: &dyn Fn(&TempDir, &Dir), kind: &'static str| {
        let (kept, dir) = made(|dir| dir.create_dir("in").unwrap());
        make(&kept, &dir);
        let error = tree(&dir).check().unwrap_err();
        assert_eq!(error, Error::SpecialFile { path: "./app/in/special".to_owned(), kind });
        assert!(error.hint().unwrap().contains(".s2iignore"));
        dir.write(".s2iignore", "special\n").unwrap();
        assert_eq!(tree(&dir).check().unwrap().entries, 2, "what is left out does not matter");
    };
    check_special(&|_, dir| rustix::fs::mkfifoat(dir, "in/special", Mode::RUSR).unwrap(), "FIFO");
    check_special(&|kept, _| drop(UnixListener::bind(kept.path().join("in/special")).unwrap()), "socket");
}

#[test]
fn says_in_advance_what_this_user_may_not_read() {
    let (_kept, dir) = made(|dir| {
        dir.write("closed\u{1b}", "secret").unwrap();
        set_mode(dir, "closed\u{1b}", 0);
    });
    let checked = tree(&dir).check();
    if rustix::process::geteuid().is_root() {
        assert_eq!(checked.unwrap().bytes, 6, "root may read everything");
    } else {
        let path = "./app/closed\\u{1b}".to_owned();
        assert_eq!(checked.unwrap_err(), Error::Unreadable { path, why: "permission denied".to_owned() });
    }
}

#[test]
fn notices_what_happens_to_a_file_while_it_is_read() {
    type Harm = fn(&Dir);
    let harms: [(&str, Harm); 5] = [
        ("it vanished", |dir| dir.remove_file("file").unwrap()),
        ("it grew from 5 to 6 bytes", |dir| dir.write("file", "123456").unwrap()),
        ("it shrank from 5 to 1 bytes", |dir| dir.write("file", "1").unwrap()),
        ("it became something else", |dir| {
            dir.remove_file("file").unwrap();
            dir.symlink("other", "file").unwrap();
        }),
        ("another took its place", |dir| {
            dir.remove_file("file").unwrap();
            rustix::fs::mkfifoat(dir, "file", Mode::RUSR).unwrap();
        }),
    ];
    for (why, harm) in harms {
        let (_kept, dir) = made(|dir| dir.write("file", "12345").unwrap());
        let error = read_after(&dir, || harm(&dir)).unwrap_err();
        assert_eq!(error, Error::Changed { path: "./app/file".to_owned(), why: why.to_owned() });
    }
}

#[test]
fn notices_a_file_that_shrinks_under_its_reader() {
    let (_kept, dir) = made(|dir| dir.write("file", "12345").unwrap());
    let ended = tree(&dir).walk("file", &mut |entry| {
        let Kind::File(file) = entry.kind else { panic!("it is a file") };
        let mut open = file.open()?;
        let mut two = [0; 2];
        assert_eq!(open.read(&mut two)?, 2);
        dir.write("file", "").unwrap();
        open.read_whole().map(drop)
    });
    assert_eq!(ended, Err(Error::Changed { path: "./app/file".to_owned(), why: "it shrank".to_owned() }));
}

fn read_after(dir: &Dir, harm: impl Fn()) -> Result<(), Error> {
    tree(dir).walk("", &mut |entry| match entry.kind {
        Kind::File(file) => {
            harm();
            file.open()?.read_whole().map(drop)
        }
        _ => Ok(()),
    })
}

#[test]
fn walks_a_part_as_if_it_were_the_whole() {
    let (_kept, dir) = made(|dir| {
        dir.create_dir_all("a/b").unwrap();
        dir.write("a/b/c", "1").unwrap();
        dir.hard_link("a/b/c", dir, "a/b/d").unwrap();
        dir.symlink("a", "link").unwrap();
        set_mode(dir, "a/b/c", 0o640);
    });
    let tree = tree(&dir);
    assert_eq!(lines(&tree, "a/b").unwrap(), ["file 640 c 1", "file 640 d = c"]);
    assert_eq!(lines(&tree, "a/b/c").unwrap(), [""; 0], "the part itself bears an empty path");
    for missing in ["a/x", "link/b", "../app", "a/./b", "a/b/c/d"] {
        assert!(matches!(lines(&tree, missing), Err(Error::NotFound { .. })), "{missing}");
    }
}

#[test]
fn takes_a_single_file_as_a_tree_with_one_entry() {
    let (_kept, dir) = made(|dir| {
        dir.write("app.war", "1234").unwrap();
        dir.write(".s2iignore", "*\n").unwrap();
        set_mode(dir, "app.war", 0o640);
        dir.symlink("app.war", "link").unwrap();
    });
    let single = |name: &str| Tree::single_file(dir.try_clone().unwrap(), OsStr::new(name), &Path::new("in").join(name));
    let tree = single("app.war").unwrap();
    assert_eq!(lines(&tree, "").unwrap(), ["file 640 app.war 4"]);
    assert_eq!(tree.check().unwrap(), Summary { entries: 1, bytes: 4 });
    assert_eq!(tree.entries("").unwrap().len(), 1);
    assert_eq!(tree.read("app.war", 4).unwrap(), b"1234");
    assert_eq!(single("gone").unwrap_err(), Error::NotFound { path: "in/gone".to_owned() });
    assert!(matches!(single("link").unwrap_err(), Error::Unreadable { .. }));
}

#[test]
fn refuses_directories_that_are_nested_too_deep() {
    let (_kept, dir) = made(|dir| {
        let mut inside = dir.try_clone().unwrap();
        for _ in 0..513 {
            inside.create_dir("d").unwrap();
            inside = inside.open_dir("d").unwrap();
        }
    });
    let error = tree(&dir).check().unwrap_err();
    assert_eq!(error, Error::TooDeep { path: "./app/d/d/d/d".to_owned(), most: 512 });
    assert_eq!(error.to_string(), "what lies below `./app/d/d/d/d` is nested more than 512 deep");
    assert_eq!(tree(&dir).find("x", 1).unwrap_err().code, "source-too-deep");

    dir.remove_dir(["d"; 513].join("/")).unwrap();
    assert_eq!(tree(&dir).check().unwrap(), Summary { entries: 512, bytes: 0 });
    dir.create_dir_all("a/b").unwrap();
    dir.write(".s2iignore", "/d").unwrap();
    assert_eq!(tree(&dir).check().unwrap().entries, 3, "what is left out may be as deep as it likes");
}

#[test]
fn walks_a_hundred_thousand_files() {
    let (_kept, dir) = made(|dir| {
        for directory in 0..20 {
            dir.create_dir(format!("{directory}")).unwrap();
            let inside = dir.open_dir(format!("{directory}")).unwrap();
            // One file with many names is quicker to make, and is what the memory of links has to bear.
            inside.write("0", "").unwrap();
            (1..5_000).for_each(|name| inside.hard_link("0", &inside, format!("{name}")).unwrap());
        }
    });
    assert_eq!(tree(&dir).check().unwrap(), Summary { entries: 100_020, bytes: 0 });
}
