//! What comes out of ordinary repositories, over each kind of line.

use sti_git::Git;
use sti_plugin::{Fetcher, Problem, testing::AddressBuilder};

use crate::support::{Repository, Site, check_problem, listing, servers};

/// A site with one repository, as people make them.
fn site() -> (Site, String) {
    let site = Site::new();
    let repository = site.repository("app");
    repository.file("README.md", "hello\n").file("src/deep/main.py", "print(1)\n").executable("bin/run", "#!/bin/sh\n");
    repository.link("link", "bin/run").link("dangling", "/nowhere/at/all");
    let commit = repository.commit("first");
    (site, commit)
}

const FILES: &str = "\
README.md = hello\\n
bin/run (executable) = #!/bin/sh\\n
dangling -> /nowhere/at/all
link -> bin/run
src/deep/main.py = print(1)\\n";

#[test]
fn introduces_itself_with_what_it_serves() {
    let card = Git::card();
    assert_eq!(card.name(), "git");
}

#[test]
fn fetches_the_default_branch_over_http_with_modes_and_links() {
    let (site, commit) = site();
    let fetched = site.fetch("app");
    assert_eq!(listing(&fetched), FILES);
    let facts: Vec<_> = fetched.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("address", "http://git.example/app/.git"),
        ("author", "somebody <somebody>"),
        ("date", "1700000000 +0000"),
        ("message", "first"),
        ("reference", "main"),
        ("revision", &commit),
    ];
    assert_eq!(facts, expected);
}

#[test]
fn fetches_over_a_line_to_the_daemon() {
    let (site, commit) = site();
    let root = site.root().to_owned();
    let address = AddressBuilder::new("git://git.example/app/.git").repositories(move |address| {
        assert_eq!(address, "git://git.example/app/.git");
        Ok(servers::daemon(&root))
    });
    let fetched = address.fetch::<Git>();
    assert_eq!(listing(&fetched), FILES);
    assert_eq!(fetched.facts["revision"], commit);
}

#[test]
fn fetches_through_ssh_in_each_version_of_the_protocol_and_form_of_address() {
    let (site, commit) = site();
    for version in ["0", "2"] {
        for (text, asked) in
            [("ssh://me@git.example/app", "ssh://me@git.example/app"), ("me@git.example:app", "ssh://me@git.example/~/app")]
        {
            let path = site.root().join("app");
            let address = AddressBuilder::new(text).repositories(move |address| {
                assert_eq!(address, asked);
                Ok(servers::upload_pack(&path, version))
            });
            let fetched = address.fetch::<Git>();
            assert_eq!(listing(&fetched), FILES, "{text} in version {version}");
            assert_eq!((fetched.facts["revision"].as_str(), fetched.facts["reference"].as_str()), (commit.as_str(), "main"));
        }
    }
}

#[test]
fn brings_no_history_along() {
    let (site, _) = site();
    let repository = Repository { path: site.root().join("app") };
    repository.file("README.md", vec![b'x'; 200]).commit("second");
    repository.file("README.md", "third\n").commit("third");
    assert!(listing(&site.fetch("app")).contains("README.md = third"));
}

#[test]
fn writes_large_files_in_pieces() {
    let site = Site::new();
    let large: Vec<u8> = (0..6_000_000_u32).flat_map(u32::to_le_bytes).take(6_000_000).collect();
    site.repository("app").file("large", &large).commit("m");
    let fetched = site.fetch("app");
    assert!(fetched.expect_tree().open().read("large", 1 << 24).unwrap() == large);
}

#[test]
fn fetches_thousands_of_files_that_build_on_each_other() {
    let site = Site::new();
    let repository = site.repository("app");
    for number in 0..2000 {
        let text = format!("{}line {number}\n", "the same in each file\n".repeat(40));
        repository.file(&format!("d{}/f{number}", number % 37), text);
    }
    repository.commit("m");
    repository.git(&["gc", "--quiet"]);
    let fetched = site.fetch("app");
    let tree = fetched.expect_tree().open();
    assert_eq!(tree.find("*/f*", 10_000).unwrap().len(), 2000);
    assert!(tree.read_text("d0/f37", 10_000).unwrap().ends_with("line 37\n"));
}

#[test]
fn hands_on_what_the_host_refuses() {
    let denied = || Problem::new(sti_plugin::ProblemKind::Denied, "not-granted", "`git.example` is not granted");
    let over_http = AddressBuilder::new("https://git.example/a").web(move |_| Err(denied()));
    check_problem(&over_http.fetch::<Git>(), "not-granted", &["git.example"]);
    let over_ssh = AddressBuilder::new("ssh://git.example/a").repositories(move |_| Err(denied()));
    check_problem(&over_ssh.fetch::<Git>(), "not-granted", &["git.example"]);
}

#[test]
fn says_that_a_repository_is_empty() {
    let site = Site::new();
    site.repository("app");
    check_problem(&site.fetch("app"), "empty-repository", &["git.example/app"]);
}
