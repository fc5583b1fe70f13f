//! What is sent, and what is not.

use std::sync::Arc;

use sti_core::{Problem, ProblemKind};
use sti_network::{Request, Timeouts};

use crate::server::{Answer, Server};
use crate::setup::{Setup, body, code, get};

#[tokio::test]
async fn an_answer_is_given_as_it_came() {
    let server =
        Server::start(|_, _| Answer::new(404, &[("Content-Type", "text/html"), ("X-A", "1"), ("x-a", "2")], b"<html>")).await;
    let mut response = Setup::usual().network().send(get(&server.at("a.test", "/b?c#d"))).await.unwrap();
    assert_eq!((response.status(), response.url()), (404, server.at("a.test", "/b?c").as_str()));
    assert_eq!(response.header("CONTENT-TYPE").as_deref(), Some("text/html"));
    assert_eq!((response.header("x-A").as_deref(), response.header("x-b")), (Some("1"), None));
    assert_eq!(body(&mut response).await.unwrap(), b"<html>");
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/b?c"));
    assert_eq!(seen.header("host"), Some(format!("a.test:{}", server.port()).as_str()));
    assert!(seen.header("authorization").is_none() && seen.header("referer").is_none() && seen.header("cookie").is_none());
}

#[tokio::test]
async fn a_body_and_headers_of_the_plugins_are_sent() {
    let server = Server::start(|_, _| Answer::ok(b"")).await;
    let request = Request {
        method: "POST".to_owned(),
        headers: vec![("Git-Protocol".to_owned(), "version=2".to_owned()), ("user-agent".to_owned(), "git/2".to_owned())],
        body: vec![7; 300_000],
        ..get(&server.at("a.test", "/"))
    };
    Setup::usual().network().send(request).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.body.len()), ("POST", 300_000));
    assert_eq!((seen.header("git-protocol"), seen.header("user-agent")), (Some("version=2"), Some("git/2")));
}

#[tokio::test]
async fn what_is_invalid_or_not_granted_reaches_nobody() {
    let server = Server::start(|_, _| Answer::ok(b"")).await;
    let network = Setup::usual().network();
    let with = |name: &str| Request { headers: vec![(name.to_owned(), "x".to_owned())], ..get(&server.at("a.test", "/")) };
    assert_eq!(code(network.send(with("Host")).await), "invalid-header");
    assert_eq!(code(network.send(with("Proxy-Authorization")).await), "invalid-header");
    assert_eq!(code(network.send(get(&server.at("ada:secret@a.test", "/"))).await), "invalid-url");
    assert_eq!(code(network.send(get(&server.at("other.test", "/"))).await), "not-granted");
    assert_eq!(code(network.send(get(&server.at("public.test", "/"))).await), "address-refused");
    assert_eq!(code(network.send(get(&server.at("127.0.0.1", "/"))).await), "not-granted");
    assert_eq!(code(network.download(&server.at("public.test", "/")).await), "address-refused");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_denial_tells_the_line_that_would_allow_it() {
    let error = Setup::usual().network().send(get("https://other.test/")).await.err().unwrap();
    let problem = Problem::from(error);
    assert_eq!((problem.kind, problem.code.as_str()), (ProblemKind::Denied, "not-granted"));
    assert_eq!(problem.message, "plugin `test` may not reach `other.test:443`");
    assert_eq!(problem.hint.as_deref(), Some("hosts = [\"other.test\"]"));
}

#[tokio::test]
async fn a_line_that_breaks_before_the_answer_is_tried_again_for_get_only() {
    let breaks_twice = |_: &_, number: usize| if number < 2 { Answer::raw("") } else { Answer::ok(b"there") };
    let server = Server::start(breaks_twice).await;
    let network = Setup::usual().network();
    assert_eq!(network.send(get(&server.at("a.test", "/"))).await.unwrap().status(), 200);
    assert_eq!(server.seen().len(), 3);

    let server = Server::start(breaks_twice).await;
    let post = Request { method: "POST".to_owned(), body: b"once".to_vec(), ..get(&server.at("a.test", "/")) };
    assert_eq!(code(network.send(post).await), "broken-off");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_post_whose_connection_fails_is_tried_again() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let late = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        Server::start_at(port, |_, _| Answer::ok(b"")).await
    });
    let timeouts = Timeouts { back_off: std::time::Duration::from_millis(50), ..Setup::usual().timeouts };
    let request = Request { method: "POST".to_owned(), body: b"once".to_vec(), ..get(&format!("http://a.test:{port}/")) };
    assert_eq!(code(Setup { timeouts, ..Setup::usual() }.network().send(request).await), "ok");
    assert_eq!(late.await.unwrap().seen().len(), 1);
}

#[tokio::test]
async fn what_does_not_answer_is_named() {
    let network = Setup::usual().network();
    // The port of a server that is gone.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = network.send(get(&format!("http://a.test:{closed}/?secret"))).await.err().unwrap();
    assert_eq!(error.code(), "unreachable");
    assert!(error.to_string().starts_with(&format!("`a.test:{closed}` does not answer: ")), "{error}");

    let error = Setup { granted: vec![("typo.test", sti_core::hosts::Reach::public())], ..Setup::usual() }.network();
    let error = error.send(get("https://typo.test/")).await.err().unwrap();
    assert_eq!(error.to_string(), "the name `typo.test` leads nowhere: no such name");
}

#[tokio::test]
async fn any_task_may_ask() {
    let server = Server::start(|_, _| Answer::ok(b"there")).await;
    let (network, url) = (Arc::new(Setup::usual().network()), server.at("a.test", "/"));
    let git = format!("git://a.test:{}/b", server.port());
    let asking = tokio::spawn(async move {
        let mut response = network.send(get(&url)).await?;
        body(&mut response).await?;
        let mut connection = network.connect(&git).await?;
        connection.finish().await?;
        network.download(&url).await
    });
    assert_eq!(asking.await.unwrap().unwrap().blob().size(), 5);
}
