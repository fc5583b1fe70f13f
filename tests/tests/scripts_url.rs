//! `--scripts-url` outside of images: directories of the user's, and servers that answer with all kinds of things.
#![expect(clippy::disallowed_methods, reason = "a test writes files by itself")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use serde_json::json;
use sti_test_server::Server;
use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

by_each_strategy! {
    scripts_of_a_directory_and_of_a_server_are_used
}

const ASSEMBLE: &str = "#!/usr/bin/fixture\ncopy /tmp/src /app\nwrite /app/by given\n";
const RUN: &str = "#!/usr/bin/fixture\nprint 'run as given'\n";

fn builder(lab: &Lab) -> String {
    lab.builder(Builder::new().user("1001:7").by_assemble().s2i("assemble", "write /app/by image").s2i("run", "cat /app/by"))
}

/// A directory with scripts, and its path.
fn given(lab: &Lab) -> String {
    lab.source(&[("assemble", ASSEMBLE), ("run", RUN)])
}

fn scripts_of_a_directory_and_of_a_server_are_used(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let (builder, given) = (builder(&lab), given(&lab));
    let server = Server::start(given.as_ref(), None);
    let source = lab.source(&[("index.txt", "hello"), (".s2i/bin/assemble", "#!/usr/bin/fixture\nwrite /app/by source\n")]);
    for url in [format!("file://{given}"), server.url.clone(), format!("{}/", server.url)] {
        lab.build(&source, &builder, "app", &["-m", strategy, "--scripts-url", &url]).assert_success();
        assert_eq!(lab.product_file("app", "/app/by").as_deref(), Some("given"));
        assert_eq!(lab.config("app")["Cmd"], json!(["/tmp/scripts/run"]));
        assert_eq!(lab.run("app").output.stdout, "run as given\n");
    }
    // What is not there comes from the source, and then from the image.
    fs::remove_file(format!("{given}/assemble")).expect("it was there");
    lab.build(&source, &builder, "app", &["-m", strategy, "--scripts-url", &server.url]).assert_success();
    assert_eq!(lab.product_file("app", "/app/by").as_deref(), Some("source"));
    lab.assert_nothing_left();
}

#[test]
fn a_digest_says_which_scripts_may_be_used() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, given) = (builder(&lab), given(&lab));
    let server = Server::start(given.as_ref(), None);
    let source = lab.source(&[("index.txt", "hello")]);
    let sum = |text: &str| sti_core::digest::sha256(text.as_bytes());
    let list = format!("{}  assemble\n{}  run\n", sum(ASSEMBLE), sum(RUN));
    fs::write(format!("{given}/SHA256SUMS"), &list).expect("there is room");
    let build = |url: &str, digest: &str| {
        lab.build(&source, &builder, "app", &["--scripts-url", &format!("{url}#sha256={digest}"), "--json"])
    };
    let local = format!("file://{given}");
    for url in [&local, &server.url] {
        build(url, &sum(&list)).assert_success();
        assert_eq!(lab.product_file("app", "/app/by").as_deref(), Some("given"));
        build(url, &sum("other")).assert_error(1, "source-invalid", &["SHA256SUMS", "expected"]);
    }
    fs::write(format!("{given}/assemble"), format!("{ASSEMBLE}# changed\n")).expect("there is room");
    for url in [&local, &server.url] {
        build(url, &sum(&list)).assert_error(1, "source-invalid", &["`assemble`", "expected"]);
    }
    build(&local, "12").assert_error(2, "invalid-argument", &["sha256:12"]);
    lab.assert_nothing_left();
}

/// A server that answers every request with these bytes.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of our own");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _asked = stream.read(&mut [0; 4096]);
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn what_is_no_script_is_refused_and_told() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, given) = (builder(&lab), given(&lab));
    let source = lab.source(&[("index.txt", "hello")]);
    let elsewhere = Server::start(given.as_ref(), None);
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>";
    let plain_page = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\nConnection: close\r\n\r\n<!DOCTYPE html><html/>";
    let login = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let broken = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let redirect =
        "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/assemble\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let answers = [
        (page, 1, "source-invalid", "page"),
        (plain_page, 1, "validation-failed", "page"),
        (login, 5, "fetch-failed", "401"),
        (broken, 5, "fetch-failed", "503"),
        (redirect, 3, "not-granted", "localhost"),
    ];
    for (answer, exit, condition, says) in answers {
        let url = answering(answer);
        let failed = lab.build(&source, &builder, "app", &["--scripts-url", &url, "--json"]);
        failed.assert_error(exit, condition, &[says]);
    }
    // A label leads nowhere unless the user says the same.
    let labelled = lab.builder(Builder::new().config(&format!("LABEL io.openshift.s2i.scripts-url={}", elsewhere.url)));
    let refused = lab.build(&source, &labelled, "app", &["--json"]);
    refused.assert_error(1, "validation-failed", &[&elsewhere.url, "--scripts-url"]);
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
    lab.build(&source, &labelled, "app", &["--scripts-url", &elsewhere.url]).assert_success();
    let rows = [
        ("file://relative", 2, "absolute"),
        ("file:///nowhere/at/all", 2, "/nowhere/at/all"),
        ("https://user:password@example.com/x", 2, ".netrc"),
        ("https://", 2, "no address"),
        ("ftp://example.com/x", 1, "image:///"),
    ];
    for (url, exit, says) in rows {
        let refused = lab.build(&source, &builder, "other", &["--scripts-url", url, "--json"]);
        refused.assert_exit(exit).assert_says(says).assert_silent_about("password");
    }
    let hostile = lab.source(&[("decoy", "secret")]);
    std::os::unix::fs::symlink(format!("{hostile}/decoy"), format!("{given}/save-artifacts")).expect("there is room");
    fs::remove_file(format!("{given}/assemble")).expect("it was there");
    std::os::unix::fs::symlink(format!("{hostile}/decoy"), format!("{given}/assemble")).expect("there is room");
    let refused = lab.build(&source, &builder, "other", &["--scripts-url", &format!("file://{given}"), "--json"]);
    refused.assert_exit(5).assert_says("assemble").assert_silent_about("secret");
    assert_eq!(lab.image_id("other"), None);
    lab.assert_nothing_left();
}
