//! Logins: who gets which, and that nobody else does. Each server writes down what it was sent.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sti_core::hosts::Reach;
use sti_network::{Credentials, Request, clean};

use crate::server::{Answer, Seen, Server};
use crate::setup::{Setup, code, get, make_program};

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

fn sent(server: &Server) -> Vec<Option<String>> {
    server.seen().iter().map(|seen| seen.header("authorization").map(str::to_owned)).collect()
}

/// Lets in who shows this.
fn guarded(pair: &'static str) -> impl Fn(&Seen, usize) -> Answer + Send + Sync {
    move |seen, _| match seen.header("authorization") {
        Some(shown) if shown == basic(pair) => Answer::ok(b"welcome"),
        _ => Answer::new(401, &[("www-authenticate", "Basic realm=\"git\"")], b"who are you?"),
    }
}

fn with(credentials: Credentials) -> Setup {
    Setup { credentials, ..Setup::usual() }
}

fn of_address(address: &str) -> Credentials {
    Credentials::none().with_login(clean(address).1.unwrap())
}

#[tokio::test]
async fn the_login_of_an_address_reaches_its_host_only() {
    let other = Server::start(|_, _| Answer::ok(b"")).await;
    let location = other.at("b.test", "/");
    let server = Server::start(move |seen, _| match seen.target.as_str() {
        "/" => Answer::redirect(302, &location),
        _ => Answer::redirect(302, "/"),
    });
    let server = server.await;
    let network = with(of_address(&server.at("ada:secret@a.test", "/"))).network();
    assert_eq!(network.send(get(&server.at("a.test", "/first"))).await.unwrap().status(), 200);
    assert_eq!(sent(&server), [Some(basic("ada:secret")), Some(basic("ada:secret"))]);
    assert_eq!(sent(&other), [None]);
    // The same host at another port is another server.
    network.send(get(&other.at("a.test", "/"))).await.unwrap();
    assert_eq!(sent(&other), [None, None]);
}

#[tokio::test]
async fn the_login_of_netrc_reaches_its_host_only() {
    let other = Server::start(|_, _| Answer::ok(b"")).await;
    let location = other.at("b.test", "/");
    let server = Server::start(move |_, _| Answer::redirect(307, &location)).await;
    let netrc = "machine a.test login ada password secret\ndefault login ada password secret";
    let network = with(Credentials::none().with_netrc(netrc)).network();
    network.send(get(&server.at("a.test", "/"))).await.unwrap();
    assert_eq!((sent(&server), sent(&other)), (vec![Some(basic("ada:secret"))], vec![None]));
}

#[tokio::test]
async fn a_login_that_is_refused_is_an_answer_and_not_a_text() {
    let server = Server::start(guarded("ada:other")).await;
    let network = with(of_address(&server.at("ada:secret@a.test", "/"))).network();
    assert_eq!(network.send(get(&server.at("a.test", "/"))).await.unwrap().status(), 401);
    assert_eq!(code(network.download(&server.at("a.test", "/")).await), "access-denied");
    assert_eq!(server.seen().len(), 2);
}

/// A directory with a program in it that speaks as `git credential fill` does, and writes down how it was asked.
struct FakeGit {
    directory: tempfile::TempDir,
    inside: Dir,
}

impl FakeGit {
    fn new(answer: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inside = Dir::open_ambient_dir(directory.path(), ambient_authority()).unwrap();
        let at = directory.path().display();
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" \"$GIT_TERMINAL_PROMPT\" \"[$GIT_ASKPASS]\" \"$(pwd)\" >>{at}/asked\ncat >>{at}/asked\n{answer}\n"
        );
        make_program(directory.path().join("git"), &script);
        Self { directory, inside }
    }

    fn program(&self) -> PathBuf {
        self.directory.path().join("git")
    }

    fn asked(&self) -> String {
        self.inside.read_to_string("asked").unwrap_or_default()
    }
}

#[tokio::test]
async fn a_helper_is_asked_after_a_refusal_once_a_host_and_in_silence() {
    let server = Server::start(guarded("ada:secret")).await;
    let git = FakeGit::new("echo username=ada; echo password=secret");
    let network = with(Credentials::none().with_helpers(git.program())).network();
    let post = Request { method: "POST".to_owned(), body: b"body".to_vec(), ..get(&server.at("a.test", "/")) };
    assert_eq!(network.send(post).await.unwrap().status(), 200);
    assert_eq!(network.send(get(&server.at("a.test", "/"))).await.unwrap().status(), 200);
    assert_eq!(sent(&server), [None, Some(basic("ada:secret")), Some(basic("ada:secret"))]);
    assert_eq!(server.seen()[1].body, b"body");
    let asked =
        format!("-c credential.interactive=false credential fill\n0\n[]\n/\nprotocol=http\nhost=a.test:{}\n\n", server.port());
    assert_eq!(git.asked(), asked);
}

#[tokio::test]
async fn many_requests_at_once_ask_one_helper_once() {
    let server = Server::start(guarded("ada:secret")).await;
    let git = FakeGit::new("sleep 0.2; echo username=ada; echo password=secret");
    let network = with(Credentials::none().with_helpers(git.program())).network();
    let ask = || async { network.send(get(&server.at("a.test", "/"))).await.unwrap().status() };
    assert_eq!(tokio::join!(ask(), ask(), ask()), (200, 200, 200));
    assert_eq!(git.asked().matches("fill").count(), 1);
}

#[tokio::test]
async fn a_helper_that_knows_nothing_is_not_asked_again() {
    let server = Server::start(guarded("ada:secret")).await;
    let git = FakeGit::new("exit 1");
    let network = with(Credentials::none().with_helpers(git.program())).network();
    for _ in 0..2 {
        assert_eq!(network.send(get(&server.at("a.test", "/"))).await.unwrap().status(), 401);
    }
    assert_eq!(git.asked().matches("fill").count(), 1);
}

#[tokio::test]
async fn a_helper_is_told_the_name_in_the_address() {
    let server = Server::start(guarded("ada:secret")).await;
    let git = FakeGit::new("echo username=ada; echo password=secret");
    let credentials = of_address(&server.at("ada@a.test", "/")).with_helpers(git.program());
    assert_eq!(with(credentials).network().send(get(&server.at("a.test", "/"))).await.unwrap().status(), 200);
    assert!(git.asked().contains("\nusername=ada\n"), "{}", git.asked());
}

#[tokio::test]
async fn a_name_without_a_password_may_be_a_token() {
    let server = Server::start(guarded("secret:")).await;
    let network = with(of_address(&server.at("secret@a.test", "/"))).network();
    assert_eq!(network.send(get(&server.at("a.test", "/"))).await.unwrap().status(), 200);
    assert_eq!(sent(&server), [None, Some(basic("secret:"))]);
}

#[tokio::test]
async fn helpers_are_not_asked_for_a_host_in_the_open_that_the_user_did_not_name() {
    let server = Server::start(guarded("ada:secret")).await;
    let git = FakeGit::new("echo username=ada; echo password=secret");
    // The name leads to loopback, which a host that is only granted may not; so it is reached as a proxy would reach it.
    let proxies = sti_network::Proxies { http: Some(format!("http://127.0.0.1:{}", server.port())), ..Default::default() };
    let setup = Setup {
        granted: vec![("public.test", Reach::public())],
        proxies,
        ..with(Credentials::none().with_helpers(git.program()))
    };
    assert_eq!(setup.network().send(get("http://public.test/")).await.unwrap().status(), 401);
    assert_eq!((sent(&server), git.asked().as_str()), (vec![None], ""));
}

#[tokio::test]
async fn gits_own_helpers_are_asked_by_git() {
    let Some(git) = ["/usr/bin/git", "/usr/local/bin/git"].map(Path::new).into_iter().find(|git| git.exists()) else {
        eprintln!("not run: no git here");
        return;
    };
    let server = Server::start(guarded("ada:secret")).await;
    let home = tempfile::tempdir().unwrap();
    let inside = Dir::open_ambient_dir(home.path(), ambient_authority()).unwrap();
    inside.write("stored", format!("http://ada:secret@a.test%3a{}\n", server.port())).unwrap();
    let configuration = format!("[credential]\n\thelper = store --file={}/stored\n", home.path().display());
    inside.write("configuration", configuration).unwrap();
    // A program that runs git with a configuration of the test's own.
    let script = format!(
        "#!/bin/sh\nGIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL={}/configuration exec {} \"$@\"\n",
        home.path().display(),
        git.display()
    );
    let program = make_program(home.path().join("git"), &script);
    let network = with(Credentials::none().with_helpers(program)).network();
    assert_eq!(network.send(get(&server.at("a.test", "/"))).await.unwrap().status(), 200);
    // What git does not know, it asks nobody about.
    assert_eq!(network.send(get(&server.at("b.test", "/"))).await.unwrap().status(), 401);
}

fn authorized(url: &str) -> Request {
    Request { headers: vec![("Authorization".to_owned(), "Bearer secret-of-the-plugin".to_owned())], ..get(url) }
}

#[tokio::test]
async fn a_login_of_the_plugins_own_takes_the_place_of_the_hosts() {
    let server = Server::start(|_, _| Answer::new(401, &[("www-authenticate", "Basic realm=\"git\"")], b"who are you?")).await;
    let git = FakeGit::new("echo username=ada; echo password=secret");
    let credentials = of_address(&server.at("ada:secret@a.test", "/")).with_helpers(git.program());
    let network = with(credentials).network();
    assert_eq!(network.send(authorized(&server.at("a.test", "/"))).await.unwrap().status(), 401);
    assert_eq!((sent(&server), git.asked().as_str()), (vec![Some("Bearer secret-of-the-plugin".to_owned())], ""));
    // The next request, which brings none, is given the host's again.
    network.send(get(&server.at("a.test", "/"))).await.unwrap();
    assert_eq!(sent(&server)[1], Some(basic("ada:secret")));
}

#[tokio::test]
async fn a_login_of_the_plugins_own_does_not_reach_another_host() {
    let other = Server::start(|_, _| Answer::ok(b"")).await;
    let location = other.at("b.test", "/");
    let server = Server::start(move |seen, _| match seen.target.as_str() {
        "/" => Answer::redirect(307, "/there"),
        _ => Answer::redirect(307, &location),
    });
    let server = server.await;
    let network = with(of_address(&other.at("ada:secret@b.test", "/"))).network();
    assert_eq!(network.send(authorized(&server.at("a.test", "/"))).await.unwrap().status(), 200);
    assert_eq!(sent(&server), vec![Some("Bearer secret-of-the-plugin".to_owned()); 2]);
    // There the host's own login is sent, as to anybody who is asked.
    assert_eq!(sent(&other), [Some(basic("ada:secret"))]);
    // The same host at another port is another server.
    let next_door = Server::start(|_, _| Answer::ok(b"")).await;
    let location = next_door.at("a.test", "/");
    let server = Server::start(move |_, _| Answer::redirect(308, &location)).await;
    with(Credentials::none()).network().send(authorized(&server.at("a.test", "/"))).await.unwrap();
    assert_eq!((sent(&server).len(), sent(&next_door)), (1, vec![None]));
}

#[tokio::test]
async fn no_failure_tells_a_login_of_the_plugins_own() {
    let network = Setup::usual().network();
    for url in ["http://other.test/", "http://a.test:1/", "ftp://a.test/", "http://public.test/"] {
        // `code` looks through all that an error says.
        assert_ne!(code(network.send(authorized(url)).await), "ok", "{url}");
    }
}
