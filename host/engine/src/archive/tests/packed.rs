//! Content as a tar.

use proptest::prelude::*;

use super::*;

fn file(path: &str, mode: u32, text: &str) -> PlanFile {
    PlanFile { path: path.to_owned(), mode, bytes: text.as_bytes().to_vec() }
}

fn part(of: u32, path: &str) -> Content {
    Content::Part { of: ContentId(of), path: path.to_owned() }
}

fn small_source() -> (TempDir, Contents) {
    let (kept, dir) = made(|dir| {
        dir.create_dir_all("a/empty").unwrap();
        dir.write("a/run", "#!").unwrap();
        dir.hard_link("a/run", dir, "b").unwrap();
        dir.symlink_contents("/nowhere", "absolute").unwrap();
        for (path, mode) in [("a", 0o2770), ("a/empty", 0o755), ("a/run", 0o4755)] {
            dir.set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    });
    (kept, source(dir))
}

#[test]
fn begins_with_the_place_itself_and_gives_everything_to_the_owner() {
    let (_kept, contents) = small_source();
    let expected = [
        "directory 755 1000670000:433 tmp/src/",
        "directory 2770 1000670000:433 tmp/src/a/",
        "directory 755 1000670000:433 tmp/src/a/empty/",
        "file 4755 1000670000:433 tmp/src/a/run #!",
        "link 777 1000670000:433 tmp/src/absolute /nowhere",
        "name 4755 1000670000:433 tmp/src/b tmp/src/a/run",
    ];
    assert_eq!(lines(&packed(vec![Content::Source], &contents, "tmp/src").unwrap()), expected);
    let at_top = lines(&packed(vec![Content::Source], &contents, "").unwrap());
    assert_eq!(at_top.first().unwrap(), "directory 2770 1000670000:433 a/", "the top of a tar has no entry");
}

#[test]
fn packs_parts_of_the_source() {
    let (_kept, contents) = small_source();
    let check = |path: &str, expected: &[&str]| {
        assert_eq!(lines(&packed(vec![Content::Source, part(0, path)], &contents, "x").unwrap()), expected);
    };
    check(
        "a",
        &["directory 2770 1000670000:433 x/", "directory 755 1000670000:433 x/empty/", "file 4755 1000670000:433 x/run #!"],
    );
    check("a/run", &["file 4755 1000670000:433 x #!"]);
    let nested = packed(vec![Content::Source, part(0, "a"), part(1, "run")], &contents, "x").unwrap();
    assert_eq!(lines(&nested), ["file 4755 1000670000:433 x #!"]);
    assert!(matches!(packed(vec![Content::Source, part(0, "gone")], &contents, "x"), Err(Error::Source(_))));
}

#[test]
fn packs_what_a_strategy_wrote_with_the_directories_that_it_needs() {
    let files = || Content::Files { files: vec![file("z", 0o644, "1"), file("a/b/c", 0o755, "2"), file("a-b", 0o600, "3")] };
    let expected = [
        "directory 755 1000670000:433 x/",
        "directory 755 1000670000:433 x/a/",
        "directory 755 1000670000:433 x/a/b/",
        "file 755 1000670000:433 x/a/b/c 2",
        "file 600 1000670000:433 x/a-b 3",
        "file 644 1000670000:433 x/z 1",
    ];
    let nothing = Contents::default();
    assert_eq!(lines(&packed(vec![files()], &nothing, "x").unwrap()), expected);
    assert_eq!(lines(&packed(vec![files(), part(0, "a/b/c")], &nothing, "x").unwrap()), ["file 755 1000670000:433 x 2"]);
    assert_eq!(lines(&packed(vec![files(), part(0, "a/b")], &nothing, "x").unwrap())[1], "file 755 1000670000:433 x/c 2");
    assert!(matches!(packed(vec![files(), part(0, "gone")], &nothing, "x"), Err(Error::NotThere { .. })));
    for path in ["../x", "/x", "a//b", "."] {
        let hostile = packed(vec![Content::Files { files: vec![file(path, 0o644, "")] }], &nothing, "x");
        assert!(matches!(hostile, Err(Error::Hostile { .. })), "{path}");
    }
}

#[test]
fn packs_nothing_as_an_empty_directory_and_leaves_the_rest_to_engines() {
    let nothing = Contents::default();
    assert_eq!(lines(&packed(vec![Content::Empty], &nothing, "x").unwrap()), ["directory 755 1000670000:433 x/"]);
    let capture = Content::Capture { step: StepId(0), path: "/tmp".to_owned() };
    assert!(matches!(packed(vec![capture], &nothing, "x"), Err(Error::InEngine { content: ContentId(0) })));
    assert!(matches!(packed(vec![Content::Source], &nothing, "x"), Err(Error::NotThere { .. })));
}

#[test]
fn writes_equal_tars_for_equal_content_when_times_are_clamped() {
    let clamped = || {
        let (_kept, dir) = made(|dir| dir.write("a", "1").unwrap());
        let mut tar = Vec::new();
        let spot = Spot { at: "x", owner: OWNER, times: Times::All(0) };
        pack(&plan(vec![Content::Source]), ContentId(0), &source(dir), &spot, &mut tar, &|_| {}).unwrap();
        tar
    };
    let first = clamped();
    assert_eq!(first, clamped());
    let mut archive = tar::Archive::new(first.as_slice());
    assert!(archive.entries().unwrap().all(|entry| entry.unwrap().header().mtime().unwrap() == 0));
}

#[test]
fn has_no_end_when_a_file_changes_while_it_is_packed() {
    let (_kept, dir) = made(|dir| dir.write("a", vec![7; 1_000_000]).unwrap());
    let contents = source(dir.try_clone().unwrap());
    let tar = RefCell::new(Vec::new());
    let harm = |_| dir.write("a", "short").unwrap();
    let spot = Spot { at: "x", owner: OWNER, times: Times::Kept };
    let ended = pack(&plan(vec![Content::Source]), ContentId(0), &contents, &spot, &mut *tar.borrow_mut(), &harm);
    assert!(matches!(ended, Err(Error::Source(sti_core::tree::Error::Changed { .. }))), "{ended:?}");
    let tar = tar.into_inner();
    assert!(tar.len() < 1_000_000 && !tar.ends_with(&[0; 1024]));
}

#[test]
fn writes_sizes_beyond_eight_gibibytes() {
    let (_kept, dir) = made(|dir| dir.create("sparse").unwrap().set_len(9 << 30).unwrap());
    let seen = RefCell::new(Vec::new());
    let mut first_blocks = FirstBlocks(&seen);
    let spot = Spot { at: "x", owner: OWNER, times: Times::Kept };
    let ended = pack(&plan(vec![Content::Source]), ContentId(0), &source(dir), &spot, &mut first_blocks, &|_| {});
    assert!(matches!(ended, Err(Error::Write(_))), "nobody wants to wait for all of it");
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&seen.borrow()[512..1024]);
    assert_eq!(header.entry_size().unwrap(), 9 << 30);
}

/// Takes two blocks and then no more.
struct FirstBlocks<'a>(&'a RefCell<Vec<u8>>);

impl std::io::Write for FirstBlocks<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut seen = self.0.borrow_mut();
        if seen.len() >= 1024 {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        seen.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn tells_how_far_it_is() {
    let (_kept, dir) = made(|dir| dir.write("a", vec![7; 1_000_000]).unwrap());
    let told = RefCell::new(Vec::new());
    let mut tar = Vec::new();
    let spot = Spot { at: "x", owner: OWNER, times: Times::Kept };
    pack(&plan(vec![Content::Source]), ContentId(0), &source(dir), &spot, &mut tar, &|bytes| told.borrow_mut().push(bytes))
        .unwrap();
    let told = told.into_inner();
    assert!(told.len() > 3 && told.is_sorted() && *told.last().unwrap() == tar.len() as u64, "{told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn brings_names_and_links_of_any_bytes_and_length_through(
        names in proptest::collection::btree_set(proptest::collection::vec(any_name_byte(), 1..=255), 1..4),
        target in proptest::collection::vec(any_name_byte(), 1..1000),
        at in "[a-z]{1,60}(/[a-z]{1,60}){0,3}",
    ) {
        prop_assume!(names.iter().all(|name| name != b"." && name != b".." && name != b".git"));
        let (_kept, dir) = made(|dir| for name in &names {
            rustix::fs::symlinkat(target.as_slice(), dir, name.as_slice()).unwrap();
        });
        let mut tar = Vec::new();
        // No ignore file by accident: the names are read as they are.
        pack(&plan(vec![Content::Source]), ContentId(0), &source(dir), &Spot { at: &at, owner: OWNER, times: Times::Kept }, &mut tar, &|_| {}).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let read: Vec<_> = archive.entries().unwrap().skip(1).map(|entry| {
            let entry = entry.unwrap();
            (entry.path_bytes().into_owned(), entry.link_name_bytes().unwrap().into_owned())
        }).collect();
        let expected: Vec<_> = names.iter().map(|name| ([at.as_bytes(), b"/", name].concat(), target.clone())).collect();
        prop_assert_eq!(read, expected);
    }
}

fn any_name_byte() -> impl Strategy<Value = u8> {
    any::<u8>().prop_filter("a name holds neither", |byte| !matches!(byte, 0 | b'/'))
}

#[test]
fn brings_names_of_files_through() {
    let names: [&[u8]; 4] = [b"new\nline", b"\xff\xfe", &[b'x'; 255], "naïve ☃".as_bytes()];
    let (_kept, dir) = made(|dir| names.iter().for_each(|name| dir.write(OsStr::from_bytes(name), "1").unwrap()));
    let lines = lines(&packed(vec![Content::Source], &source(dir), "x").unwrap());
    for name in names {
        assert!(lines.iter().any(|line| line.ends_with(&format!(" x/{} 1", name.escape_ascii()))), "{lines:?}");
    }
}
