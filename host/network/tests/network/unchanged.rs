//! Documents that were downloaded before: asked for by their state, and what may be kept at all.

use sti_network::{Credentials, Download, Validators, clean};

use crate::server::{Answer, Seen, Server};
use crate::setup::Setup;

/// Answers as a server of files does whose document has these headers.
fn serve(seen: &Seen, headers: &[(&str, &str)]) -> Answer {
    let is = |condition: &str, of: &str| {
        let state = headers.iter().find(|(name, _)| *name == of).map(|(_, value)| *value);
        state.is_some() && seen.header(condition) == state
    };
    if is("if-none-match", "etag") || is("if-modified-since", "last-modified") {
        return Answer::new(304, headers, b"");
    }
    Answer::new(200, headers, b"document")
}

async fn download(server: &Server, path: &str) -> Download {
    Setup::usual().network().download(&server.at("a.test", path)).await.unwrap()
}

async fn again(server: &Server, path: &str, known: &Validators) -> Option<Download> {
    Setup::usual().network().download_if_changed(&server.at("a.test", path), known).await.unwrap()
}

#[tokio::test]
async fn what_is_unchanged_does_not_come_again() {
    for headers in [
        &[("etag", "\"1\"")][..],
        &[("etag", "W/\"1\""), ("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT")],
        &[("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT")],
    ] {
        let server = Server::start(|seen, _| serve(seen, headers)).await;
        let first = download(&server, "/a").await;
        assert!(first.may_be_kept());
        assert!(again(&server, "/a", first.validators().unwrap()).await.is_none(), "{headers:?}");
    }
    let server = Server::start(|_, _| Answer::ok(b"document")).await;
    assert_eq!(download(&server, "/a").await.validators(), None);
}

#[tokio::test]
async fn what_changed_comes() {
    let server = Server::start(|seen, number| serve(seen, &[("etag", ["\"1\"", "\"2\""][number.min(1)])])).await;
    let first = download(&server, "/a").await;
    let second = again(&server, "/a", first.validators().unwrap()).await.unwrap();
    assert_ne!(second.validators(), first.validators());
}

/// An address that leads to another document since, whose server says that it was not changed: it was not, but it is another.
async fn check_moved(headers: &'static [(&'static str, &'static str)], places: [&'static str; 2], comes: bool) {
    let server = Server::start(move |seen, number| match seen.target.as_str() {
        "/newest" => Answer::redirect(302, places[usize::from(number > 1)]),
        _ => serve(seen, headers),
    });
    let server = server.await;
    let first = download(&server, "/newest").await;
    let second = again(&server, "/newest", first.validators().unwrap()).await;
    assert_eq!(second.is_some(), comes, "{headers:?} {places:?}");
}

#[tokio::test]
async fn a_state_belongs_to_the_document_that_a_redirect_led_to() {
    const TIME: &[(&str, &str)] = &[("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT")];
    const WEAK: &[(&str, &str)] = &[("etag", "W/\"1\"")];
    const STRONG: &[(&str, &str)] = &[("etag", "\"1\"")];
    for headers in [TIME, WEAK, STRONG] {
        check_moved(headers, ["/1", "/2"], true).await;
        check_moved(headers, ["/1", "/1"], false).await;
    }
    check_moved(TIME, ["/get?file=1", "/get?file=2"], true).await;
    check_moved(WEAK, ["/get?file=1", "/get?file=2"], true).await;
    // What stands behind the `?` is a signature of the day, and the name of a state has no two meanings.
    check_moved(STRONG, ["/1?signature=a", "/1?signature=b"], false).await;
}

#[tokio::test]
async fn what_a_server_forbids_or_gives_to_one_user_is_not_to_be_kept() {
    for (name, value) in [("cache-control", "private, No-Store"), ("vary", "accept, *")] {
        let server = Server::start(move |_, _| Answer::new(200, &[("etag", "\"1\""), (name, value)], b"document")).await;
        assert!(!download(&server, "/a").await.may_be_kept(), "{name}: {value}");
    }
    let server = Server::start(|_, _| Answer::new(200, &[("etag", "\"1\""), ("cache-control", "no-cache")], b"document")).await;
    assert!(download(&server, "/a").await.may_be_kept(), "it is asked for its state each time");
    let (address, login) = clean(&format!("http://ada:swordfish@a.test:{}/a", server.port()));
    let setup = Setup { credentials: Credentials::none().with_login(login.unwrap()), ..Setup::usual() };
    assert!(!setup.network().download(&address).await.unwrap().may_be_kept());
}

#[tokio::test]
async fn an_answer_that_nothing_changed_is_none_where_nothing_was_known() {
    let server = Server::start(|_, _| Answer::new(304, &[("etag", "\"1\"")], b"")).await;
    assert!(Setup::usual().network().download(&server.at("a.test", "/a")).await.is_err());
}
