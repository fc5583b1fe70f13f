//! Bodies that end too early, too late, or never.

use std::time::Duration;

use sti_network::Request;

use crate::server::{Answer, Server};
use crate::setup::{Setup, body, code, get};

async fn check(answer: fn() -> Answer, expected: &str) {
    check_with(Setup::usual(), answer, expected).await;
}

async fn check_with(setup: Setup, answer: fn() -> Answer, expected: &str) {
    let server = Server::start(move |_, _| answer()).await;
    let network = setup.network();
    let read = match network.send(get(&server.at("a.test", "/?secret"))).await {
        Ok(mut response) => body(&mut response).await,
        Err(error) => Err(error),
    };
    assert_eq!(code(read), expected);
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_an_error() {
    check(|| Answer::ok(b"0123456789").cut(5), "broken-off").await;
    check(|| Answer::ok(b"0123456789").cut(0), "broken-off").await;
    check(|| Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"), "broken-off").await;
    check(|| Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe"), "broken-off").await;
}

#[tokio::test]
async fn a_body_is_read_in_either_form() {
    check(|| Answer::ok(b"0123456789"), "ok").await;
    check(|| Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "ok").await;
    check(|| Answer::raw("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nto the end"), "ok").await;
}

#[tokio::test]
async fn silence_is_not_waited_for() {
    let silent: [fn() -> Answer; 4] = [
        || Answer::raw("").then_silence(),
        || Answer::raw("HTTP/1.1 200 OK\r\n").then_silence(),
        || Answer::ok(b"0123456789").cut(3).then_silence(),
        || Answer::ok(b"01").trickling(Duration::from_mins(1)),
    ];
    for answer in silent {
        check_with(Setup::usual().impatient(), answer, "timed-out").await;
    }
}

#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let server = Server::start(|_, _| Answer::ok(b"0123456789").cut(0)).await;
    let request = Request { method: "HEAD".to_owned(), ..get(&server.at("a.test", "/")) };
    let mut response = Setup::usual().network().send(request).await.unwrap();
    assert_eq!((response.header("content-length").as_deref(), body(&mut response).await.unwrap().len()), (Some("10"), 0));
}

#[tokio::test]
async fn nonsense_is_an_error() {
    check(|| Answer::raw("SSH-2.0-OpenSSH_9.2\r\n"), "broken-off").await;
    check(|| Answer::raw([b"HTTP/1.1 200 OK\r\n".as_slice(), &vec![b'a'; 2_000_000]].concat()), "broken-off").await;
}

#[tokio::test]
async fn pieces_are_no_longer_than_asked_for() {
    let server = Server::start(|_, _| Answer::ok(b"0123456789")).await;
    let mut response = Setup::usual().network().send(get(&server.at("a.test", "/"))).await.unwrap();
    assert_eq!(&response.read(4).await.unwrap()[..], b"0123");
    assert_eq!(&response.read(0).await.unwrap()[..], b"4");
    assert_eq!(&response.read(100).await.unwrap()[..], b"56789");
    assert!(response.read(4).await.unwrap().is_empty() && response.read(4).await.unwrap().is_empty());
}
