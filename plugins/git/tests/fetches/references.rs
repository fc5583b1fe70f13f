//! Which commit a reference means, and what is said where it means none.

use sti_git::Git;
use sti_plugin::testing::AddressBuilder;

use crate::support::{Repository, Site, check_problem, listing, servers};

/// A repository with three commits, two branches and three tags; answers the commits.
fn site() -> (Site, Repository, [String; 3]) {
    let site = Site::new();
    let repository = site.repository("app");
    let first = repository.file("f", "1").commit("first");
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "--annotate", "--message", "m", "v1"]);
    repository.git(&["tag", "--annotate", "--message", "m", "v1-again", "v1"]);
    let second = repository.file("f", "2").commit("second");
    let third = repository.file("f", "3").commit("third");
    repository.git(&["branch", "feature/a", &second]);
    (site, repository, [first, second, third])
}

fn check_finds(site: &Site, reference: &str, content: &str, commit: &str, told: Option<&str>) {
    let fetched = site.fetch_reference("app", reference);
    assert_eq!(listing(&fetched), format!("f = {content}"), "{reference}");
    assert_eq!(fetched.facts["revision"], commit, "{reference}");
    assert_eq!(fetched.facts.get("reference").map(String::as_str), told, "{reference}");
}

#[test]
fn finds_branches_tags_and_commits() {
    let (site, _, [first, second, third]) = site();
    check_finds(&site, "HEAD", "3", &third, Some("main"));
    check_finds(&site, "main", "3", &third, Some("main"));
    check_finds(&site, "feature/a", "2", &second, Some("feature/a"));
    check_finds(&site, "refs/heads/feature/a", "2", &second, Some("feature/a"));
    check_finds(&site, "light", "1", &first, Some("light"));
    check_finds(&site, "v1", "1", &first, Some("v1"));
    check_finds(&site, "v1-again", "1", &first, Some("v1-again"));
    check_finds(&site, "tags/v1", "1", &first, Some("v1"));
    check_finds(&site, &second, "2", &second, None);
    check_finds(&site, &second.to_uppercase(), "2", &second, None);
}

#[test]
fn finds_a_commit_by_a_tags_own_identifier() {
    let (site, repository, [first, ..]) = site();
    let tag = repository.git(&["rev-parse", "v1"]);
    check_finds(&site, &tag, "1", &first, None);
    // The next time it is known what the tag means, before a server is asked.
    let kept = site.fetch_reference("app", &tag).keeps;
    let address =
        kept.iter().fold(site.address("app").reference(&tag), |address, (name, bytes)| address.kept(name, bytes.clone()));
    let again = address.kept_tree(&format!("commit {first}")).fetch::<Git>();
    assert!(again.is_reused);
    assert_eq!(again.facts["revision"], first);
}

#[test]
fn finds_abbreviated_commits_at_tips_and_in_the_history() {
    let (site, repository, [_, _, third]) = site();
    check_finds(&site, &third[..8], "3", &third, None);
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let fourth = repository.file("f", "4").commit("fourth");
    check_finds(&site, &third[..8], "3", &third, None);
    check_finds(&site, &fourth[..5], "4", &fourth, None);
}

#[test]
fn says_that_a_server_cannot_tell_what_an_abbreviation_means() {
    let (site, repository, [_, _, third]) = site();
    repository.file("f", "4").commit("fourth");
    check_problem(&site.fetch_reference("app", &third[..8]), "commit-abbreviated", &["40 digits", &third[..8]]);
}

#[test]
fn names_the_nearest_references_where_there_is_none() {
    let (site, ..) = site();
    check_problem(&site.fetch_reference("app", "mian"), "reference-not-found", &["`mian`", "`main`"]);
    check_problem(&site.fetch_reference("app", "feature/b"), "reference-not-found", &["`feature/a`"]);
    check_problem(&site.fetch_reference("app", "0123456"), "commit-abbreviated", &["0123456"]);
}

#[test]
fn asks_which_is_meant_where_branch_and_tag_differ() {
    let (site, repository, _) = site();
    repository.git(&["branch", "v1", "main"]);
    check_problem(&site.fetch_reference("app", "v1"), "ambiguous-reference", &["`refs/heads/v1`", "`refs/tags/v1`"]);
}

#[test]
fn says_that_a_commit_is_not_there() {
    let (site, ..) = site();
    check_problem(&site.fetch_reference("app", &"0123456789".repeat(4)), "commit-not-served", &["0123456789", "branch or tag"]);
}

#[test]
fn looks_for_a_commit_in_everything_where_a_server_does_not_send_it_by_itself() {
    let (site, _, [_, second, _]) = site();
    let path = site.root().join("app");
    let address = AddressBuilder::new("ssh://git.example/app").repositories(move |_| Ok(servers::upload_pack(&path, "0")));
    let fetched = address.clone().reference(&second).fetch::<Git>();
    assert_eq!(listing(&fetched), "f = 2");
    assert_eq!(fetched.facts["revision"], second);
    check_problem(&address.reference(&"0123456789".repeat(4)).fetch::<Git>(), "commit-not-served", &["0123456789"]);
}

#[test]
fn refuses_tags_of_what_is_no_commit() {
    let (site, repository, _) = site();
    repository.git(&["tag", "tree", "HEAD^{tree}"]);
    repository.git(&["tag", "blob", "HEAD:f"]);
    check_problem(&site.fetch_reference("app", "tree"), "not-a-commit", &["tree"]);
    check_problem(&site.fetch_reference("app", "blob"), "not-a-commit", &["blob"]);
}

#[test]
fn refuses_what_is_no_reference_before_anything_is_asked() {
    let nobody = AddressBuilder::new("https://git.example/a.git");
    for reference in ["a\u{7}b", "-u", "a..b", "a b"] {
        check_problem(&nobody.clone().reference(reference).fetch::<Git>(), "invalid-reference", &[]);
    }
    check_problem(&nobody.reference("HEAD~2").fetch::<Git>(), "revision-not-supported", &["`~`", "git rev-parse"]);
}
