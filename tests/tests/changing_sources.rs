//! Sources that somebody writes to while they are read: the build fails, names the file and tags nothing.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use sti_tests::{Builder, Lab, needs_engine};

/// Long enough to be met in the middle: a sparse file, so that the disk of the tests holds none of it.
const SIZE: u64 = 400 << 20;

/// Builds from a source whose first file is large, changes something once that file is being read, and expects an error about a path.
fn check_changed(strategy: &str, change: impl Fn(&Path), named: &str) {
    let lab = Lab::new();
    let builder = lab.builder(Builder::new().user("1001").prepare("count /tmp/src /app/count.txt").run("cat /app/count.txt"));
    let source = PathBuf::from(lab.source(&[("z/last.txt", "hello")]));
    let big = source.join("a-big");
    File::create(&big).unwrap().set_len(SIZE).unwrap();
    let source_text = source.to_str().expect("a plain path").to_owned();
    let running = lab.start(["build", &source_text, &builder, &lab.tag("app"), "--strategy", strategy, "--json"]);
    wait_until_it_is_read(running.id(), &big);
    change(&source);
    let outcome = lab.finish(running);
    outcome.assert_error(1, "source-changed", &[named, "build again"]);
    assert_eq!(lab.image_id("app"), None, "{outcome}");
    lab.assert_nothing_left();
}

/// Waits until the process has the file open and has read some of it.
fn wait_until_it_is_read(process: u32, file: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("the process lives").flatten();
        let of_file = descriptors.into_iter().find(|entry| fs::read_link(entry.path()).is_ok_and(|to| to == file));
        let position = of_file.and_then(|entry| position(process, &entry.file_name().to_string_lossy())).unwrap_or(0);
        if position > 1 << 20 {
            assert!(position < SIZE / 2, "it was read too fast to be changed in the middle");
            return;
        }
        assert!(Instant::now() < deadline, "{} is never read", file.display());
        thread::sleep(Duration::from_millis(1));
    }
}

fn position(process: u32, descriptor: &str) -> Option<u64> {
    let told = fs::read_to_string(format!("/proc/{process}/fdinfo/{descriptor}")).ok()?;
    told.lines().find_map(|line| line.strip_prefix("pos:"))?.trim().parse().ok()
}

#[test]
fn a_file_that_is_cut_while_it_is_read_fails_the_build() {
    needs_engine!();
    for strategy in ["commit", "dockerfile"] {
        check_changed(
            strategy,
            |source| File::options().write(true).open(source.join("a-big")).unwrap().set_len(10).unwrap(),
            "a-big",
        );
    }
}

#[test]
fn a_file_that_grows_while_it_is_read_fails_the_build() {
    needs_engine!();
    let grow = |source: &Path| {
        let mut file = OpenOptions::new().write(true).open(source.join("a-big")).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"more").unwrap();
    };
    check_changed("commit", grow, "a-big");
}

#[test]
fn what_vanishes_before_it_is_read_fails_the_build() {
    needs_engine!();
    check_changed("commit", |source| fs::remove_dir_all(source.join("z")).unwrap(), "z");
}
