//! What a newer commit adds: packs that were kept are built upon, and never trusted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sti_git::Git;
use sti_plugin::testing::{AddressBuilder, Fetched};

use crate::support::{Repository, Site, listing, servers};

/// A repository of some files that do not compress, and its first fetch.
fn site() -> (Site, Repository, Fetched) {
    let site = Site::new();
    let repository = site.repository("app");
    for number in 0..40_u32 {
        repository.file(&format!("d{}/f{number}", number % 7), noise(number, 4000));
    }
    repository.file("text", "one\n".repeat(5000)).commit("first");
    let first = site.fetch("app");
    (site, repository, first)
}

/// Bytes that no compression makes smaller.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// An address at which is kept what an earlier fetch left, and how many bytes the server sends.
fn again(site: &Site, earlier: &Fetched) -> (AddressBuilder, Arc<AtomicUsize>) {
    let (root, sent) = (site.root().to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    let address = site.address("app").web(move |request| {
        let answer = servers::http_backend(&root, request)?;
        counted.fetch_add(answer.body.len(), Ordering::Relaxed);
        Ok(answer)
    });
    (earlier.keeps.iter().fold(address, |address, (name, bytes)| address.kept(name, bytes.clone())), sent)
}

/// Fetches after what an earlier fetch left, and answers with the bytes that the server sent.
fn fetch_after(site: &Site, earlier: &Fetched) -> (Fetched, usize) {
    let (address, sent) = again(site, earlier);
    let fetched = address.fetch::<Git>();
    (fetched, sent.load(Ordering::Relaxed))
}

#[test]
fn a_commit_that_changes_one_file_transfers_little() {
    let (site, repository, first) = site();
    let mut text = "one\n".repeat(5000);
    text.insert_str(7000, "changed\n");
    repository.file("text", &text).file("d1/new", "new").commit("second");
    let afresh = site.fetch("app");
    let (second, sent) = fetch_after(&site, &first);
    assert!(listing(&second) == listing(&afresh));
    assert_eq!(second.expect_tree().open().read_text("text", 1 << 20).unwrap(), text);
    assert!(sent < 4000, "{sent} bytes came");
    // What was kept before stays, and the new pack beside it.
    assert_eq!((first.keeps.len(), second.keeps.len()), (2, 3));
    repository.file("d2/third", "third").commit("third");
    let (third, sent) = fetch_after(&site, &second);
    assert!(listing(&third) == listing(&site.fetch("app")));
    assert!(sent < 4000, "{sent} bytes came");
}

#[test]
fn files_that_went_or_moved_transfer_nothing() {
    let (site, repository, first) = site();
    repository.git(&["mv", "d1", "moved"]);
    repository.git(&["rm", "--quiet", "-r", "d2"]);
    repository.commit("second");
    let (second, sent) = fetch_after(&site, &first);
    assert!(listing(&second) == listing(&site.fetch("app")));
    assert!(sent < 4000, "{sent} bytes came");
}

#[test]
fn a_commit_that_is_there_is_not_fetched_again() {
    let (site, _, first) = site();
    let (second, sent) = fetch_after(&site, &first);
    assert!(listing(&second) == listing(&first));
    assert!(sent < 1000, "{sent} bytes came");
}

#[test]
fn a_history_that_was_written_anew_is_fetched() {
    let (site, repository, first) = site();
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.git(&["branch", "--delete", "--force", "main"]);
    repository.git(&["branch", "--move", "main"]);
    repository.file("text", "quite another").commit("anew");
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    repository.git(&["gc", "--quiet", "--prune=now"]);
    let (second, sent) = fetch_after(&site, &first);
    assert!(listing(&second).contains("text = quite another"));
    assert!(sent > 150_000, "{sent} bytes came, though the server knows nothing of what we have");
}

#[test]
fn packs_do_not_pile_up() {
    let (site, repository, mut fetched) = site();
    let mut most = 0;
    for number in 0..20 {
        repository.file("text", format!("text {number}")).commit("more");
        fetched = fetch_after(&site, &fetched).0;
        assert_eq!(fetched.expect_tree().open().read_text("text", 100).unwrap(), format!("text {number}"));
        most = most.max(fetched.keeps.len());
    }
    assert_eq!(most, 9, "eight packs and the list of them");
}

#[test]
fn what_is_damaged_or_gone_is_fetched_afresh() {
    let (site, repository, first) = site();
    repository.file("text", "second").commit("second");
    let expected = listing(&site.fetch("app"));
    let check = |name: &str, bytes: Option<Vec<u8>>| {
        let (address, _) = again(&site, &first);
        let address = match &bytes {
            Some(bytes) => address.kept(name, bytes.clone()),
            None => first
                .keeps
                .iter()
                .filter(|(kept, _)| *kept != name)
                .fold(site.address("app"), |address, (name, bytes)| address.kept(name, bytes.clone())),
        };
        assert!(listing(&address.fetch::<Git>()) == expected, "{name}");
    };
    for (name, whole) in &first.keeps {
        check(name, None);
        check(name, Some(Vec::new()));
        check(name, Some(whole[..whole.len() / 2].to_vec()));
        check(name, Some([whole, &b"more"[..]].concat()));
        for at in (0..whole.len()).step_by(whole.len().div_ceil(15)) {
            let mut turned = whole.clone();
            turned[at] ^= 0x11;
            check(name, Some(turned));
        }
    }
}

#[test]
fn packs_of_another_repository_change_nothing() {
    let (site, repository, first) = site();
    let other = Site::new();
    other.repository("app").file("text", "of another").commit("m");
    let elsewhere = other.fetch("app");
    repository.file("text", "second").commit("second");
    // The same names, with what another repository sent: as if somebody could write there.
    let mut mixed = first;
    let pack = |fetched: &Fetched| fetched.keeps.keys().find(|name| name.starts_with("pack-")).unwrap().clone();
    let (ours, theirs) = (pack(&mixed), pack(&elsewhere));
    mixed.keeps.insert(ours, elsewhere.keeps[&theirs].clone());
    assert!(listing(&fetch_after(&site, &mixed).0) == listing(&site.fetch("app")));
    assert!(listing(&fetch_after(&site, &elsewhere).0) == listing(&site.fetch("app")));
}
