//! Servers that hang, lie, or lead elsewhere.

use std::{fs, thread, time::Duration};

use sti_tests::Signal;

use crate::{
    codecs::gzip,
    repositories::Repository,
    server::{Reply, Server},
    tar,
    yard::{FAILED, INVALID, NOT_GRANTED, Yard},
};

fn archive() -> Vec<u8> {
    gzip(&tar::whole(&[tar::file("a", b"1")]))
}

#[test]
fn answers_that_are_no_source_are_refused_in_words() {
    let yard = Yard::new();
    let html = Server::start(|_| Reply::ok("text/html", "<!doctype html><title>Sign in</title>"));
    yard.refuses("a page for an archive", &format!("{}/a.tar.gz", html.url), &[], INVALID, &["page of the web"]);
    yard.refuses("a page for a repository", &format!("{}/a.git", html.url), &[], INVALID, &["text/html", "git clone"]);
    for body in ["", "0000", "zzzz", "0004", "0009ERR x", "001e# service=git-upload-pack\n"] {
        let server = Server::start(move |_| Reply::ok("application/x-git-upload-pack-advertisement", body));
        let outcome = yard.fetch("an answer that is no protocol", &format!("{}/a.git", server.url), &[]);
        assert!([INVALID.0, FAILED.0].contains(&outcome.status.code().unwrap()), "{body}\n{outcome}");
    }
}

#[test]
fn redirects_lead_nowhere_that_was_not_granted() {
    let yard = Yard::new();
    let elsewhere = Server::start(|_| Reply::ok("application/gzip", archive()));
    let on_6 = Server::start_on_6(|_| Reply::ok("application/gzip", archive()));
    let mut rows = vec![
        ("another name", format!("http://localhost:{}/a.tar.gz", elsewhere.port), NOT_GRANTED, "--allow-host localhost"),
        ("another port", format!("http://127.0.0.1:{}/a.tar.gz", elsewhere.port), NOT_GRANTED, "--allow-host 127.0.0.1:"),
        ("a file", format!("file://{}", yard.decoy("file")), NOT_GRANTED, "only `http://`"),
        ("a daemon of git", format!("git://127.0.0.1:{}/a", elsewhere.port), NOT_GRANTED, "only `http://`"),
    ];
    if let Some(on_6) = &on_6 {
        rows.push(("another loopback address", format!("{}/a.tar.gz", on_6.url), NOT_GRANTED, "--allow-host"));
    }
    for (what, to, end, word) in rows {
        let server = Server::start(move |_| Reply::redirect(&to));
        for kind in ["a.tar.gz", "a.git"] {
            let outcome = yard.fetch(what, &format!("{}/{kind}", server.url), &[]);
            outcome.assert_error(end.0, end.1, &[word]);
        }
    }
    let granted = Server::start({
        let to = format!("http://localhost:{}/a.tar.gz", elsewhere.port);
        move |_| Reply::redirect(&to)
    });
    let address = format!("{}/a.tar.gz", granted.url);
    // What a pattern grants is reached at public addresses only.
    yard.refuses("a name granted", &address, &["--allow-host", "*"], NOT_GRANTED, &["loopback"]);
    assert!(elsewhere.asked().is_empty() && on_6.is_none_or(|server| server.asked().is_empty()));
    let around = Server::start(|asked| Reply::redirect(&asked.target));
    yard.refuses("itself, for ever", &format!("{}/a.tar.gz", around.url), &[], FAILED, &["redirect"]);
    assert!(around.asked().len() < 100, "{}", around.asked().len());
}

#[test]
fn a_file_of_git_lfs_comes_from_no_other_host() {
    let yard = Yard::new();
    let elsewhere = Server::start(|_| Reply::ok("application/octet-stream", "content"));
    let server = lfs_repository(&format!("http://localhost:{}/file", elsewhere.port));
    let address = format!("{}/a.git", server.url);
    yard.refuses("a file elsewhere", &address, &[], NOT_GRANTED, &["--allow-host localhost"]);
    assert!(elsewhere.asked().is_empty());
    let server = lfs_repository(&format!("file://{}", yard.decoy("file")));
    let outcome = yard.fetch("a file of this machine", &format!("{}/a.git", server.url), &[]);
    assert_ne!(outcome.status.code(), Some(0), "{outcome}");
}

/// A repository of one pointer, whose file is said to be at an address.
fn lfs_repository(href: &str) -> Server {
    use gix_object::Kind;

    use crate::packs::{self, Entry};
    let digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 7\n").into_bytes();
    let rules = b"f filter=lfs\n".to_vec();
    let blob = |content: &[u8]| packs::id(Kind::Blob, content);
    let tree = packs::tree(&[("100644", ".gitattributes", blob(&rules)), ("100644", "f", blob(&pointer))]);
    let repository = Repository::new(tree, vec![Entry::Whole(3, rules), Entry::Whole(3, pointer)]);
    let offer = format!(r#"{{"objects":[{{"oid":"{digest}","size":7,"actions":{{"download":{{"href":"{href}"}}}}}}]}}"#);
    repository.serve_with(move |target| {
        target.ends_with("/objects/batch").then(|| Reply::ok("application/vnd.git-lfs+json", offer.clone()))
    })
}

#[test]
fn lines_that_are_cut_are_told_after_some_trials() {
    let yard = Yard::new();
    let bytes = archive();
    let half = Server::start(move |_| Reply::Cut("application/gzip", bytes[..bytes.len() / 2].to_vec(), bytes.len()));
    yard.refuses("half an archive", &format!("{}/a.tar.gz", half.url), &[], FAILED, &["127.0.0.1"]);
    assert!(half.asked().len() > 1, "{:?}", half.asked());
    let half = Server::start(|_| Reply::Cut("application/x-git-upload-pack-advertisement", b"001e# service=git".to_vec(), 1000));
    yard.refuses("half a hello", &format!("{}/a.git", half.url), &[], FAILED, &["127.0.0.1"]);
}

/// How long servers are waited for is held in the tests of the network, where it can be set. Here: whoever waits can be interrupted.
#[test]
fn servers_that_hang_or_trickle_are_left_when_the_user_wants_it() {
    let yard = Yard::new();
    let silent = Server::start(|_| Reply::Nothing);
    let trickling = Server::start(|_| Reply::Trickle);
    for (what, server, path) in [
        ("a server that hangs", &silent, "a.tar.gz"),
        ("one that hangs for git", &silent, "a.git"),
        ("one that trickles", &trickling, "a.tar.gz"),
    ] {
        let _gone = fs::remove_dir_all(yard.out());
        let asked = server.asked().len();
        let running = yard.lab.start(["fetch", &format!("{}/{path}", server.url), "out", "--json"]);
        while server.asked().len() == asked {
            thread::sleep(Duration::from_millis(5));
        }
        running.signal(Signal::INT);
        let outcome = yard.lab.finish(running);
        yard.check(what, &outcome);
        outcome.assert_exit(130);
    }
}
