//! A file system to which `File` and `file` are one: NTFS, mounted so that it looks away from case, as the disks of other systems do.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sti_tests::{Lab, can_have, cannot_be_had};

/// A mounted file of 20 MiB; unmounted when it is dropped.
struct Folding(PathBuf);

impl Folding {
    /// Needs root and FUSE; without them the test says so.
    fn mount(lab: &Lab) -> Option<Self> {
        if !can_have("lowntfs-3g", "ntfs-3g") {
            return None;
        }
        let (image, place) = (lab.root().join("folding.img"), lab.root().join("folding"));
        fs::File::create(&image).unwrap().set_len(20 << 20).unwrap();
        fs::create_dir(&place).unwrap();
        let is_made = succeeds(Command::new("mkntfs").args(["-F", "-Q", "-q"]).arg(&image));
        if is_made && succeeds(Command::new("lowntfs-3g").args(["-o", "ignore_case"]).arg(&image).arg(&place)) {
            return Some(Self(place));
        }
        cannot_be_had("a file system that looks away from case cannot be mounted");
        None
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        let is_gone = succeeds(Command::new("umount").arg(&self.0));
        assert!(is_gone || std::thread::panicking(), "`{}` is still mounted", self.0.display());
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A tar file of these files, each of which holds its own name.
fn archive(lab: &Lab, name: &str, paths: &[&str]) -> String {
    let made = lab.root().join(name);
    for path in paths {
        fs::create_dir_all(made.join(path).parent().unwrap()).unwrap();
        fs::write(made.join(path), path).unwrap();
    }
    let packed = lab.root().join(format!("{name}.tar"));
    assert!(succeeds(Command::new("tar").arg("-C").arg(&made).arg("-cf").arg(&packed).args(paths)));
    format!("archive:{}", packed.display())
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn names_that_differ_in_case_only_are_refused_with_both_where_they_are_one() {
    let lab = Lab::new();
    let Some(folding) = Folding::mount(&lab) else { return };
    let out = folding.0.join("out").display().to_string();
    for (name, paths, told) in [
        ("files", &["app/readme", "app/README"][..], ["`app/readme`", "`app/README`"]),
        ("parents", &["app/lib/one", "app/LIB/two"], ["`app/lib`", "`app/LIB`"]),
        ("letters", &["app/über", "app/ÜBER"], ["`app/über`", "`app/ÜBER`"]),
    ] {
        let address = archive(&lab, name, paths);
        let refused = lab.sti(["fetch", &address, &out, "--json"]);
        refused.assert_error(1, "source-invalid", &told);
        refused.assert_says("XDG_CACHE_HOME");
        assert_eq!(names(&folding.0), Vec::<String>::new(), "{name}: nothing is left");
        // Where a file system tells them apart, both are there.
        lab.sti(["fetch", &address, &format!("{name}-out")]).assert_success();
        assert_eq!(names(&lab.root().join(format!("{name}-out"))).len(), 2, "{name}");
    }
}

#[test]
fn an_archive_without_such_names_is_fetched_there_as_anywhere() {
    let lab = Lab::new();
    let Some(folding) = Folding::mount(&lab) else { return };
    let address = archive(&lab, "plain", &["app/one", "app/two/three", "app/two/app"]);
    lab.sti(["fetch", &address, &folding.0.join("out").display().to_string()]).assert_success().assert_says("fetched 4 entries");
    assert_eq!(names(&folding.0.join("out")), ["one", "two"]);
    assert_eq!(fs::read_to_string(folding.0.join("out/two/app")).unwrap(), "app/two/app");
}
