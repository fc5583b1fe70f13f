//! Whole documents: resumed after a break, begun anew after a change, counted and hashed.

use sha2::{Digest, Sha256};
use std::time::Duration;
use sti_network::{Download, Error, Timeouts};

use crate::server::{Answer, Seen, Server};
use crate::setup::{Setup, code};

fn document(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

fn all_of(download: &Download) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let piece = download.blob().read(all.len() as u64, 100_000).unwrap();
        if piece.is_empty() {
            return all;
        }
        all.extend(piece);
    }
}

fn check_is(download: &Download, expected: &[u8]) {
    assert_eq!((download.blob().size(), all_of(download) == expected), (expected.len() as u64, true));
    let digest = Sha256::digest(expected).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(download.sha256(), digest);
}

/// What of a document is asked for, and of which version.
fn range(seen: &Seen) -> Option<(usize, String)> {
    let first = seen.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()?;
    Some((first, seen.header("if-range")?.to_owned()))
}

/// Serves a version as a server of files does.
fn serve_version(seen: &Seen, tag: &str, document: &[u8]) -> Answer {
    match range(seen) {
        Some((first, same)) if same == tag => {
            let range = format!("bytes {first}-{}/{}", document.len() - 1, document.len());
            Answer::new(206, &[("etag", tag), ("content-range", &range)], &document[first..])
        }
        _ => Answer::new(200, &[("etag", tag)], document),
    }
}

async fn download(server: &Server) -> Result<Download, Error> {
    Setup::usual().network().download(&server.at("a.test", "/app.tar?secret")).await
}

#[tokio::test]
async fn a_document_is_read_at_any_place() {
    let server = Server::start(|seen, _| serve_version(seen, "\"1\"", &document(300_000))).await;
    let download = download(&server).await.unwrap();
    check_is(&download, &document(300_000));
    assert_eq!(download.blob().read(299_990, 100).unwrap(), &document(300_000)[299_990..]);
    assert!(download.blob().read(300_000, 100).unwrap().is_empty() && download.blob().read(u64::MAX, 100).unwrap().is_empty());
    assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn an_empty_document_is_a_document() {
    let server = Server::start(|seen, _| serve_version(seen, "\"1\"", b"")).await;
    check_is(&download(&server).await.unwrap(), b"");
}

#[tokio::test]
async fn a_download_is_resumed_after_a_break_at_any_place() {
    for at in [0, 1, 2, 4095, 4096, 65_536, 99_998, 99_999] {
        let server = Server::start(move |seen, number| {
            let answer = serve_version(seen, "\"1\"", &document(100_000));
            if number == 0 { answer.cut(at) } else { answer }
        });
        let server = server.await;
        check_is(&download(&server).await.unwrap(), &document(100_000));
        let asked = server.seen().iter().map(range).collect::<Vec<_>>();
        let again = (at > 0).then(|| (at, "\"1\"".to_owned()));
        assert_eq!(asked, [None, again], "cut at {at}");
    }
}

#[tokio::test]
async fn several_breaks_are_survived() {
    let server = Server::start(|seen, number| {
        let answer = serve_version(seen, "\"1\"", &document(10_000));
        if number < 3 { answer.cut(1000) } else { answer }
    });
    let server = server.await;
    check_is(&download(&server).await.unwrap(), &document(10_000));
    assert_eq!(
        server.seen().iter().map(range).map(|range| range.map_or(0, |range| range.0)).collect::<Vec<_>>(),
        [0, 1000, 2000, 3000]
    );
}

#[tokio::test]
async fn a_document_that_changes_is_begun_anew() {
    let server = Server::start(|seen, number| match number {
        0 => serve_version(seen, "\"1\"", &document(50_000)).cut(20_000),
        _ => serve_version(seen, "\"2\"", b"another one"),
    });
    let server = server.await;
    check_is(&download(&server).await.unwrap(), b"another one");
    assert_eq!(range(&server.seen()[1]), Some((20_000, "\"1\"".to_owned())));
}

#[tokio::test]
async fn a_part_that_does_not_fit_is_thrown_away() {
    for wrong in ["bytes 10-49999/50000", "bytes 20000-49999/60000", "bytes */50000", "nonsense"] {
        let server = Server::start(move |seen, number| match number {
            0 => serve_version(seen, "\"1\"", &document(50_000)).cut(20_000),
            1 => Answer::new(206, &[("etag", "\"1\""), ("content-range", wrong)], &document(30_000)),
            _ => serve_version(seen, "\"1\"", &document(50_000)),
        });
        let server = server.await;
        check_is(&download(&server).await.unwrap(), &document(50_000));
        assert_eq!(range(&server.seen()[2]), None, "{wrong}");
    }
}

#[tokio::test]
async fn without_a_sign_that_it_is_the_same_all_of_it_is_fetched_again() {
    for headers in [&[][..], &[("etag", "W/\"1\"")]] {
        let server = Server::start(move |_, number| {
            let answer = Answer::new(200, headers, &document(5000));
            if number == 0 { answer.cut(100) } else { answer }
        });
        let server = server.await;
        check_is(&download(&server).await.unwrap(), &document(5000));
        assert_eq!(range(&server.seen()[1]), None);
    }
}

#[tokio::test]
async fn a_server_that_always_breaks_off_is_given_up() {
    let server = Server::start(|seen, _| serve_version(seen, "\"1\"", &document(10_000)).cut(0)).await;
    assert_eq!(code(download(&server).await), "broken-off");
    assert_eq!(server.seen().len(), 4);
}

async fn check_status(status: u16, expected: &str, asked: usize) {
    let server = Server::start(move |_, _| Answer::new(status, &[("retry-after", "0")], b"<html>")).await;
    assert_eq!(code(download(&server).await), expected, "{status}");
    assert_eq!(server.seen().len(), asked, "{status}");
}

#[tokio::test]
async fn the_status_says_what_is_wrong() {
    for (status, expected) in [(404, "not-found"), (410, "not-found"), (401, "access-denied"), (403, "access-denied")] {
        check_status(status, expected, 1).await;
    }
    for status in [204, 206, 304, 400, 418, 501] {
        check_status(status, "unexpected-status", 1).await;
    }
    for status in [429, 500, 502, 503, 504] {
        check_status(status, "unexpected-status", 4).await;
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    let server = Server::start(|seen, number| match number {
        0 => Answer::new(503, &[("retry-after", "0")], b""),
        _ => serve_version(seen, "\"1\"", b"there"),
    });
    check_is(&download(&server.await).await.unwrap(), b"there");
}

#[tokio::test]
async fn a_download_has_a_limit_whether_or_not_it_is_announced() {
    let announced = Server::start(|_, _| Answer::ok(&document(2000))).await;
    let long = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(), &document(2000)].concat();
    let silent = Server::start(move |_, _| Answer::raw(long.clone())).await;
    for server in [announced, silent] {
        let network = Setup { download_limit: 1999, ..Setup::usual() }.network();
        assert_eq!(code(network.download(&server.at("a.test", "/")).await), "download-too-large");
        let network = Setup { download_limit: 2000, ..Setup::usual() }.network();
        assert_eq!(network.download(&server.at("a.test", "/")).await.unwrap().blob().size(), 2000);
        // Of all downloads together: a thousand small ones fill a disk, too.
        assert_eq!(code(network.download(&server.at("a.test", "/")).await), "download-too-large");
    }
}

#[tokio::test]
async fn a_download_that_trickles_is_given_up() {
    let slow = Answer::trickling;
    let server =
        Server::start(move |seen, _| slow(serve_version(seen, "\"1\"", &document(1000)), Duration::from_millis(5))).await;
    let timeouts = Timeouts { idle: Duration::from_secs(1), ..Setup::usual().timeouts };
    let error = Setup { timeouts, ..Setup::usual() }.network().download(&server.at("a.test", "/")).await;
    assert_eq!(code(error), "too-slow");
}

#[tokio::test]
async fn silence_in_a_download_is_a_break() {
    let server = Server::start(|seen, number| {
        let answer = serve_version(seen, "\"1\"", &document(5000));
        if number == 0 { answer.cut(2000).then_silence() } else { answer }
    });
    let server = server.await;
    let network = Setup::usual().impatient().network();
    check_is(&network.download(&server.at("a.test", "/")).await.unwrap(), &document(5000));
    assert_eq!(range(&server.seen()[1]), Some((2000, "\"1\"".to_owned())));
}
