//! Repositories and servers that mean harm, or are broken. Nothing may be written elsewhere, break down or take for ever.

use gix_object::Kind;
use sti_git::Git;
use sti_plugin::{
    Problem,
    testing::{AddressBuilder, Fetched, Line, WebAnswer},
};

use crate::support::{
    Site, check_problem, listing,
    packs::{self, Entry},
    servers,
};

/// A repository of one commit whose tree has these entries, each a file; served by git, which sends what it is told to.
fn fetch_tree(entries: &[(&str, &[u8])]) -> Fetched {
    let site = Site::new();
    let repository = site.repository("app");
    let blob = repository.object("blob", b"content");
    let entries: Vec<_> = entries.iter().map(|(mode, name)| (*mode, *name, blob.as_str())).collect();
    repository.commit_tree(&repository.tree(&entries));
    site.fetch("app")
}

fn check_refuses_name(mode: &str, name: &[u8]) {
    check_problem(&fetch_tree(&[("100644", b"a"), (mode, name)]), "unsafe-path", &["git refuses it as well"]);
}

/// A commit of one file, as entries of a pack.
fn entries_of(content: &[u8]) -> (Vec<Entry>, String) {
    let tree = packs::tree(&[("100644", "f", packs::id(Kind::Blob, content))]);
    let (commit, id) = packs::commit(packs::id(Kind::Tree, &tree));
    (vec![Entry::Whole(1, commit), Entry::Whole(2, tree)], id.to_string())
}

fn fetch_pack(pack: Vec<u8>, commit: &str) -> Fetched {
    servers::sending(pack, commit).fetch::<Git>()
}

#[test]
fn takes_a_hand_made_pack_that_is_right() {
    let (mut entries, id) = entries_of(b"content");
    entries.push(Entry::Whole(3, b"content".to_vec()));
    assert_eq!(listing(&fetch_pack(packs::pack(&entries), &id)), "f = content");
}

#[test]
fn refuses_names_that_lead_elsewhere() {
    for name in [
        ".",
        "..",
        ".git",
        ".GIT",
        ".Git",
        "git~1",
        ".git ",
        ".git.",
        ".git::$INDEX_ALLOCATION",
        ".g\u{200c}it",
        "a/../../b",
        "/etc/decoy",
    ] {
        check_refuses_name("100644", name.as_bytes());
    }
    check_refuses_name("120000", b".gitmodules");
}

#[test]
fn names_the_whole_path_of_what_it_refuses() {
    let site = Site::new();
    let repository = site.repository("app");
    let blob = repository.object("blob", b"content");
    let inner = repository.tree(&[("100755", b"hooks", &blob)]);
    let outer = repository.tree(&[("40000", b".GIT", &inner)]);
    repository.commit_tree(&repository.tree(&[("40000", b"deep", &outer)]));
    check_problem(&site.fetch("app"), "unsafe-path", &["`deep/.GIT`"]);
}

#[test]
fn refuses_names_that_are_no_text_and_links_to_nothing() {
    check_problem(&fetch_tree(&[("100644", b"a\xff")]), "name-not-utf8", &["a"]);
    let site = Site::new();
    let repository = site.repository("app");
    let empty = repository.object("blob", b"");
    repository.commit_tree(&repository.tree(&[("120000", b"link", &empty)]));
    check_problem(&site.fetch("app"), "invalid-link", &["`link`"]);
}

#[test]
fn refuses_two_entries_of_one_name_whatever_they_are() {
    check_problem(&fetch_tree(&[("100644", b"a"), ("100644", b"a")]), "duplicate-entry", &["`a`"]);
    // A link, and then a directory in its place whose files would go through it.
    let site = Site::new();
    let repository = site.repository("app");
    let target = repository.object("blob", b"/nonexistent/decoy");
    let blob = repository.object("blob", b"content");
    let below = repository.tree(&[("100644", b"written", &blob)]);
    repository.commit_tree(&repository.tree(&[("120000", b"link", &target), ("40000", b"link", &below)]));
    check_problem(&site.fetch("app"), "duplicate-entry", &["`link`"]);
}

#[test]
fn refuses_modes_that_mean_nothing_and_keeps_no_more_than_two() {
    check_problem(&fetch_tree(&[("150000", b"a")]), "damaged-repository", &["`a`", "150000"]);
    check_problem(&fetch_tree(&[("10644", b"a")]), "damaged-repository", &["`a`"]);
    assert_eq!(listing(&fetch_tree(&[("100666", b"a"), ("104755", b"b")])), "a = content\nb (executable) = content");
}

#[test]
fn refuses_trees_that_hold_each_other_again_and_again() {
    let site = Site::new();
    let repository = site.repository("app");
    let mut tree = repository.tree(&[]);
    let names: Vec<String> = (0..20).map(|number| format!("d{number:02}")).collect();
    for _ in 0..8 {
        let entries: Vec<_> = names.iter().map(|name| ("40000", name.as_bytes(), tree.as_str())).collect();
        tree = repository.tree(&entries);
    }
    repository.commit_tree(&tree);
    check_problem(&site.fetch("app"), "too-many-entries", &["2000000"]);
}

#[test]
fn refuses_directories_without_end() {
    let (mut entries, mut tree) = (Vec::new(), packs::tree(&[]));
    for _ in 0..3000 {
        entries.push(Entry::Whole(2, tree.clone()));
        tree = packs::tree(&[("40000", "d", packs::id(Kind::Tree, &tree))]);
    }
    let (commit, id) = packs::commit(packs::id(Kind::Tree, &tree));
    entries.extend([Entry::Whole(2, tree), Entry::Whole(1, commit)]);
    check_problem(&fetch_pack(packs::pack(&entries), &id.to_string()), "too-deep", &["2048"]);
}

#[test]
fn says_what_is_missing_or_of_another_kind() {
    let (entries, id) = entries_of(b"content");
    check_problem(&fetch_pack(packs::pack(&entries), &id), "damaged-repository", &["missing"]);
    check_problem(&fetch_pack(packs::pack(&entries[1..]), &id), "damaged-repository", &["missing", &id]);
    let (commit, id) = packs::commit(packs::id(Kind::Blob, b"content"));
    let pack = packs::pack(&[Entry::Whole(1, commit), Entry::Whole(3, b"content".to_vec())]);
    check_problem(&fetch_pack(pack, &id.to_string()), "damaged-repository", &["is a blob where a tree should be"]);
    let pack = packs::pack(&[Entry::Whole(1, b"tree nonsense".to_vec())]);
    check_problem(&fetch_pack(pack, &packs::id(Kind::Commit, b"tree nonsense").to_string()), "damaged-repository", &[]);
}

#[test]
fn refuses_packs_that_end_too_early_anywhere() {
    let (mut entries, id) = entries_of(b"content");
    entries.push(Entry::Whole(3, b"content".to_vec()));
    let pack = packs::pack(&entries);
    for end in 0..pack.len() {
        let fetched = fetch_pack(pack[..end].to_vec(), &id);
        assert!(["damaged-repository", "fetch-failed"].contains(&fetched.expect_problem().code()), "{end}: {:?}", fetched.result);
    }
}

#[test]
fn refuses_packs_with_any_bit_turned() {
    let (mut entries, id) = entries_of(b"content");
    entries.push(Entry::Whole(3, b"content".to_vec()));
    let pack = packs::pack(&entries);
    for at in 0..pack.len() {
        let mut turned = pack.clone();
        turned[at] ^= 0x10;
        assert!(fetch_pack(turned.clone(), &id).result.is_err(), "the checksum at {at}");
        // With a checksum that fits, what is wrong must be found in the content, or change nothing that was asked for.
        turned.truncate(pack.len() - 20);
        let fetched = fetch_pack(packs::sealed(turned), &id);
        assert!(fetched.result.is_err() || listing(&fetched) == "f = content", "the content at {at}");
    }
}

#[test]
fn refuses_sizes_that_lie() {
    for size in [0, 6, 8, 1 << 20, 1 << 31, u64::from(u32::MAX) + 8, 1 << 45] {
        let (mut entries, id) = entries_of(b"content");
        entries.push(Entry::Lying(3, size, b"content".to_vec()));
        let fetched = fetch_pack(packs::pack(&entries), &id);
        assert!(
            ["damaged-repository", "repository-too-large"].contains(&fetched.expect_problem().code()),
            "{size}: {:?}",
            fetched.result
        );
    }
}

#[test]
fn refuses_packs_that_say_they_hold_more_than_they_do() {
    for count in [4_u32, 1 << 20, u32::MAX] {
        let (mut entries, id) = entries_of(b"content");
        entries.push(Entry::Whole(3, b"content".to_vec()));
        let mut pack = packs::pack(&entries);
        pack[8..12].copy_from_slice(&count.to_be_bytes());
        pack.truncate(pack.len() - 20);
        check_problem(&fetch_pack(packs::sealed(pack), &id), "damaged-repository", &[]);
    }
}

#[test]
fn puts_together_a_delta_chain_of_ten_thousand() {
    let mut content = b"a".to_vec();
    let mut chain = vec![Entry::Whole(3, content.clone())];
    for at in 0..10_000 {
        chain.push(Entry::Delta(at, packs::appending(content.len() as u64, b"b")));
        content.push(b'b');
    }
    let (entries, id) = entries_of(&content);
    chain.extend(entries);
    let fetched = fetch_pack(packs::pack(&chain), &id);
    assert_eq!(listing(&fetched), "f = 10001 bytes");
}

#[test]
fn refuses_deltas_that_build_on_each_other_or_on_nothing() {
    let nothing = packs::id(Kind::Blob, b"nowhere");
    let (mut entries, id) = entries_of(b"content");
    entries.push(Entry::ByName(nothing, packs::appending(7, b"")));
    check_problem(&fetch_pack(packs::pack(&entries), &id), "damaged-repository", &[]);
    // Two that each name the other: what they would be cannot be known before.
    let (one, two) = (packs::id(Kind::Blob, b"one"), packs::id(Kind::Blob, b"two"));
    let (mut entries, id) = entries_of(b"content");
    entries.extend([Entry::ByName(two, packs::appending(3, b"x")), Entry::ByName(one, packs::appending(3, b"x"))]);
    check_problem(&fetch_pack(packs::pack(&entries), &id), "damaged-repository", &[]);
}

#[test]
fn refuses_deltas_that_read_or_write_beyond_their_sizes() {
    let beyond = |delta: Vec<u8>| {
        let (mut entries, id) = entries_of(b"content");
        entries.extend([Entry::Whole(3, b"0123456789".to_vec()), Entry::Delta(2, delta)]);
        fetch_pack(packs::pack(&entries), &id)
    };
    let sizes = |base: u64, made: u64| [packs::number(base), packs::number(made)].concat();
    for delta in [
        Vec::new(),
        vec![0x80],
        vec![0xff; 30],
        [sizes(10, 20), vec![0x91, 5, 20]].concat(),
        [sizes(10, 2), vec![0x90, 10]].concat(),
        [sizes(10, 20), vec![0x90, 10]].concat(),
        [sizes(99, 10), vec![0x90, 10]].concat(),
        [sizes(10, 5), vec![0]].concat(),
        [sizes(10, 5), vec![100, 1, 2]].concat(),
        [sizes(10, 1 << 60), vec![0x90, 10]].concat(),
    ] {
        let fetched = beyond(delta.clone());
        let code = fetched.expect_problem().code();
        assert!(["damaged-repository", "object-too-large"].contains(&code), "{delta:?}: {:?}", fetched.result);
    }
}

#[test]
fn refuses_a_delta_bomb_before_it_is_put_together() {
    let size = 32 << 20;
    let mut entries = vec![Entry::Whole(3, vec![0; size])];
    entries.extend((0..200_u8).map(|number| Entry::Delta(0, packs::appending(size as u64, &[number]))));
    let pack = packs::pack(&entries);
    assert!(pack.len() < 1 << 20, "{} bytes", pack.len());
    check_problem(&fetch_pack(pack, &"1".repeat(40)), "repository-too-large", &["4096 MiB"]);
}

#[test]
fn refuses_what_would_have_to_be_put_together_in_memory_and_does_not_fit() {
    let size = 60 << 20;
    let (mut entries, id) = entries_of(b"content");
    entries.extend([Entry::Whole(3, vec![0; size]), Entry::Delta(2, packs::appending(size as u64, b"x"))]);
    check_problem(&fetch_pack(packs::pack(&entries), &id), "object-too-large", &["60 MiB", "Git LFS"]);
    let (mut entries, id) = entries_of(b"content");
    entries.push(Entry::Whole(2, vec![0; 100 << 20]));
    check_problem(&fetch_pack(packs::pack(&entries), &id), "object-too-large", &["100 MiB"]);
}

#[test]
fn refuses_a_large_file_that_lies_about_its_size_or_its_end() {
    let content = vec![7; 5 << 20];
    for size in [content.len() as u64 - 1, content.len() as u64 + 1, 3 << 30] {
        let (mut entries, id) = entries_of(&content);
        entries.push(Entry::Lying(3, size, content.clone()));
        let fetched = fetch_pack(packs::pack(&entries), &id);
        assert_eq!(fetched.expect_problem().code(), "damaged-repository", "{size}: {:?}", fetched.result);
    }
    let (mut entries, id) = entries_of(&content);
    entries.push(Entry::Whole(3, content.clone()));
    let fetched = fetch_pack(packs::pack(&entries), &id);
    assert!(fetched.expect_tree().open().read("f", 8 << 20).unwrap() == content);
}

#[test]
fn says_that_a_server_answers_no_git() {
    let answering = |status: u16, kind: &'static str| {
        let web = move |_: &_| Ok(WebAnswer::new(status, "<html>").header("content-type", kind));
        AddressBuilder::new("https://git.example/a.git").web(web).fetch::<Git>()
    };
    check_problem(&answering(200, "text/html"), "not-a-repository", &["https://git.example/a.git", "text/html", "git clone"]);
    check_problem(&answering(401, "text/html"), "authentication-failed", &["401", ".netrc", "credential helpers"]);
    check_problem(&answering(403, "text/html"), "authentication-failed", &["403"]);
    check_problem(&answering(404, "text/html"), "repository-not-found", &["`https://git.example/a.git`"]);
    check_problem(&answering(503, "text/html"), "fetch-failed", &["503"]);
}

#[test]
fn says_that_other_identifiers_are_not_supported() {
    let address = AddressBuilder::new("https://git.example/a.git").web(|_| Ok(servers::advertisement("sha256")));
    check_problem(&address.fetch::<Git>(), "object-format-not-supported", &["sha256", "git clone"]);
}

#[test]
fn passes_on_that_a_line_broke() {
    let (mut entries, id) = entries_of(b"content");
    entries.push(Entry::Whole(3, b"content".to_vec()));
    let whole = packs::answer(&packs::pack(&entries));
    let served = servers::sending(packs::pack(&entries), &id);
    let address = served.web(move |request| {
        let body = String::from_utf8_lossy(&request.body);
        let cut = || Problem::unavailable("cut-off", "the line was cut");
        Ok(if request.method == "GET" {
            servers::advertisement("sha1")
        } else if body.contains("command=ls-refs") {
            servers::result(&[packs::line(&format!("{id} HEAD\n")), b"0000".to_vec()].concat())
        } else {
            servers::result(&whole[..whole.len() / 2]).then_breaks(cut())
        })
    });
    check_problem(&address.fetch::<Git>(), "cut-off", &["the line was cut"]);
}

#[test]
fn stops_reading_a_list_without_end() {
    let address = AddressBuilder::new("https://git.example/a.git").web(|request| {
        if request.method == "GET" {
            return Ok(servers::advertisement("sha1"));
        }
        let name = "n".repeat(60_000);
        let lines = (0..600).flat_map(|number| packs::line(&format!("{} refs/heads/{name}{number}\n", "1".repeat(40))));
        Ok(servers::result(&lines.collect::<Vec<u8>>()))
    });
    check_problem(&address.fetch::<Git>(), "answer-too-large", &["git clone --depth 1"]);
}

#[test]
fn survives_a_name_that_stands_for_another_and_is_not_listed() {
    let id = "1".repeat(40);
    let hello = format!("{id} HEAD\0side-band-64k symref=HEAD:refs/heads/main symref=HOAD:refs/heads/main symref=X\n");
    let said = [packs::line(&hello), packs::line(&format!("{id} refs/heads/main\n")), b"0000".to_vec()].concat();
    let address = AddressBuilder::new("git://git.example/a.git")
        .repositories(move |_| Ok(Line::new(std::io::Cursor::new(said.clone()), std::io::sink())));
    let fetched = address.fetch::<Git>();
    check_problem(&fetched, "fetch-failed", &["git://git.example/a.git"]);
}

#[test]
fn survives_answers_that_are_no_protocol() {
    for body in
        ["", "0000", "ffff", "zzzz", "0004", "001e# service=git-upload-pack\n", "000bversion", "0003", "fff0abc", "0009ERR x"]
    {
        let address = AddressBuilder::new("https://git.example/a.git")
            .web(move |_| Ok(WebAnswer::new(200, body).header("content-type", "application/x-git-upload-pack-advertisement")));
        let fetched = address.fetch::<Git>();
        assert!(fetched.result.is_err(), "{body}");
    }
}
