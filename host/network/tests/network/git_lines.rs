//! Lines over `git://`: to a server of the test's own, and to git's own daemon.

use std::process::Stdio;
use std::time::Duration;

use sti_network::{Connection, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::sleep;

use crate::setup::{Setup, code};

pub(crate) async fn all_of(connection: &mut Connection) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    loop {
        let piece = connection.read(7).await?;
        if piece.is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(&piece);
    }
}

#[tokio::test]
async fn a_line_asks_for_version_2_and_carries_bytes_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        stream.write_all(b"answer after the end").await.unwrap();
        heard
    });
    let mut connection = Setup::usual().network().connect(&format!("git://a.test:{port}/b%20c.git")).await.unwrap();
    connection.write(b"question").await.unwrap();
    connection.finish().await.unwrap();
    assert_eq!(all_of(&mut connection).await.unwrap(), b"answer after the end");
    let line = format!("git-upload-pack /b c.git\0host=a.test:{port}\0\0version=2\0");
    assert_eq!(String::from_utf8(server.await.unwrap()).unwrap(), format!("{:04x}{line}question", line.len() + 4));
}

#[tokio::test]
async fn a_line_is_judged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let network = Setup::usual().network();
    assert_eq!(code(network.connect(&format!("git://other.test:{port}/b")).await), "not-granted");
    assert_eq!(code(network.connect(&format!("git://public.test:{port}/b")).await), "address-refused");
    assert_eq!(code(network.connect(&format!("git://127.0.0.1:{port}/b")).await), "not-granted");
    assert_eq!(code(network.connect(&format!("http://a.test:{port}/b")).await), "invalid-address");
    assert_eq!(code(network.connect(&format!("git://ada:secret@a.test:{port}/b")).await), "invalid-address");
    // Nobody came.
    assert!(tokio::time::timeout(Duration::from_millis(100), listener.accept()).await.is_err());
    drop(listener);
    assert_eq!(code(network.connect(&format!("git://a.test:{port}/b")).await), "unreachable");
}

#[tokio::test]
async fn silence_on_a_line_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut connection = Setup::usual().impatient().network().connect(&format!("git://a.test:{port}/b")).await.unwrap();
    assert_eq!(code(connection.read(10).await), "timed-out");
}

/// Runs git in a directory, with no configuration but its own.
async fn git(arguments: &[&str], at: &std::path::Path) {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(at).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn gits_own_daemon_answers_in_version_2() {
    let place = tempfile::tempdir().unwrap();
    git(&["init", "-q", "--bare", "app.git"], place.path()).await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let base = format!("--base-path={}", place.path().display());
    // The program itself: what `git daemon` starts would outlive it.
    let programs = Command::new("git").arg("--exec-path").output().await.unwrap();
    let mut daemon = Command::new(format!("{}/git-daemon", String::from_utf8(programs.stdout).unwrap().trim()));
    daemon.args(["--export-all", "--listen=127.0.0.1", &format!("--port={port}"), &base]);
    let _daemon = daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let network = Setup::usual().network();
    let mut tries = 0;
    let mut connection = loop {
        match network.connect(&format!("git://a.test:{port}/app.git")).await {
            Ok(connection) => break connection,
            Err(error) if tries == 50 => panic!("{error}"),
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
        tries += 1;
    };
    assert_eq!(&connection.read(4 + 10).await.unwrap()[..], b"000eversion 2\n");
    connection.write(b"0000").await.unwrap();
    connection.finish().await.unwrap();
    let rest = String::from_utf8(all_of(&mut connection).await.unwrap()).unwrap();
    assert!(rest.contains("ls-refs") && rest.contains("fetch="), "{rest}");
}
