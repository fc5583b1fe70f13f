//! Lines over `ssh://`: with a client of the test's own that writes down how it was called, and with a real client and server where
//! there is one.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sti_core::hosts::Reach;
use sti_network::{Connection, Error};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::git_lines::all_of;
use crate::setup::{Setup, code, make_program};

/// A directory with programs and files of the test's.
struct Place {
    directory: tempfile::TempDir,
    inside: Dir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inside = Dir::open_ambient_dir(directory.path(), ambient_authority()).unwrap();
        Self { directory, inside }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn program(&self, name: &str, script: &str) -> PathBuf {
        make_program(self.path(name), script)
    }

    /// A client that writes down how it is called, and then does as the script says.
    fn client(&self, script: &str) -> Setup {
        let at = self.path("called").display().to_string();
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" \"GIT_PROTOCOL=$GIT_PROTOCOL\" >{at}\n{script}\n");
        Setup { ssh: self.program("ssh", &script), ..Setup::usual() }
    }

    fn called(&self) -> Option<Vec<String>> {
        Some(self.inside.read_to_string("called").ok()?.lines().map(str::to_owned).collect())
    }
}

#[tokio::test]
async fn the_client_is_called_for_one_command_and_nothing_else() {
    let place = Place::new();
    let network = place.client("cat").network();
    let mut connection = network.connect("ssh://git@a.test:2222/b'c d.git").await.unwrap();
    connection.write(b"there and back").await.unwrap();
    connection.finish().await.unwrap();
    assert_eq!(all_of(&mut connection).await.unwrap(), b"there and back");
    let called = place.called().unwrap();
    let (options, rest) = called.split_at(called.iter().position(|word| word == "-l").unwrap());
    let end = ["-l", "git", "-p", "2222", "--", "a.test", r"git-upload-pack '/b'\''c d.git'", "GIT_PROTOCOL=version=2"];
    assert_eq!(rest, end);
    for option in ["BatchMode=yes", "ConnectTimeout=10", "SendEnv=GIT_PROTOCOL", "ForwardAgent=no", "ClearAllForwardings=yes"] {
        assert!(options.windows(2).any(|pair| pair == ["-o", option]), "{option} in {options:?}");
    }
}

#[tokio::test]
async fn what_the_client_need_not_be_told_is_left_to_its_user() {
    let place = Place::new();
    let mut connection = place.client("cat").network().connect("ssh://a.test/~ada/b").await.unwrap();
    connection.finish().await.unwrap();
    assert!(all_of(&mut connection).await.unwrap().is_empty());
    let called = place.called().unwrap();
    assert!(!called.contains(&"-l".to_owned()) && !called.contains(&"-p".to_owned()), "{called:?}");
    assert!(called.contains(&"git-upload-pack '~ada/b'".to_owned()), "{called:?}");
}

#[tokio::test]
async fn hosts_are_judged_before_the_client_is_called() {
    let place = Place::new();
    let network = place.client("cat").network();
    assert_eq!(code(network.connect("ssh://git@other.test/b").await), "not-granted");
    assert_eq!(code(network.connect("ssh://git@public.test/b").await), "address-refused");
    assert_eq!(code(network.connect("ssh://git:secret@a.test/b").await), "invalid-address");
    for address in
        ["ssh://-oProxyCommand=touch/b", "ssh://-l@a.test/b", "ssh://a.test/b%0ac", "ssh://a.test\n/b", "ssh://a%20b/c"]
    {
        assert_eq!(code(network.connect(address).await), "invalid-address", "{address}");
    }
    assert_eq!(place.called(), None);
}

#[tokio::test]
async fn a_name_with_one_private_address_is_refused_as_the_client_would_choose() {
    let place = Place::new();
    let names = vec![("a.test", vec![vec!["1.1.1.1", "127.0.0.1"]])];
    let setup = Setup { granted: vec![("a.test", Reach::public())], names, ..place.client("cat") };
    assert_eq!(code(setup.network().connect("ssh://a.test/b").await), "address-refused");
    assert_eq!(place.called(), None);
}

#[tokio::test]
async fn an_alias_of_the_users_is_left_to_the_client() {
    let place = Place::new();
    let setup = Setup { granted: vec![("my-git", Reach::public())], ..place.client("cat") };
    let mut connection = setup.network().connect("ssh://my-git/b").await.unwrap();
    connection.finish().await.unwrap();
    assert!(all_of(&mut connection).await.unwrap().is_empty());
}

async fn check_complaint(script: &str, expected: &str) {
    let place = Place::new();
    let mut connection = place.client(script).network().connect("ssh://git@a.test/b").await.unwrap();
    assert_eq!(code(all_of(&mut connection).await), expected, "{script}");
}

#[tokio::test]
async fn a_clients_complaint_is_the_error() {
    let changed =
        "echo '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @' >&2; echo 'Host key verification failed.' >&2; exit 255";
    check_complaint(changed, "host-key-changed").await;
    check_complaint("echo 'Host key verification failed.' >&2; exit 255", "host-key-unknown").await;
    check_complaint("echo 'git@a.test: Permission denied (publickey).' >&2; exit 255", "key-refused").await;
    check_complaint("echo \"fatal: '/b' does not appear to be a git repository\" >&2; exit 128", "no-repository").await;
    check_complaint("echo half; exit 255", "broken-off").await;
    check_complaint("yes complaint | head -c 1000000 >&2; exit 1", "broken-off").await;
}

#[tokio::test]
async fn a_client_that_is_gone_says_why_when_it_is_written_to() {
    let place = Place::new();
    let mut connection =
        place.client("exec <&-; echo 'x: Permission denied' >&2; exit 255").network().connect("ssh://a.test/b").await.unwrap();
    let mut written = Ok(());
    for _ in 0..200 {
        written = connection.write(&[0; 10_000]).await;
        if written.is_err() {
            break;
        }
    }
    assert_eq!(code(written), "key-refused");
}

#[tokio::test]
async fn a_client_that_is_missing_is_named() {
    let setup = Setup { ssh: PathBuf::from("/nowhere/ssh"), ..Setup::usual() };
    assert_eq!(code(setup.network().connect("ssh://a.test/b").await), "program-missing");
}

#[tokio::test]
async fn a_client_that_is_silent_is_ended() {
    let place = Place::new();
    let mut connection = place.client("exec sleep 60").impatient().network().connect("ssh://a.test/b").await.unwrap();
    assert_eq!(code(connection.read(10).await), "timed-out");
}

/// A real server with keys of the test's own, and how a client reaches it.
struct RealServer {
    place: Place,
    port: u16,
    _server: Child,
}

impl RealServer {
    const PROGRAM: &str = "/usr/sbin/sshd";

    async fn start() -> Option<Self> {
        if !sti_test_engine::can_have("sshd", "openssh-server") {
            return None;
        }
        // The service makes it when it starts, and the server demands it of root.
        run("mkdir", &["-p", "/run/sshd"]).await;
        let place = Place::new();
        for key in ["host", "other", "user"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &place.path(key).display().to_string()]).await;
        }
        place.inside.copy("user.pub", &place.inside, "authorized").unwrap();
        run("git", &["init", "-q", "--bare", &place.path("app.git").display().to_string()]).await;
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let at = place.directory.path().display();
        let configuration = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\nStrictModes no\nUsePAM no\n\
             PidFile none\nPasswordAuthentication no\nAcceptEnv GIT_PROTOCOL\n"
        );
        place.inside.write("configuration", configuration).unwrap();
        let mut server = Command::new(Self::PROGRAM);
        server
            .args(["-D", "-e", "-f"])
            .arg(place.path("configuration"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = server.kill_on_drop(true).spawn().unwrap();
        for _ in 0..50 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        Some(Self { place, port, _server: server })
    }

    /// A line whose client knows the host by this key, and has this key of its own.
    async fn connect(&self, known: Option<&str>, key: &str, repository: &str) -> Result<Connection, Error> {
        let at = self.place.directory.path().display();
        let known = known.map(|key| self.place.inside.read_to_string(key).unwrap()).unwrap_or_default();
        let known = if known.is_empty() { known } else { format!("[a.test]:{} {known}", self.port) };
        self.place.inside.write("known", known).unwrap();
        let configuration = format!(
            "Host *\nHostName 127.0.0.1\nHostKeyAlias [a.test]:{}\nUserKnownHostsFile {at}/known\nGlobalKnownHostsFile /dev/null\n\
             IdentityFile {at}/{key}\nIdentitiesOnly yes\nIdentityAgent none\n",
            self.port
        );
        self.place.inside.write("client", configuration).unwrap();
        let script = format!("#!/bin/sh\nexec ssh -F {at}/client \"$@\"\n");
        let ssh = self.place.program("ssh", &script);
        let address = format!("ssh://a.test:{}{}", self.port, self.place.path(repository).display());
        Setup { ssh, ..Setup::usual() }.network().connect(&address).await
    }
}

async fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_real_server_answers_in_version_2_and_its_refusals_are_understood() {
    let Some(server) = RealServer::start().await else { return };
    let mut connection = server.connect(Some("host.pub"), "user", "app.git").await.unwrap();
    assert_eq!(&connection.read(4 + 10).await.unwrap()[..], b"000eversion 2\n");
    connection.write(b"0000").await.unwrap();
    connection.finish().await.unwrap();
    assert!(String::from_utf8(all_of(&mut connection).await.unwrap()).unwrap().contains("ls-refs"));
    for (known, key, repository, expected) in [
        (Some("other.pub"), "user", "app.git", "host-key-changed"),
        (None, "user", "app.git", "host-key-unknown"),
        (Some("host.pub"), "other", "app.git", "key-refused"),
        (Some("host.pub"), "user", "none.git", "no-repository"),
    ] {
        let mut connection = server.connect(known, key, repository).await.unwrap();
        assert_eq!(code(all_of(&mut connection).await), expected);
    }
}
