//! A network for a test: names, grants and waiting times of the test's own.

use std::collections::HashMap;
use std::future::pending;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sti_core::hosts::Reach;
use sti_core::progress::Silent;
use sti_network::{
    Authorities, Credentials, Denied, Error, Grants, Names, Network, Proxies, Request, Response, Settings, Timeouts,
};

/// A name that nobody says anything about, not even that there is none.
pub(crate) const NEVER_ANSWERED: &str = "never.test";

/// What a test changes of the usual.
pub(crate) struct Setup {
    pub(crate) granted: Vec<(&'static str, Reach)>,
    pub(crate) names: Vec<(&'static str, Vec<Vec<&'static str>>)>,
    pub(crate) credentials: Credentials,
    pub(crate) authorities: Authorities,
    pub(crate) proxies: Proxies,
    pub(crate) download_limit: u64,
    pub(crate) ssh: PathBuf,
    pub(crate) timeouts: Timeouts,
}

impl Setup {
    /// `a.test` and `b.test` are this machine and may be reached, as the user names them; `public.test` is this machine and only
    /// granted; `other.test` is this machine and not granted.
    pub(crate) fn usual() -> Self {
        let here = || vec![vec!["127.0.0.1"]];
        Self {
            granted: vec![("a.test", Reach::anywhere()), ("b.test", Reach::anywhere()), ("public.test", Reach::public())],
            names: ["a.test", "b.test", "public.test", "other.test"].map(|name| (name, here())).to_vec(),
            credentials: Credentials::none(),
            authorities: Authorities::Only(Vec::new()),
            proxies: Proxies::default(),
            download_limit: 64 * 1024 * 1024,
            ssh: PathBuf::from("ssh"),
            timeouts: Timeouts {
                connect: Duration::from_secs(10),
                idle: Duration::from_secs(30),
                back_off: Duration::from_millis(5),
            },
        }
    }

    /// For what never answers: what does answer may take a second on a busy machine.
    pub(crate) fn impatient(self) -> Self {
        let timeouts = Timeouts { connect: Duration::from_secs(1), idle: Duration::from_secs(1), ..self.timeouts };
        Self { timeouts, ..self }
    }

    pub(crate) fn network(self) -> Network {
        self.try_network().unwrap()
    }

    pub(crate) fn try_network(self) -> Result<Network, Error> {
        // One directory for all: what is in it has no names.
        let spool = Dir::open_ambient_dir(env!("CARGO_TARGET_TMPDIR"), ambient_authority()).unwrap();
        Network::new(Settings {
            grants: Arc::new(Table(self.granted)),
            names: Arc::new(Answers::new(self.names)),
            credentials: self.credentials,
            authorities: self.authorities,
            proxies: self.proxies,
            spool,
            download_limit: self.download_limit,
            ssh: self.ssh,
            timeouts: self.timeouts,
            progress: Arc::new(Silent),
        })
    }
}

/// Grants what a table says.
struct Table(Vec<(&'static str, Reach)>);

impl Grants for Table {
    fn may_reach(&self, host: &str, port: u16) -> Result<Reach, Denied> {
        let found = self.0.iter().find(|(granted, _)| *granted == host);
        found.map(|(_, reach)| reach.clone()).ok_or_else(|| Denied {
            message: format!("plugin `test` may not reach `{host}:{port}`"),
            hint: Some(format!("hosts = [\"{host}\"]")),
        })
    }

    fn refused_address(&self, host: &str, port: u16, address: IpAddr, what: &str) -> Denied {
        let message = format!("plugin `test` may not reach `{host}:{port}` at {address}, {what}");
        Denied { message, hint: Some(format!("private-hosts = [\"{address}\"]")) }
    }

    fn refused_login(&self, host: &str, port: u16) -> Denied {
        Denied { message: format!("plugin `test` may not log in to `{host}:{port}`"), hint: None }
    }
}

/// Answers each question with the next row of a name, the last one again and again.
struct Answers(Mutex<HashMap<&'static str, Vec<Vec<IpAddr>>>>);

impl Answers {
    fn new(names: Vec<(&'static str, Vec<Vec<&'static str>>)>) -> Self {
        let parse = |row: Vec<&str>| row.iter().map(|address| address.parse().unwrap()).collect();
        Self(Mutex::new(names.into_iter().map(|(name, rows)| (name, rows.into_iter().map(parse).collect())).collect()))
    }
}

#[async_trait]
impl Names for Answers {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if host == NEVER_ANSWERED {
            return pending().await;
        }
        let mut names = self.0.lock().unwrap();
        let rows = names.get_mut(host.trim_end_matches('.')).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(if rows.len() > 1 { rows.remove(0) } else { rows[0].clone() })
    }
}

pub(crate) fn get(url: &str) -> Request {
    Request { method: "GET".to_owned(), url: url.to_owned(), ..Request::default() }
}

pub(crate) async fn body(response: &mut Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        let piece = response.read(64 * 1024).await?;
        if piece.is_empty() {
            return Ok(body);
        }
        body.extend_from_slice(&piece);
    }
}

/// The code of what went wrong; no text may hold the word `secret`.
pub(crate) fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => {
            let text = format!("{error} {error:?} {:?}", error.hint());
            assert!(!text.contains("secret"), "{text}");
            error.code()
        }
    }
}

/// Makes a program of a script. Another process writes it: a program that this one holds open, and hands on to whatever another test
/// starts meanwhile, could not be run.
pub(crate) fn make_program(at: PathBuf, script: &str) -> PathBuf {
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$0\" && chmod 700 \"$0\""]).arg(&at).stdin(Stdio::piped());
    let mut writer = writer.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
    at
}
