//! Ignore files and `--context-dir`.

use super::*;

fn check_left_in(ignore_file: &str, patterns: &str, expected: &[&str]) {
    let (_kept, dir) = made(|dir| {
        dir.create_dir_all("target/deep").unwrap();
        dir.create_dir_all("src/target").unwrap();
        for path in ["target/deep/keep.txt", "src/target/file", "src/main.rs", "notes.txt", "keep.txt"] {
            dir.write(path, "").unwrap();
        }
        dir.create_dir_all(".git/objects").unwrap();
        dir.write("src/.git", "gitdir: elsewhere").unwrap();
        dir.write(ignore_file, patterns).unwrap();
    });
    let mut paths = Vec::new();
    tree(&dir)
        .walk("", &mut |entry| -> Result<(), Error> {
            if matches!(entry.kind, Kind::File(_)) && entry.path != ignore_file.as_bytes() {
                paths.push(String::from_utf8(entry.path.to_vec()).unwrap());
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(paths, expected, "{patterns:?}");
}

#[test]
fn leaves_out_what_the_rules_of_gitignore_leave_out() {
    let all = ["keep.txt", "notes.txt", "src/main.rs", "src/target/file", "target/deep/keep.txt"];
    check_left_in(".s2iignore", "", &all);
    check_left_in(".s2iignore", "# nothing\n\n", &all);
    check_left_in(".s2iignore", "target\n", &["keep.txt", "notes.txt", "src/main.rs"]);
    check_left_in(".s2iignore", "/target/\n", &["keep.txt", "notes.txt", "src/main.rs", "src/target/file"]);
    check_left_in(".s2iignore", "\u{feff}*.txt\r\n!/keep.txt\r\n", &["keep.txt", "src/main.rs", "src/target/file"]);
    check_left_in(".s2iignore", "target\n!target/deep/keep.txt\n", &["keep.txt", "notes.txt", "src/main.rs"]);
    check_left_in(".s2iignore", "**/deep\n!.git\n", &["keep.txt", "notes.txt", "src/main.rs", "src/target/file"]);
    check_left_in(".stiignore", "src", &["keep.txt", "notes.txt", "target/deep/keep.txt"]);
    check_left_in(".dockerignore", "src\n*.txt", &[]);
    check_left_in(".gitignore", "*", &all);
}

#[test]
fn takes_the_first_ignore_file_only() {
    let (_kept, dir) = made(|dir| {
        dir.write(".dockerignore", "*").unwrap();
        dir.write(".stiignore", "").unwrap();
        dir.write("file", "").unwrap();
    });
    assert_eq!(tree(&dir).check().unwrap().entries, 3);
}

#[test]
fn never_matches_the_path_above_the_source() {
    let (_kept, outer) = made(|dir| dir.create_dir_all("build/app").unwrap());
    let dir = outer.open_dir("build/app").unwrap();
    dir.write("file", "").unwrap();
    dir.write(".s2iignore", "build\napp\n").unwrap();
    let tree = Tree::directory(dir, Path::new("build/app")).unwrap();
    assert_eq!(tree.check().unwrap().entries, 2);
}

#[test]
fn names_the_line_that_is_no_pattern() {
    let (_kept, dir) = made(|dir| dir.write(".s2iignore", "fine\n{a,b\n").unwrap());
    let error = Tree::directory(dir, Path::new("./app")).unwrap_err();
    assert!(
        matches!(&error, Error::BadPattern { ignore_file, line: 2, .. } if ignore_file == "./app/.s2iignore"),
        "{error}, {:?}",
        error.hint()
    );
}

#[test]
fn spells_out_what_would_steer_the_terminal_in_a_pattern() {
    let (_kept, dir) = made(|dir| dir.write(".s2iignore", "{a\u{1b}[2J\u{202e},'b\n").unwrap());
    let text = Tree::directory(dir, Path::new("./app")).unwrap_err().to_string();
    assert!(text.contains(r"{a\u{1b}[2J\u{202e},'b") && !text.contains(char::is_control), "{text:?}");
}

#[test]
fn does_not_wait_for_an_ignore_file_that_is_a_fifo() {
    let (_kept, dir) = made(|dir| rustix::fs::mkfifoat(dir, ".s2iignore", Mode::RUSR).unwrap());
    assert!(matches!(Tree::directory(dir, Path::new("app")), Err(Error::Unreadable { .. })));
}

fn with_parts() -> (TempDir, Dir) {
    made(|dir| {
        dir.create_dir_all("services/web/tmp").unwrap();
        dir.create_dir("own").unwrap();
        dir.write("own/.s2iignore", "log").unwrap();
        for path in ["services/web/index", "services/web/tmp/x", "services/web/log", "own/tmp", "own/log", "file"] {
            dir.write(path, "").unwrap();
        }
        dir.write(".s2iignore", "/services/web/log\ntmp\n").unwrap();
        dir.symlink("services/web", "current").unwrap();
        dir.symlink_contents("/etc", "outside").unwrap();
    })
}

#[test]
fn narrows_to_the_context_directory_with_the_rules_of_the_top() {
    let (_kept, dir) = with_parts();
    let names = |context_dir: &str| {
        let entries = tree(&dir).within(context_dir).unwrap().entries("").unwrap();
        entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>()
    };
    assert_eq!(names("services/web"), ["index"]);
    assert_eq!(names("./services//web/"), ["index"]);
    assert_eq!(names("current"), ["index"], "a link that stays inside may be named");
    assert_eq!(names("own"), [".s2iignore", "tmp"], "its own ignore file takes the place of the outer one");
    assert_eq!(names("."), [".s2iignore", "current", "file", "outside", "own", "services"]);
}

#[test]
fn refuses_a_context_directory_that_is_none_of_the_source() {
    let (_kept, dir) = with_parts();
    let whys = [
        ("gone", "there is nothing of this name"),
        ("file", "it is a file"),
        ("..", "it leads out of the source"),
        ("own/../../x", "it leads out of the source"),
        ("outside", "it leads out of the source"),
        ("/own", "it must be relative to the source"),
    ];
    for (context_dir, why) in whys {
        let expected = Error::BadContextDir { context_dir: context_dir.to_owned(), why: why.to_owned() };
        assert_eq!(tree(&dir).within(context_dir).unwrap_err(), expected);
    }
}
