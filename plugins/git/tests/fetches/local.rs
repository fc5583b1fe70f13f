//! Repositories in a directory of the user's: work trees and bare ones, loose and packed.

use std::fs;

use sti_git::Git;
use sti_plugin::testing::{AddressBuilder, Fetched};

use crate::support::{Repository, Site, check_problem, git, listing, servers};

/// A repository with four commits on `main`, the third a merge of `other`; answers the commits.
fn site() -> (Site, Repository, [String; 4]) {
    let site = Site::new();
    let repository = site.repository("app");
    let first = repository.file("f", "1").executable("bin/run", "#!").link("link", "f").commit("first");
    repository.git(&["tag", "--annotate", "--message", "m", "v1"]);
    repository.git(&["checkout", "--quiet", "-b", "other"]);
    let other = repository.file("g", "other").commit("other");
    repository.git(&["checkout", "--quiet", "main"]);
    let second = repository.file("f", "2").commit("second");
    repository.git(&["merge", "--quiet", "--no-edit", "other"]);
    let fourth = repository.file("f", "4").commit("fourth");
    (site, repository, [first, other, second, fourth])
}

fn at(repository: &Repository) -> AddressBuilder {
    AddressBuilder::new("./app").directory(&repository.path)
}

fn fetch(repository: &Repository, reference: &str) -> Fetched {
    at(repository).reference(reference).fetch::<Git>()
}

fn check_finds(repository: &Repository, reference: &str, commit: &str, told: Option<&str>) {
    let fetched = fetch(repository, reference);
    assert_eq!(fetched.result, Ok(()), "{reference}");
    assert_eq!(fetched.facts["revision"], commit, "{reference}");
    assert_eq!(fetched.facts.get("reference").map(String::as_str), told, "{reference}");
}

fn check_all(repository: &Repository, [first, other, second, fourth]: &[String; 4]) {
    let fetched = at(repository).fetch::<Git>();
    assert_eq!(listing(&fetched), "bin/run (executable) = #!\nf = 4\ng = other\nlink -> f");
    assert_eq!((fetched.facts["revision"].as_str(), fetched.facts["reference"].as_str()), (fourth.as_str(), "main"));
    check_finds(repository, "main", fourth, Some("main"));
    check_finds(repository, "other", other, Some("other"));
    check_finds(repository, "refs/heads/other", other, Some("other"));
    check_finds(repository, "v1", first, Some("v1"));
    check_finds(repository, second, second, None);
    check_finds(repository, &second[..7], second, None);
    check_finds(repository, "HEAD~2", second, None);
    check_finds(repository, "main~^2", other, None);
    check_finds(repository, "v1^{}", first, None);
    check_finds(repository, "HEAD^0", fourth, None);
}

#[test]
fn finds_what_each_kind_of_reference_means_in_loose_objects() {
    let (_site, repository, commits) = site();
    check_all(&repository, &commits);
}

#[test]
fn finds_the_same_in_packs_and_packed_references() {
    let (_site, repository, commits) = site();
    repository.git(&["gc", "--quiet", "--prune=now"]);
    check_all(&repository, &commits);
    repository.file("f", "5").commit("loose beside the pack");
    assert!(listing(&at(&repository).fetch::<Git>()).contains("f = 5"));
}

#[test]
fn finds_the_same_in_a_bare_repository() {
    let (site, repository, commits) = site();
    git(site.root()).args(["clone", "--quiet", "--bare"]).arg(&repository.path).arg("bare.git").status().expect("git runs");
    let bare = Repository { path: site.root().join("bare.git") };
    check_all(&bare, &commits);
    let fetched = AddressBuilder::new("file:///bare.git").directory(&bare.path).fetch::<Git>();
    assert!(listing(&fetched).contains("f = 4"));
}

#[test]
fn puts_together_long_chains_of_deltas() {
    let site = Site::new();
    let repository = site.repository("app");
    for number in 0..60 {
        let lines: String =
            (0..200).map(|line| if line == number { "changed\n".to_owned() } else { format!("line {line}\n") }).collect();
        repository.file("f", lines).file(&format!("d/{number}"), number.to_string()).commit("m");
    }
    repository.git(&["-c", "pack.depth=100", "repack", "-a", "-d", "-f", "--quiet", "--depth=100", "--window=100"]);
    for back in [0, 30, 59] {
        let fetched = fetch(&repository, &format!("HEAD~{back}"));
        let text = fetched.expect_tree().open().read_text("f", 10_000).unwrap();
        assert_eq!(text.lines().position(|line| line == "changed"), Some(59 - back));
    }
}

#[test]
fn fetches_submodules_from_beside_where_it_was_cloned_from() {
    let site = Site::new();
    let (inner, app) = (site.repository("inner"), site.repository("app"));
    let commit = inner.file("i", "inner").commit("m");
    let list = app.object("blob", b"[submodule \"s\"]\npath = sub\nurl = ../../inner/.git\n");
    app.commit_tree(&app.tree(&[("100644", b".gitmodules", &list), ("160000", b"sub", &commit)]));
    check_problem(&at(&app).fetch::<Git>(), "invalid-address", &["../../inner"]);
    app.git(&["config", "remote.origin.url", "http://me:secret@git.example/app/.git"]);
    let root = site.root().to_owned();
    let fetched = at(&app).web(move |request| servers::http_backend(&root, request)).fetch::<Git>();
    assert!(listing(&fetched).contains("sub/i = inner"));
    assert!(!fetched.log.iter().any(|line| line.text.contains("secret")));
}

#[test]
fn tells_no_branch_where_a_commit_is_checked_out() {
    let (_site, repository, [first, ..]) = site();
    repository.git(&["checkout", "--quiet", &first]);
    let fetched = at(&repository).fetch::<Git>();
    assert_eq!((fetched.facts["revision"].as_str(), fetched.facts.get("reference")), (first.as_str(), None));
}

#[test]
fn says_what_is_not_there() {
    let (site, repository, _) = site();
    check_problem(&fetch(&repository, "mian"), "reference-not-found", &["`mian`", "`main`"]);
    check_problem(&fetch(&repository, "0123456"), "reference-not-found", &["0123456"]);
    check_problem(&fetch(&repository, &"0123456789".repeat(4)), "reference-not-found", &["0123456789"]);
    check_problem(&fetch(&repository, "HEAD~99"), "reference-not-found", &["so far back"]);
    check_problem(&fetch(&repository, "HEAD^3"), "reference-not-found", &["no such parent"]);
    check_problem(&at(&site.repository("empty")).fetch::<Git>(), "empty-repository", &["--ref main"]);
    let nothing = Repository { path: site.root().to_owned() };
    check_problem(&at(&nothing).fetch::<Git>(), "not-a-repository", &["`./app`", "leave out `git:`"]);
    check_problem(&AddressBuilder::new("./app").fetch::<Git>(), "source-not-found", &["`./app`"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "breaks a repository of the test's own")]
fn refuses_what_lies_elsewhere_or_has_another_format() {
    let (site, repository, _) = site();
    repository.git(&["worktree", "add", "--quiet", "../beside", "other"]);
    let beside = Repository { path: site.root().join("beside") };
    check_problem(&at(&beside).fetch::<Git>(), "local-worktree", &["`--ref`"]);
    fs::write(repository.path.join(".git/objects/info/alternates"), "/nonexistent/decoy\n").unwrap();
    check_problem(&at(&repository).fetch::<Git>(), "local-alternates", &["git repack", "/nonexistent/decoy"]);
    for out in ["../../../beside/.git/objects", "../../../../beside", "a/../../../../beside"] {
        fs::write(repository.path.join(".git/objects/info/alternates"), format!("{out}\n")).unwrap();
        check_problem(&at(&repository).fetch::<Git>(), "local-alternates", &[out]);
    }
    let other = site.root().join("other");
    git(site.root()).args(["init", "--quiet", "--object-format=sha256", "other"]).status().expect("git runs");
    check_problem(&at(&Repository { path: other }).fetch::<Git>(), "object-format-not-supported", &["sha256"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "writes into a repository of the test's own")]
fn reads_objects_that_another_repository_in_it_lends() {
    let (site, repository, commits) = site();
    repository.git(&["gc", "--quiet", "--prune=now"]);
    git(site.root()).args(["clone", "--quiet", "--shared", "app", "borrower"]).status().expect("git runs");
    let borrower = Repository { path: site.root().join("borrower") };
    borrower.file("f", "5").commit("of its own");
    check_problem(&at(&borrower).fetch::<Git>(), "local-alternates", &["a directory that holds both"]);
    // The lender moves in, and is named from where the objects are, or from the root.
    fs::rename(&repository.path, borrower.path.join("lender")).unwrap();
    let named = format!("{}/lender/.git/objects", borrower.path.display());
    for (lender, address) in [("../../lender/.git/objects", "./app"), (named.as_str(), borrower.path.to_str().unwrap())] {
        fs::write(borrower.path.join(".git/objects/info/alternates"), format!("# a remark\n{lender}\n")).unwrap();
        let address = AddressBuilder::new(address).directory(&borrower.path);
        assert_eq!(listing(&address.clone().fetch::<Git>()), "bin/run (executable) = #!\nf = 5\ng = other\nlink -> f");
        assert_eq!(address.reference(&commits[0][..9]).fetch::<Git>().facts["revision"], commits[0]);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "breaks a repository of the test's own")]
fn reads_no_reference_outside_of_its_place() {
    let (site, repository, [first, ..]) = site();
    fs::write(site.root().join("decoy"), &first).unwrap();
    for target in ["../../decoy", "refs/../../../decoy", "/nonexistent/decoy", "HEAD"] {
        fs::write(repository.path.join(".git/HEAD"), format!("ref: {target}\n")).unwrap();
        check_problem(&at(&repository).fetch::<Git>(), "damaged-repository", &["HEAD"]);
    }
    std::os::unix::fs::symlink(site.root().join("decoy"), repository.path.join(".git/refs/heads/linked")).unwrap();
    check_problem(&fetch(&repository, "linked"), "reference-not-found", &[]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "breaks a repository of the test's own")]
fn refuses_objects_and_packs_that_are_damaged_anywhere() {
    let (_site, repository, commits) = site();
    let tip = &commits[3];
    let loose = repository.path.join(".git/objects").join(&tip[..2]).join(&tip[2..]);
    let whole = fs::read(&loose).unwrap();
    fs::remove_file(&loose).unwrap();
    for end in 0..whole.len() {
        fs::write(&loose, &whole[..end]).unwrap();
        check_problem(&at(&repository).fetch::<Git>(), "damaged-repository", &[]);
    }
    fs::write(&loose, &whole).unwrap();
    repository.git(&["gc", "--quiet", "--prune=now"]);
    let packs = fs::read_dir(repository.path.join(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let packs: Vec<_> = packs.filter(|path| path.extension().is_some_and(|end| end == "pack" || end == "idx")).collect();
    assert_eq!(packs.len(), 2);
    let expected = listing(&at(&repository).fetch::<Git>());
    for path in packs {
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        for at_byte in (0..whole.len()).step_by(3) {
            let mut turned = whole.clone();
            turned[at_byte] ^= 0xa4;
            for broken in [&turned[..], &whole[..at_byte]] {
                fs::write(&path, broken).unwrap();
                let fetched = at(&repository).fetch::<Git>();
                assert!(fetched.result.is_err() || listing(&fetched) == expected, "{} at {at_byte}", path.display());
            }
        }
        fs::write(&path, whole).unwrap();
    }
}
