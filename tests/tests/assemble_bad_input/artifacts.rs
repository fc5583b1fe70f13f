//! What `save-artifacts` prints: archives that are cut, huge, endless or mean harm. Beside them lie decoys, in the image and on this machine.

use std::{fs, path::PathBuf, thread, time::Duration};

use sti_tests::{Lab, Outcome, by_each_strategy, needs_engine};

use crate::{image, listed_in, tar};

by_each_strategy! {
    a_hostile_archive_is_refused_and_the_decoys_stay
    links_and_modes_arrive_and_nothing_goes_through_them
    a_large_archive_takes_no_memory_and_no_disk_of_ours
    output_that_is_refused_and_does_not_end_is_ended
}

/// More than `sti` takes for all its work, and far less than the scripts print.
const MOST_MEMORY: u64 = 60 << 20;

/// A product whose `save-artifacts` prints, for each source, the file that the source names: so one product serves all archives.
struct Scene {
    lab: Lab,
    builder: String,
    strategy: String,
    decoy: PathBuf,
}

impl Scene {
    /// Builds the earlier product, which holds the archives that are made for a decoy on this machine.
    fn new(strategy: &str, archives: impl FnOnce(&str) -> Vec<(&'static str, Vec<u8>)>) -> Self {
        let lab = Lab::new();
        let assemble = "list /tmp /app/seen\ncopy /tmp/src /app/src\nmkdir /app/yard\nwrite /app/yard/file untouched";
        let builder = lab.builder(image().s2i("assemble", assemble).s2i("run", "cat /app/src/index.txt"));
        let decoy = lab.root().join("yard");
        fs::create_dir(&decoy).unwrap();
        fs::write(decoy.join("file"), "untouched").unwrap();
        let source = lab.source(&[("index.txt", "hello")]);
        for (name, bytes) in archives(decoy.to_str().unwrap()) {
            fs::write(format!("{source}/{name}"), bytes).unwrap();
        }
        lab.build(&source, &builder, "app", &["-m", strategy]).assert_success();
        Self { lab, builder, strategy: strategy.to_owned(), decoy }
    }

    /// Builds again, with what these verbs print.
    fn build(&self, verbs: &str, further: &[&str]) -> Outcome {
        let arguments = self.arguments(verbs, further);
        self.lab.sti(&arguments)
    }

    fn arguments(&self, verbs: &str, further: &[&str]) -> Vec<String> {
        let script = format!("#!/usr/bin/fixture\n{verbs}\n");
        let source = self.lab.source(&[("index.txt", "hello"), (".s2i/bin/save-artifacts", &script)]);
        let words = ["build", &source, &self.builder, &self.lab.tag("app"), "-m", &self.strategy, "--json"];
        words.iter().chain(further).map(|word| (*word).to_owned()).collect()
    }

    /// A build that was refused in these words, and has changed nothing.
    #[track_caller]
    fn check_refused(&self, what: &str, outcome: &Outcome, earlier: Option<&str>, words: &str) {
        assert_eq!(outcome.status.code(), Some(1), "{what}\n{outcome}");
        outcome.assert_error(1, "save-artifacts-failed", &["printed no archive that can be unpacked", words]);
        assert_eq!(self.lab.image_id("app").as_deref(), earlier, "{what}");
        self.check_decoys(what);
        assert!(outcome.stdout.len() < 64 << 10, "{what}: {} bytes of output", outcome.stdout.len());
    }

    #[track_caller]
    fn check_decoys(&self, what: &str) {
        assert_eq!(fs::read_to_string(self.decoy.join("file")).unwrap(), "untouched", "{what}");
        assert_eq!(fs::read_dir(&self.decoy).unwrap().count(), 1, "{what}");
        assert_eq!(self.lab.product_file("app", "/app/yard/file").as_deref(), Some("untouched"), "{what}");
        let listed = self.lab.listed("app", "/app/yard");
        assert_eq!(listed.lines().count(), 2, "{what}: {listed}");
    }
}

/// What is refused: a name for its file, the bytes, and words of the reason.
fn hostile(decoy_of_host: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let file = || tar::file("a", &[b'a'; 2000]);
    let link = || tar::symlink("link", "/app/yard");
    let sized = |field: &'static [u8]| {
        tar::header(b'0', b"sized", 0, |header| header.as_old_mut().size[..field.len()].copy_from_slice(field))
    };
    let mut wrong_sum = tar::whole(&[file()]);
    wrong_sum[20] ^= 1;
    vec![
        ("climbs", tar::whole(&[tar::file("../../app/yard/file", b"out")]), "its name leads upwards"),
        ("climbs-within", tar::whole(&[file(), tar::file("b/../../yard/new", b"out")]), "its name leads upwards"),
        ("absolute", tar::whole(&[tar::file("/app/yard/file", b"out")]), "its name is absolute"),
        (
            "absolute-by-pax",
            tar::whole(&[tar::pax(&[("path", "/app/yard/file")]), tar::file("a", b"out")]),
            "its name is absolute",
        ),
        ("through-a-link", tar::whole(&[link(), tar::file("link/file", b"out")]), "below a symbolic link"),
        (
            "through-a-link-to-a-directory",
            tar::whole(&[link(), tar::directory("link/"), tar::file("link/file", b"out")]),
            "in the place of a symbolic link",
        ),
        (
            "through-a-chain",
            tar::whole(&[tar::symlink("b", "link"), link(), tar::file("b/file", b"out")]),
            "below a symbolic link",
        ),
        (
            "through-a-link-to-the-host",
            tar::whole(&[tar::symlink("link", decoy_of_host), tar::file("link/file", b"out")]),
            "below a symbolic link",
        ),
        ("hard-link-to-the-host", tar::whole(&[tar::hardlink("a", &format!("{decoy_of_host}/file"))]), "its name is absolute"),
        ("below-a-file", tar::whole(&[file(), tar::file("a/b", b"")]), "below a file"),
        ("hard-link-out", tar::whole(&[tar::hardlink("a", "/app/yard/file")]), "its name is absolute"),
        ("hard-link-up", tar::whole(&[tar::hardlink("a", "../app/yard/file")]), "its name leads upwards"),
        ("hard-link-to-nothing", tar::whole(&[tar::hardlink("a", "b")]), "no earlier file"),
        ("device", tar::whole(&[tar::entry(b'3', b"device", b"")]), "it is a device"),
        ("block-device", tar::whole(&[tar::entry(b'4', b"device", b"")]), "it is a device"),
        ("fifo", tar::whole(&[tar::entry(b'6', b"pipe", b"")]), "it is a FIFO"),
        ("top-is-a-link", tar::whole(&[tar::symlink("./", "/app/yard")]), "the top of the archive must be a directory"),
        ("sparse", tar::whole(&[tar::old_sparse("s", 1 << 40, &[(0, 512)], &[b's'; 512])]), "a sparse file"),
        ("cut-in-a-file", file()[..1000].to_vec(), "it breaks off"),
        ("cut-in-a-header", [file(), tar::file("b", b"b")[..300].to_vec()].concat(), "it breaks off"),
        ("cut-before-the-end", file(), "it breaks off"),
        ("wrong-sum", wrong_sum, "checksum"),
        ("a-page", b"<!DOCTYPE html><html>404</html>".to_vec(), "shorter than one block"),
        ("compressed", [&[0x1f, 0x8b, 8, 0][..], &[7; 2000]].concat(), "checksum"),
        ("negative-size", tar::whole(&[sized(&[0xff; 12])]), ""),
        ("exabytes", [tar::pax(&[("size", "9223372036854775807")]), file()].concat(), "it breaks off"),
        ("no-number", tar::whole(&[tar::pax(&[("size", "many")]), file()]), "no number"),
        ("long-name", [tar::header(b'L', b"././@LongLink", 2 << 20, |_| {}), file()].concat(), "longer than a megabyte"),
        (
            "much-before-it",
            tar::whole(&[
                (0..20_000).flat_map(|at| tar::file(&format!("d{}/{at}", at / 1000), b"")).collect(),
                tar::entry(b'3', b"device", b""),
            ]),
            "it is a device",
        ),
    ]
}

fn a_hostile_archive_is_refused_and_the_decoys_stay(strategy: &str) {
    needs_engine!();
    let archives = |decoy: &str| hostile(decoy).into_iter().map(|(name, bytes, _)| (name, bytes)).collect();
    let scene = Scene::new(strategy, archives);
    let earlier = scene.lab.image_id("app");
    for (name, _, words) in hostile("/nowhere") {
        let outcome = scene.build(&format!("cat /app/src/{name}"), &["--incremental=require"]);
        scene.check_refused(name, &outcome, earlier.as_deref(), words);
    }
    scene.lab.assert_nothing_left();
    // Without it, the build is a clean one and says so.
    let built = scene.build("cat /app/src/through-a-link", &["--incremental"]);
    built.assert_success().assert_says("the build goes on without what");
    let names = listed_in(&scene.lab, "/app/seen");
    assert!(!names.iter().any(|line| line.ends_with(" artifacts")), "{names:#?}");
    scene.check_decoys("a clean build");
    scene.lab.assert_nothing_left();
}

fn links_and_modes_arrive_and_nothing_goes_through_them(strategy: &str) {
    needs_engine!();
    let odd = |decoy: &str| {
        tar::whole(&[
            tar::directory("./"),
            tar::file("a", b"hard"),
            tar::hardlink("b", "a"),
            tar::hardlink("c", "./b"),
            tar::symlink("out", "/app/yard"),
            tar::symlink("up", "../../../app/yard/file"),
            tar::symlink("on-the-host", decoy),
            tar::directory("empty/"),
            // Of root's, as far as the archive is asked.
            tar::file_with_mode("tool", 0o4755, b"#!"),
        ])
    };
    let scene = Scene::new(strategy, |decoy| vec![("odd", odd(decoy))]);
    scene.build("cat /app/src/odd", &["--incremental=require"]).assert_success();
    let seen = listed_in(&scene.lab, "/app/seen");
    let expected = [
        "d 0755 1001:7 - artifacts/empty",
        "f 0644 1001:7 4*3 artifacts/a",
        "f 0644 1001:7 4*3 artifacts/b",
        "f 0644 1001:7 4*3 artifacts/c",
        "l 0777 1001:7 ../../../app/yard/file artifacts/up",
        "l 0777 1001:7 /app/yard artifacts/out",
        &format!("l 0777 1001:7 {} artifacts/on-the-host", scene.decoy.display()),
    ];
    for line in expected {
        assert!(seen.iter().any(|found| found == line), "no {line:?} in {seen:#?}");
    }
    let tool = seen.iter().find(|line| line.ends_with(" artifacts/tool")).unwrap();
    assert!(tool.contains(" 1001:7 2 "), "whoever unpacks it owns it: {tool}");
    scene.check_decoys("odd");
    scene.lab.assert_nothing_left();
}

fn a_large_archive_takes_no_memory_and_no_disk_of_ours(strategy: &str) {
    needs_engine!();
    let megabytes = if strategy == "commit" { 200_u64 } else { 50 };
    let size = megabytes << 20;
    let scene = Scene::new(strategy, |_| vec![("head", tar::header(b'0', b"large", size, |_| {})), ("end", tar::END.to_vec())]);
    let whole = format!("cat /app/src/head\nendless {size}\ncat /app/src/end");
    let (built, peak) = scene.with_peak(&whole);
    built.assert_success();
    assert!(peak > 1 << 20 && peak < MOST_MEMORY, "{peak} bytes");
    let seen = listed_in(&scene.lab, "/app/seen");
    assert!(seen.contains(&format!("f 0644 1001:7 {size} artifacts/large")), "{seen:#?}");
    // The same announced, and cut before its end.
    let scene = Scene::new(strategy, |_| vec![("head", tar::header(b'0', b"large", size, |_| {}))]);
    let earlier = scene.lab.image_id("app");
    let (cut, peak) = scene.with_peak(&format!("cat /app/src/head\nendless {}", size - 1));
    scene.check_refused("cut", &cut, earlier.as_deref(), "it breaks off");
    assert!(peak < MOST_MEMORY, "{peak} bytes");
    scene.lab.assert_nothing_left();
}

impl Scene {
    /// Builds, and answers with the kernel's high-water mark of memory. The directory for temporary files stays empty meanwhile.
    fn with_peak(&self, verbs: &str) -> (Outcome, u64) {
        let running = self.lab.start(self.arguments(verbs, &["--incremental=require"]));
        let (status, temporary) = (format!("/proc/{}/status", running.id()), self.lab.root().join("temp"));
        let watch = thread::spawn(move || {
            let mut peak = 0;
            while let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark) {
                peak = peak.max(now);
                assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
                thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        (self.lab.finish(running), watch.join().unwrap())
    }
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

fn output_that_is_refused_and_does_not_end_is_ended(strategy: &str) {
    needs_engine!();
    let scene = Scene::new(strategy, |_| vec![("climbs", tar::whole(&[tar::file("../up", b"out")]))]);
    let earlier = scene.lab.image_id("app");
    for (verbs, words) in [
        ("endless 1000000000000000", "checksum"),
        ("cat /app/src/climbs\nendless 1000000000000000", "its name leads upwards"),
        ("cat /app/src/climbs\nsleep 1000", "its name leads upwards"),
    ] {
        let refused = scene.build(verbs, &["--incremental=require"]);
        scene.check_refused(verbs, &refused, earlier.as_deref(), words);
        assert!(refused.time < Duration::from_mins(1), "{refused}");
    }
    let built = scene.build("endless 1000000000000000", &["--incremental"]);
    built.assert_success().assert_says("the build goes on without what");
    scene.lab.assert_nothing_left();
}
