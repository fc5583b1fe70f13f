//! Documents that are handed in: whole each time, tried a few times, and not carried off to another host.

use sti_core::hosts::Reach;
use sti_network::Credentials;

use crate::server::{Answer, Seen, Server};
use crate::setup::Setup;

const DOCUMENT: &[u8] = br#"{"success":true}"#;

async fn posted(server: &Server, setup: Setup, path: &str) -> Result<u16, String> {
    let posted = setup.network().post(&server.at("a.test", path), DOCUMENT.to_vec()).await;
    posted.map_err(|error| error.code().to_owned())
}

fn assert_whole(seen: &[Seen], times: usize) {
    assert_eq!(seen.len(), times, "{seen:?}");
    for seen in seen {
        assert_eq!((seen.method.as_str(), seen.body.as_slice()), ("POST", DOCUMENT));
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
}

async fn check(answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static, expected: Result<u16, &str>, times: usize) {
    let server = Server::start(answer).await;
    assert_eq!(posted(&server, Setup::usual(), "/").await, expected.map_err(str::to_owned));
    assert_whole(&server.seen(), times);
}

#[tokio::test]
async fn it_is_handed_in_once_where_it_is_taken_or_refused() {
    for status in [200, 204, 301, 302, 303, 400, 404] {
        check(move |_, _| Answer::new(status, &[("location", "/b")], b""), Ok(status), 1).await;
    }
}

#[tokio::test]
async fn it_is_whole_each_time_that_it_is_tried() {
    check(|_, number| Answer::new(if number < 2 { 503 } else { 200 }, &[], b""), Ok(200), 3).await;
    check(|_, number| if number == 0 { Answer::raw("") } else { Answer::ok(b"") }, Ok(200), 2).await;
}

#[tokio::test]
async fn it_is_tried_three_times_and_no_more() {
    check(|_, _| Answer::new(500, &[], b""), Ok(500), 3).await;
    check(|_, _| Answer::new(429, &[], b""), Ok(429), 3).await;
}

#[tokio::test]
async fn it_goes_where_its_own_host_sends_it() {
    for status in [307, 308] {
        let answer = move |seen: &Seen, _| if seen.target == "/" { Answer::redirect(status, "/b") } else { Answer::ok(b"") };
        check(answer, Ok(200), 2).await;
    }
    check(|_, _| Answer::redirect(307, "/"), Ok(508), 9).await;
}

#[tokio::test]
async fn it_does_not_go_to_another_host() {
    let other = Server::start(|_, _| Answer::ok(b"")).await;
    let location = other.at("b.test", "/");
    let server = Server::start(move |_, _| Answer::redirect(307, &location)).await;
    assert_eq!(posted(&server, Setup::usual(), "/").await, Ok(307));
    assert!(other.seen().is_empty(), "{:?}", other.seen());
}

#[tokio::test]
async fn it_goes_nowhere_that_is_not_granted() {
    let server = Server::start(|_, _| Answer::ok(b"")).await;
    let setup = || Setup { granted: vec![("a.test", Reach::public())], ..Setup::usual() };
    assert_eq!(posted(&server, setup(), "/").await, Err("address-refused".to_owned()));
    let none = || Setup { granted: Vec::new(), ..Setup::usual() };
    assert_eq!(posted(&server, none(), "/").await, Err("not-granted".to_owned()));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_login_of_its_address_goes_with_it() {
    let server =
        Server::start(|seen, _| Answer::new(if seen.header("authorization").is_some() { 200 } else { 401 }, &[], b"")).await;
    for (login, times) in [("ada:secret", 1), ("token", 2)] {
        let address = server.at("a.test", "/").replace("http://", &format!("http://{login}@"));
        let (cleaned, login) = sti_network::clean(&address);
        let setup = Setup { credentials: Credentials::none().with_login(login.unwrap()), ..Setup::usual() };
        let before = server.seen().len();
        assert_eq!(setup.network().post(&cleaned, DOCUMENT.to_vec()).await.unwrap(), 200);
        assert_whole(&server.seen()[before..], times);
    }
}
