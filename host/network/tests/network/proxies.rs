//! Through a proxy: a small one of the test's own, for addresses as they stand and for tunnels.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sti_core::hosts::Reach;
use sti_network::{Authorities, Credentials, Proxies, clean};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Answer, Seen, Server, read_request};
use crate::setup::{Setup, code, get};
use crate::tls::Secure;

/// A proxy that opens tunnels, all to one port of this machine.
async fn tunnel_to(port: u16) -> (u16, Arc<Mutex<Vec<Seen>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (own_port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let noted = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(request) = read_request(&mut stream).await else { continue };
            noted.lock().unwrap().push(request);
            tokio::spawn(async move {
                let mut target = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut target).await;
            });
        }
    });
    (own_port, seen)
}

/// `far.test` is a name that only the proxy knows.
fn far(proxies: Proxies) -> Setup {
    let granted = vec![("far.test", Reach::public()), ("a.test", Reach::anywhere())];
    Setup {
        granted,
        names: vec![("proxy.test", vec![vec!["127.0.0.1"]]), ("a.test", vec![vec!["127.0.0.1"]])],
        proxies,
        ..Setup::usual()
    }
}

#[tokio::test]
async fn http_is_asked_through_the_proxy_by_its_whole_address() {
    let proxy = Server::start(|_, _| Answer::ok(b"through")).await;
    let http = Some(format!("http://ada:secret@proxy.test:{}", proxy.port()));
    let network = far(Proxies { http, ..Proxies::default() }).network();
    assert_eq!(network.send(get("http://far.test/b?c")).await.unwrap().status(), 200);
    let seen = &proxy.seen()[0];
    assert_eq!((seen.target.as_str(), seen.header("host")), ("http://far.test/b?c", Some("far.test")));
    let login = format!("Basic {}", BASE64_STANDARD.encode("ada:secret"));
    assert_eq!((seen.header("proxy-authorization"), seen.header("authorization")), (Some(login.as_str()), None));
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_proxy_sees_no_login() {
    let server = Secure::start(|| Answer::ok(b"private")).await;
    let (port, seen) = tunnel_to(server.port).await;
    let proxies = Proxies { https: Some(format!("proxy.test:{port}")), ..Proxies::default() };
    let authorities = Authorities::Only(vec![server.authority.clone()]);
    let (_, login) = clean("https://ada:secret@a.test/");
    let credentials = Credentials::none().with_login(login.unwrap());
    let network = Setup { credentials, authorities, ..far(proxies) }.network();
    assert_eq!(network.send(get("https://a.test/?secret")).await.unwrap().status(), 200);
    let seen = seen.lock().unwrap().clone();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("CONNECT", "a.test:443"));
    assert!(!format!("{seen:?}").contains("secret") && seen[0].header("authorization").is_none(), "{seen:?}");
}

#[tokio::test]
async fn hosts_are_judged_behind_a_proxy_too() {
    let proxy = Server::start(|_, _| Answer::redirect(302, "http://other.test/")).await;
    let network = far(Proxies { all: Some(format!("http://proxy.test:{}", proxy.port())), ..Proxies::default() }).network();
    assert_eq!(code(network.send(get("http://other.test/")).await), "not-granted");
    assert_eq!(code(network.send(get("http://far.test/")).await), "not-granted");
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn exceptions_are_reached_past_the_proxy() {
    let (proxy, server) = (Server::start(|_, _| Answer::ok(b"")).await, Server::start(|_, _| Answer::ok(b"")).await);
    let all = Some(format!("http://proxy.test:{}", proxy.port()));
    let network = far(Proxies { all, except: Some(".a.test".to_owned()), ..Proxies::default() }).network();
    network.send(get(&server.at("a.test", "/"))).await.unwrap();
    assert_eq!((proxy.seen().len(), server.seen().len()), (0, 1));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_login() {
    let proxy = Server::start(|_, _| Answer::new(407, &[], b"")).await;
    let https = Some(format!("http://ada:secret@proxy.test:{}", proxy.port()));
    let network = far(Proxies { https, ..Proxies::default() }).network();
    assert_eq!(code(network.send(get("https://far.test/")).await), "unreachable");
}
