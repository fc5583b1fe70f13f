//! `sti create`: what it writes works as it stands, and it writes over nothing.
#![expect(clippy::disallowed_methods, reason = "a test makes and looks at files by itself")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use sti_tests::{Entry, Image, Lab, can_have, needs_engine};

const CONTRACTS: [&str; 2] = ["assemble", "prepare"];

/// All files below a directory, by their relative paths, sorted.
fn files(top: &Path) -> Vec<PathBuf> {
    fn gather(top: &Path, directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory").flatten() {
            let path = entry.path();
            if entry.file_type().expect("a type").is_dir() {
                gather(top, &path, found);
            } else {
                found.push(path.strip_prefix(top).expect("below the top").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    gather(top, top, &mut found);
    found.sort();
    found
}

/// What a skeleton's Dockerfile begins with, in the place of the image that it would pull.
fn base(lab: &Lab) -> String {
    let directory = |path: &str, mode| Entry::Directory { path: path.to_owned(), mode, owner: (0, 0) };
    let busybox = fs::read("/usr/bin/busybox").or_else(|_| fs::read("/bin/busybox")).expect("it is there, as was asked");
    let mut entries =
        vec![directory("/tmp", 0o1777), directory("/bin", 0o755), directory("/usr", 0o755), directory("/usr/bin", 0o755)];
    entries.push(Entry::File { path: "/bin/busybox".to_owned(), mode: 0o755, bytes: busybox });
    for applet in ["sh", "cp", "cat", "chmod", "chown", "find", "gzip", "httpd", "mkdir", "sha256sum", "tar"] {
        entries.push(Entry::HardLink { path: format!("/bin/{applet}"), to: "/bin/busybox".to_owned() });
    }
    lab.import(&Image { entries, changes: vec![format!("LABEL {}", lab.label()), "ENV PATH=/usr/bin:/bin".to_owned()] })
}

/// Makes a skeleton, and has its own test make the image, build the application twice and look at what the products serve.
fn check_works(contract: &str, strategy: &str) {
    needs_engine!();
    if !(can_have("busybox", "busybox-static") && can_have("docker", "docker.io") && can_have("curl", "curl")) {
        return;
    }
    let lab = Lab::new();
    let tag = lab.tag("pages");
    let name = tag.trim_end_matches(":1");
    lab.sti(["create", name, "pages", "--contract", contract]).assert_success().assert_says("to try it: pages/test/run");
    let mut test = lab.command_of(&lab.root().join("pages/test/run"));
    test.env("STI", sti_tests::built_sti()).env("BASE", base(&lab)).env("STRATEGY", strategy).env("ENGINE", "docker");
    let tested = lab.run_command(test);
    tested.assert_success().assert_says("the clean product answers").assert_says("the incremental product answers");
    tested.assert_says("builder image ").assert_says("---> Taking over what the earlier product saved");
    // What was compressed once is not compressed again.
    assert_eq!(format!("{tested}").matches("     ./index.html").count(), 1, "{tested}");
    assert_eq!(lab.names_and_ids().iter().filter(|name| name.contains("/pages")).count(), 0, "{tested}");
    lab.assert_nothing_left();
}

#[test]
fn a_skeleton_by_assemble_passes_its_own_test_with_commit() {
    check_works("assemble", "commit");
}

#[test]
fn a_skeleton_by_assemble_passes_its_own_test_with_dockerfile() {
    check_works("assemble", "dockerfile");
}

#[test]
fn a_skeleton_by_prepare_passes_its_own_test_with_commit() {
    check_works("prepare", "commit");
}

#[test]
fn a_skeleton_by_prepare_passes_its_own_test_with_dockerfile() {
    check_works("prepare", "dockerfile");
}

#[test]
fn every_script_is_executable_and_sound() {
    let lab = Lab::new();
    for contract in CONTRACTS {
        let made = lab.sti(["create", "team/pages", contract, "--contract", contract]);
        made.assert_success();
        let top = lab.root().join(contract);
        let files = files(&top);
        insta::assert_snapshot!(format!("files_by_{contract}"), made.stdout);
        for file in &files {
            let text = fs::read_to_string(top.join(file)).unwrap();
            assert!(!text.contains("@NAME@"), "{}", file.display());
            let is_program = text.starts_with("#!/bin/sh\n");
            let bits = fs::metadata(top.join(file)).unwrap().permissions().mode();
            assert_eq!(bits & 0o111 != 0, is_program, "{}: {bits:o}", file.display());
            assert!(
                !is_program || Command::new("sh").arg("-n").arg(top.join(file)).status().unwrap().success(),
                "{}",
                file.display()
            );
        }
        assert_eq!(files.len(), made.stdout.lines().count() - 1, "{made}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let lab = Lab::new();
    let top = lab.source(&[("notes.txt", "mine"), ("README.md", "mine"), ("test/run", "mine")]);
    let refused = lab.sti(["create", "pages", &top, "--json"]);
    refused.assert_error(
        2,
        "invalid-argument",
        &[&format!("{top}/README.md"), &format!("{top}/test/run"), "nothing was written"],
    );
    assert_eq!(files(Path::new(&top)), ["README.md", "notes.txt", "test/run"].map(PathBuf::from));
    for file in ["README.md", "test/run"] {
        assert_eq!(fs::read_to_string(Path::new(&top).join(file)).unwrap(), "mine");
        fs::remove_file(Path::new(&top).join(file)).unwrap();
    }
    // An empty directory, and files that are nobody's business, are in nobody's way.
    lab.sti(["create", "pages", &top]).assert_success();
    lab.sti(["create", "pages", &top]).assert_exit(2).assert_says("nothing was written");
}

#[test]
fn no_link_leads_out_of_the_directory() {
    let lab = Lab::new();
    let (top, decoy) = (lab.source(&[]), lab.source(&[]));
    symlink(&decoy, Path::new(&top).join("test")).unwrap();
    symlink("/nowhere", Path::new(&top).join("Dockerfile")).unwrap();
    let refused = lab.sti(["create", "pages", &top, "--json"]);
    refused.assert_error(2, "invalid-argument", &[&format!("{top}/test`"), &format!("{top}/Dockerfile`")]);
    assert_eq!((fs::read_dir(&decoy).unwrap().count(), fs::read_dir(&top).unwrap().count()), (0, 2));
    let file = lab.source(&[("file", "")]);
    lab.sti(["create", "pages", &format!("{file}/file")]).assert_exit(2).assert_says("cannot write");
}

#[test]
fn a_name_that_is_no_name_of_an_image_is_refused() {
    let lab = Lab::new();
    for name in ["Pages", "a b", "a'b", "$(id)", "a\nRUN id", "../x", ""] {
        let refused = lab.sti(["create", name, "pages"]);
        refused.assert_exit(2);
    }
    lab.sti(["create", "pages:1", "pages"]).assert_exit(2).assert_says("hint: pages");
    assert!(!lab.root().join("pages").exists());
}
