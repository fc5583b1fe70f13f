//! Redirects: each is judged anew, wherever it comes from.

use sti_network::Request;

use crate::server::{Answer, Server};
use crate::setup::{Setup, body, code, get};

/// A server that sends `/` to a place and answers everything else.
async fn leading_to(location: impl Fn(u16) -> String) -> (Server, Server) {
    let decoy = Server::start(|_, _| Answer::ok(b"decoy")).await;
    let location = location(decoy.port());
    let server = Server::start(move |seen, _| match seen.target.as_str() {
        "/" => Answer::redirect(302, &location),
        _ => Answer::ok(b"here"),
    });
    (server.await, decoy)
}

async fn check(location: impl Fn(u16) -> String, expected: &str) {
    let (server, decoy) = leading_to(location).await;
    let network = Setup::usual().network();
    assert_eq!(code(network.send(get(&server.at("a.test", "/"))).await), expected);
    assert_eq!(code(network.download(&server.at("a.test", "/")).await), expected);
    assert_eq!(decoy.seen().is_empty(), expected != "ok", "{:?}", decoy.seen());
}

#[tokio::test]
async fn a_redirect_at_the_same_host_is_followed() {
    let (server, _) = leading_to(|_| "/there?x".to_owned()).await;
    let mut response = Setup::usual().network().send(get(&server.at("a.test", "/"))).await.unwrap();
    assert_eq!(response.url(), server.at("a.test", "/there?x"));
    assert_eq!(body(&mut response).await.unwrap(), b"here");
}

#[tokio::test]
async fn a_redirect_to_a_granted_host_is_followed() {
    check(|port| format!("http://b.test:{port}/"), "ok").await;
}

#[tokio::test]
async fn a_redirect_to_what_is_not_granted_is_refused() {
    check(|port| format!("http://other.test:{port}/"), "not-granted").await;
    check(|port| format!("http://127.0.0.1:{port}/"), "not-granted").await;
    check(|port| format!("http://[::ffff:7f00:1]:{port}/"), "not-granted").await;
    check(|port| format!("http://localhost:{port}/"), "not-granted").await;
}

#[tokio::test]
async fn a_redirect_to_a_granted_name_of_a_loopback_address_is_refused() {
    check(|port| format!("http://public.test:{port}/"), "address-refused").await;
    check(|port| format!("http://PUBLIC.test.:{port}/"), "address-refused").await;
}

#[tokio::test]
async fn a_redirect_out_of_http_is_refused() {
    check(|_| "file:///tmp/decoy".to_owned(), "redirect-refused").await;
    check(|port| format!("ftp://b.test:{port}/"), "redirect-refused").await;
    check(|port| format!("gopher://b.test:{port}/"), "redirect-refused").await;
}

#[tokio::test]
async fn a_circle_is_left() {
    let server = Server::start(|_, _| Answer::redirect(302, "/")).await;
    assert_eq!(code(Setup::usual().network().send(get(&server.at("a.test", "/"))).await), "too-many-redirects");
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn a_post_goes_along_where_the_status_says_so() {
    for (status, method, length) in [(307, "POST", 4), (308, "POST", 4), (301, "GET", 0), (302, "GET", 0), (303, "GET", 0)] {
        let server = Server::start(move |seen, _| match seen.target.as_str() {
            "/" => Answer::redirect(status, "/there"),
            _ => Answer::ok(b""),
        });
        let server = server.await;
        let post = Request { method: "POST".to_owned(), body: b"body".to_vec(), ..get(&server.at("a.test", "/")) };
        Setup::usual().network().send(post).await.unwrap();
        let seen = &server.seen()[1];
        assert_eq!((seen.method.as_str(), seen.body.len()), (method, length), "{status}");
    }
}

#[tokio::test]
async fn headers_for_one_host_do_not_reach_another() {
    let (server, decoy) = leading_to(|port| format!("http://b.test:{port}/")).await;
    let headers = [("private-token", "secret"), ("accept", "x/y")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Request { headers: headers.to_vec(), ..get(&server.at("a.test", "/")) };
    Setup::usual().network().send(request).await.unwrap();
    assert_eq!(server.seen()[0].header("private-token"), Some("secret"));
    assert_eq!((decoy.seen()[0].header("private-token"), decoy.seen()[0].header("accept")), (None, Some("x/y")));
}
