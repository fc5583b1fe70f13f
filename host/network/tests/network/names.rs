//! Names that lead somewhere else than they did a moment ago.

use sti_core::hosts::Reach;

use crate::server::{Answer, Server};
use crate::setup::{NEVER_ANSWERED, Setup, code, get};

/// A public address that no route leads to.
const NOWHERE: &str = "3ffe:ffff::1";

#[tokio::test]
async fn a_name_that_is_public_first_and_private_later_reaches_nothing() {
    let decoy = Server::start(|_, _| Answer::ok(b"decoy")).await;
    let rows = vec![vec![NOWHERE], vec!["127.0.0.1"], vec!["::ffff:127.0.0.1"], vec!["127.0.0.1"]];
    let setup = Setup { granted: vec![("a.test", Reach::public())], names: vec![("a.test", rows)], ..Setup::usual() };
    let network = setup.impatient().network();
    // The first question leads to a public address, and the connection goes there, whatever the name means by then.
    let codes = [code(network.send(get(&decoy.at("a.test", "/"))).await), code(network.download(&decoy.at("a.test", "/")).await)];
    assert!(codes.iter().all(|code| matches!(*code, "unreachable" | "address-refused")), "{codes:?}");
    assert_eq!(code(network.send(get(&decoy.at("a.test", "/"))).await), "address-refused");
    assert_eq!(code(network.connect(&format!("git://a.test:{}/b", decoy.port())).await), "address-refused");
    assert!(decoy.seen().is_empty());
}

#[tokio::test]
async fn the_users_own_host_does_not_become_this_machine_once_it_was_public() {
    let decoy = Server::start(|_, _| Answer::ok(b"decoy")).await;
    let rows = vec![vec![NOWHERE], vec!["127.0.0.1"]];
    let setup = Setup { granted: vec![("a.test", Reach::anywhere())], names: vec![("a.test", rows)], ..Setup::usual() };
    let network = setup.impatient().network();
    let first = code(network.send(get(&decoy.at("a.test", "/"))).await);
    assert!(matches!(first, "unreachable" | "address-refused"), "{first}");
    assert_eq!(code(network.download(&decoy.at("a.test", "/")).await), "address-refused");
    assert_eq!(code(network.connect(&format!("git://a.test:{}/b", decoy.port())).await), "address-refused");
    assert_eq!(code(network.connect(&format!("ssh://a.test:{}/b", decoy.port())).await), "address-refused");
    assert!(decoy.seen().is_empty());
}

#[tokio::test]
async fn a_name_that_nobody_answers_for_is_given_up() {
    let network = || Setup { granted: vec![(NEVER_ANSWERED, Reach::public())], ..Setup::usual() }.impatient().network();
    assert_eq!(code(network().send(get(&format!("http://{NEVER_ANSWERED}/"))).await), "unreachable");
    assert_eq!(code(network().connect(&format!("git://{NEVER_ANSWERED}/b")).await), "unreachable");
}

#[tokio::test]
async fn of_mixed_addresses_the_private_one_is_not_tried() {
    let decoy = Server::start(|_, _| Answer::ok(b"decoy")).await;
    let names = vec![("a.test", vec![vec!["127.0.0.1", NOWHERE]])];
    let setup = Setup { granted: vec![("a.test", Reach::public())], names, ..Setup::usual() };
    assert_eq!(code(setup.impatient().network().send(get(&decoy.at("a.test", "/"))).await), "unreachable");
    assert!(decoy.seen().is_empty());
}

#[tokio::test]
async fn a_connection_made_for_the_users_host_serves_no_other() {
    let server = Server::start(|_, _| Answer::ok(b"")).await;
    let network = Setup::usual().network();
    assert_eq!(code(network.send(get(&server.at("a.test", "/"))).await), "ok");
    assert_eq!(code(network.send(get(&server.at("public.test", "/"))).await), "address-refused");
    assert_eq!(server.seen().len(), 1);
}
