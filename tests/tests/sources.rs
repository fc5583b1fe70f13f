//! Sources of all shapes arrive as they are, and are only read.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

use sti_tests::{Builder, Lab, needs_engine};

/// What prepare wrote down: kind, mode, owner, size or link target, and name of everything in the source.
const LOOK: &str = "list /tmp/src /app/seen.txt\nhash /tmp/src /app/hashes.txt";

fn looking() -> Builder {
    Builder::new().user("1001:7").prepare(LOOK).run("cat /app/seen.txt")
}

fn seen(lab: &Lab) -> String {
    lab.product_file("app", "/app/seen.txt").expect("prepare wrote down what it saw")
}

/// The names of all files that arrived, and of empty directories.
fn names(lab: &Lab) -> Vec<String> {
    let seen = seen(lab);
    seen.lines().filter_map(|line| line.rsplit(' ').next()).filter(|name| *name != ".").map(str::to_owned).collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Everything below a directory with what a build could change: mode, owner, size, times of content and of status.
fn state(top: &Path) -> Vec<String> {
    let mut state = Vec::new();
    let mut left = vec![top.to_path_buf()];
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let (owner, times) = ((found.uid(), found.gid()), [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()]);
        state.push(format!("{} {:o} {owner:?} {} {times:?}", path.display(), found.mode(), found.len()));
    }
    state.sort();
    state
}

/// A source with one of everything that is odd.
fn odd(lab: &Lab, longest: &str) -> PathBuf {
    let top = PathBuf::from(lab.source(&[
        ("a.txt", "hard"),
        (".hidden", "dot"),
        (".config/deep/.x", "1"),
        ("empty/", ""),
        ("run.sh", "#!"),
    ]));
    fs::hard_link(top.join("a.txt"), top.join("b.txt")).unwrap();
    symlink("a.txt", top.join("link")).unwrap();
    symlink("nowhere/at all", top.join("dangling")).unwrap();
    symlink("/etc/fixture", top.join("absolute")).unwrap();
    symlink("../../..", top.join("above")).unwrap();
    symlink("empty", top.join("to-directory")).unwrap();
    for name in [&b"w\xc3\xb6rter \xe2\x98\x83"[..], b"new\nline", b"not-utf8-\xff", b"-rf", b"back\\slash", longest.as_bytes()] {
        fs::write(top.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let deep = top.join(["d"; 60].join("/"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("f".repeat(100)), "deep").unwrap();
    for (name, mode) in [("a.txt", 0o644), (".hidden", 0o400), ("run.sh", 0o4755), ("empty", 0o1777), ("-rf", 0o0)] {
        set_mode(&top.join(name), mode);
    }
    top
}

fn check_that_odd_things_arrive(strategy: &str, longest: usize) {
    let lab = Lab::new();
    let builder = lab.builder(looking().prepare("list /tmp/src /app/seen.txt"));
    let long = "n".repeat(longest);
    let top = odd(&lab, &long);
    let before = state(&top);
    lab.build(top.to_str().unwrap(), &builder, "app", &["-m", strategy]).assert_success();
    assert_eq!(state(&top), before, "the user's directory is only read");
    let expected = [
        "f 0000 1001:7 1 -rf",
        "f 0400 1001:7 3 .hidden",
        "f 0644 1001:7 1 .config/deep/.x",
        "f 0644 1001:7 4*2 a.txt",
        "f 0644 1001:7 4*2 b.txt",
        "l 0777 1001:7 ../../.. above",
        "l 0777 1001:7 /etc/fixture absolute",
        "l 0777 1001:7 a.txt link",
        "l 0777 1001:7 empty to-directory",
        "l 0777 1001:7 nowhere/at\\x20all dangling",
        "d 1777 1001:7 - empty",
        // The engine's own builder changes the owner behind its copying, which takes set-id bits away.
        if strategy == "commit" { "f 4755 1001:7 2 run.sh" } else { "f 0755 1001:7 2 run.sh" },
        "f 0644 1001:7 1 w\\xc3\\xb6rter\\x20\\xe2\\x98\\x83",
        "f 0644 1001:7 1 new\\x0aline",
        "f 0644 1001:7 1 not-utf8-\\xff",
        "f 0644 1001:7 1 back\\x5cslash",
        &format!("f 0644 1001:7 1 {long}"),
        &format!("f 0644 1001:7 4 {}/{}", ["d"; 60].join("/"), "f".repeat(100)),
    ];
    let seen = seen(&lab);
    let missing: Vec<_> = expected.iter().filter(|line| !seen.lines().any(|found| found == **line)).collect();
    assert!(missing.is_empty(), "missing: {missing:#?}\nin\n{seen}");
    lab.assert_nothing_left();
}

#[test]
fn odd_things_arrive_by_commit() {
    needs_engine!();
    check_that_odd_things_arrive("commit", 255);
}

#[test]
fn odd_things_arrive_by_dockerfile() {
    needs_engine!();
    // A layer on fuse-overlayfs cannot hold a longer name: it marks what is gone by names with four letters more.
    check_that_odd_things_arrive("dockerfile", 251);
}

#[test]
fn sparse_and_large_files_arrive_whole() {
    needs_engine!();
    for (strategy, megabytes) in [("commit", 200_u64), ("dockerfile", 50)] {
        let lab = Lab::new();
        let builder = lab.builder(looking());
        let top = lab.source(&[("small.txt", "1")]);
        let file = fs::File::create(Path::new(&top).join("large")).unwrap();
        file.set_len(megabytes << 20).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"in the middle", 9 << 20).unwrap();
        lab.build(&top, &builder, "app", &["-m", strategy]).assert_success();
        assert!(seen(&lab).contains(&format!(" {} large\n", megabytes << 20)), "{}", seen(&lab));
        let ours = fnv_of_zeros_with(b"in the middle", 9 << 20, megabytes << 20);
        let hashes = lab.product_file("app", "/app/hashes.txt").unwrap();
        assert!(hashes.contains(&format!("{ours:016x} large\n")), "{ours:016x}\n{hashes}");
        lab.assert_nothing_left();
    }
}

/// The 64-bit FNV-1a hash of a text among zeros.
fn fnv_of_zeros_with(text: &[u8], at: u64, length: u64) -> u64 {
    let zeros = |count| std::iter::repeat_n(0_u8, usize::try_from(count).expect("a length in memory"));
    let bytes = zeros(at).chain(text.iter().copied()).chain(zeros(length - at - text.len() as u64));
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_first_of_three_ignore_files_decides() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(looking());
    let files = ["s2i.txt", "sti.txt", "docker.txt"].map(|name| (name, "1"));
    let ignores = [(".s2iignore", "s2i.txt\n"), (".stiignore", "sti.txt\n"), (".dockerignore", "docker.txt\n")];
    for (first, gone) in [(0, "s2i.txt"), (1, "sti.txt"), (2, "docker.txt")] {
        let source = lab.source(&[&files[..], &ignores[first..]].concat());
        lab.build(&source, &builder, "app", &["-m", "commit"]).assert_success();
        let names = names(&lab);
        let left: Vec<_> = files.iter().map(|(name, _)| *name).filter(|name| names.iter().any(|found| found == name)).collect();
        let expected: Vec<_> = files.iter().map(|(name, _)| *name).filter(|name| *name != gone).collect();
        assert_eq!(left, expected);
    }
    lab.assert_nothing_left();
}

#[test]
fn ignore_rules_filter_the_source_and_never_look_above_it() {
    needs_engine!();
    let rules = "# rules\n*.log\n!keep.log\n/only-top\ntarget/\nsti-lab-*\nsource-*\nhome\n**/secret\n";
    let files = [
        (".s2iignore", rules),
        ("a.log", "1"),
        ("keep.log", "1"),
        ("only-top", "1"),
        ("sub/only-top", "1"),
        ("sub/b.log", "1"),
        ("target/x", "1"),
        ("sub/target/x", "1"),
        ("x/y/secret", "1"),
        ("kept.txt", "1"),
        (".git/HEAD", "ref"),
        (".gitignore", "kept.txt\n"),
    ];
    for strategy in ["commit", "dockerfile"] {
        let lab = Lab::new();
        fs::write(lab.root().join(".s2iignore"), "*\n").unwrap();
        let builder = lab.builder(looking());
        let source = lab.source(&files);
        lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
        let names = names(&lab);
        let present = |name: &str| names.iter().any(|found| found == name);
        for name in ["keep.log", "sub/only-top", "kept.txt", ".gitignore"] {
            assert!(present(name), "{strategy}: {name} is not in {names:?}");
        }
        for name in ["a.log", "only-top", "sub/b.log", "target/x", "sub/target/x", "x/y/secret", ".git", ".git/HEAD"] {
            assert!(!present(name), "{strategy}: {name} is in {names:?}");
        }
        lab.assert_nothing_left();
    }
}

#[test]
fn a_single_file_arrives_as_it_is() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(looking());
    let top = lab.source(&[("app.zip", "PK\x03\x04 no archive at all"), (".s2iignore", "*\n"), ("other.txt", "1")]);
    set_mode(&Path::new(&top).join("app.zip"), 0o640);
    for strategy in ["commit", "dockerfile"] {
        let before = state(Path::new(&top));
        lab.build(&format!("{top}/app.zip"), &builder, "app", &["-m", strategy]).assert_success();
        assert!(seen(&lab).ends_with("\nf 0640 1001:7 22 app.zip\n"), "{strategy}: {}", seen(&lab));
        assert_eq!(names(&lab), ["app.zip"]);
        assert_eq!(state(Path::new(&top)), before);
    }
    lab.assert_nothing_left();
}

#[test]
fn a_link_given_as_the_source_means_what_it_leads_to() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(looking());
    let top = lab.source(&[("app/index.txt", "hello")]);
    symlink("app", Path::new(&top).join("current")).unwrap();
    symlink("app/index.txt", Path::new(&top).join("latest")).unwrap();
    for link in ["current", "latest"] {
        lab.build(&format!("{top}/{link}"), &builder, "app", &["-m", "commit"]).assert_success();
        assert_eq!(names(&lab), ["index.txt"], "{link}");
        assert!(seen(&lab).contains("f 0644 1001:7 5 index.txt"), "{link}: {}", seen(&lab));
    }
    lab.assert_nothing_left();
}

#[test]
fn a_part_of_the_source_can_be_built_alone() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(looking());
    let source = lab.source(&[("top.txt", "1"), ("services/web/index.txt", "hello"), ("services/db/x", "1")]);
    for strategy in ["commit", "dockerfile"] {
        let further = ["-m", strategy, "--context-dir", "services/web"];
        lab.build(&source, &builder, "app", &further).assert_success();
        assert_eq!(names(&lab), ["index.txt"], "{strategy}");
    }
    lab.assert_nothing_left();
}

#[test]
fn a_part_that_is_not_there_or_lies_outside_is_refused() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(looking());
    let source = lab.source(&[("top.txt", "1")]);
    symlink("/etc", Path::new(&source).join("outside")).unwrap();
    for (part, condition) in [("nowhere", "source-not-found"), ("..", ""), ("/etc", ""), ("outside", ""), ("a/../..", "")] {
        let refused = lab.build(&source, &builder, "app", &["-m", "commit", "--context-dir", part, "--json"]);
        refused.assert_exit(2).assert_says(part);
        assert!(condition.is_empty() || refused.stdout.contains(condition), "{refused}");
    }
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

#[test]
fn a_hundred_thousand_files_arrive() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(looking().prepare("count /tmp/src /app/seen.txt"));
    let top = PathBuf::from(lab.source(&[]));
    for directory in 0..100 {
        let directory = top.join(format!("directory-{directory}"));
        fs::create_dir(&directory).unwrap();
        (0..1000).for_each(|file| fs::write(directory.join(format!("file-{file}")), b"12").unwrap());
    }
    let built = lab.build(top.to_str().unwrap(), &builder, "app", &["-m", "commit"]);
    built.assert_success();
    eprintln!("100,000 files took {:.1?}", built.time);
    assert_eq!(seen(&lab), "100000 files, 200000 bytes\n");
    lab.assert_nothing_left();
}
