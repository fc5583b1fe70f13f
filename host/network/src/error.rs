//! What can go wrong on the network. No text here holds a credential: addresses are shown without userinfo and query.

use std::net::IpAddr;

use sti_core::{Problem, ProblemKind};
use thiserror::Error;

use crate::grants::Denied;

/// A failure of a request, a download or a line to a git service.
#[derive(Clone, Debug, Error)]
pub enum Error {
    /// A method that plugins may not use.
    #[error("`{method}` is no method for a plugin: `GET`, `HEAD` and `POST` are")]
    InvalidMethod {
        /// What was asked for.
        method: String,
    },
    /// Something that is no http(s) address.
    #[error("`{url}` cannot be asked: {why}")]
    InvalidUrl {
        /// As it was given, without credentials.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A header that the host sets itself, or that is no header.
    #[error("the header `{name}` cannot be sent: {why}")]
    InvalidHeader {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A body beyond the limit.
    #[error("the body of a request has {bytes} bytes, and at most {limit} are sent")]
    BodyTooLarge {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// An address that is no line to a git service.
    #[error("`{address}` is no address of a git service: {why}")]
    InvalidAddress {
        /// As it was given, without credentials.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// A setting of the user's that cannot be used.
    #[error("the {what} cannot be used: {why}")]
    InvalidSetting {
        /// Which, such as "proxy `ftp://proxy`".
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Policy grants no such host.
    #[error("{}", .0.message)]
    NotGranted(Denied),
    /// A name, or an address of digits, that leads where plugins may not reach.
    #[error("`{host}` leads to {address}, {what}")]
    AddressRefused {
        /// As it stands in the address.
        host: String,
        /// Where it leads.
        address: IpAddr,
        /// Such as "a loopback address".
        what: &'static str,
        /// What would allow it.
        hint: Option<String>,
    },
    /// A redirect that is not followed.
    #[error("`{from}` redirects to `{to}`, {why}")]
    RedirectRefused {
        /// Who answered.
        from: String,
        /// Where it leads.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// More redirects than anybody needs.
    #[error("`{url}` leads from one redirect to the next; after {limit} nobody follows")]
    TooManyRedirects {
        /// Where it began.
        url: String,
        /// How many were followed.
        limit: usize,
    },
    /// There is no such document.
    #[error("there is no `{url}` (status {status})")]
    NotFound {
        /// What was asked for.
        url: String,
        /// 404 or 410.
        status: u16,
    },
    /// The server does not let us in.
    #[error("`{url}` is not open to us (status {status})")]
    AccessDenied {
        /// What was asked for.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// A document came with another status than 200.
    #[error("`{url}` answers with status {status}")]
    Unexpected {
        /// What was asked for.
        url: String,
        /// What came.
        status: u16,
    },
    /// A document beyond the limit.
    #[error("with `{url}` more than {limit} bytes are downloaded")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// How much may come.
        limit: u64,
    },
    /// No server of that name.
    #[error("the name `{host}` leads nowhere: {why}")]
    UnknownHost {
        /// The name.
        host: String,
        /// What the system said.
        why: String,
    },
    /// No connection.
    #[error("`{host}` does not answer: {why}")]
    Unreachable {
        /// Host and port, or the beginning of an address.
        host: String,
        /// What the system said.
        why: String,
    },
    /// The server's certificate is not to be trusted.
    #[error("the certificate of `{host}` is not to be trusted: {why}")]
    Certificate {
        /// Host and port.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// Silence.
    #[error("`{from}` sent nothing for {seconds} seconds")]
    Silent {
        /// Who.
        from: String,
        /// How long was waited.
        seconds: u64,
    },
    /// So little that it would never end.
    #[error("`{from}` sends so slowly that it would not end: {bytes} bytes in {seconds} seconds")]
    TooSlow {
        /// Who.
        from: String,
        /// What came.
        bytes: u64,
        /// In this time.
        seconds: u64,
    },
    /// A line or an answer that ended too early.
    #[error("`{from}` broke off: {why}")]
    BrokenOff {
        /// Who.
        from: String,
        /// What the system said.
        why: String,
    },
    /// The key of a host is not the one that the user knows.
    #[error(
        "`{host}` shows another key than the one that is known of it: somebody may be listening, or the host was set up anew"
    )]
    HostKeyChanged {
        /// Which.
        host: String,
    },
    /// The key of a host is not known.
    #[error("the key of `{host}` is not known here, and nobody is asked in a build")]
    HostKeyUnknown {
        /// Which.
        host: String,
    },
    /// No key of the user's opens the host.
    #[error("`{host}` accepts none of your keys: {why}")]
    KeyRefused {
        /// Which.
        host: String,
        /// What ssh said.
        why: String,
    },
    /// The host has no such repository, or does not show it.
    #[error("there is no repository `{address}`: {why}")]
    NoRepository {
        /// Which.
        address: String,
        /// What the other side said.
        why: String,
    },
    /// A program of the site's that is needed cannot be run.
    #[error("cannot run `{program}`: {why}")]
    NoProgram {
        /// Which.
        program: String,
        /// What the system said.
        why: String,
    },
    /// The disk failed.
    #[error("a download cannot be kept: {why}")]
    Spool {
        /// What the system said.
        why: String,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotGranted(denied) => return denied.hint.clone(),
            Self::AddressRefused { hint, .. } => return hint.clone(),
            Self::HostKeyChanged { host } => {
                format!("ask who runs the host; only if the new key is right: ssh-keygen -R {}", known_as(host))
            }
            Self::HostKeyUnknown { host } => format!("connect once by hand and compare the key: ssh {}", on_command_line(host)),
            Self::InvalidUrl { .. } => "addresses are absolute and begin with `http://` or `https://`".to_owned(),
            Self::InvalidAddress { .. } => {
                "write `ssh://user@host/path/repository.git` or `git://host/path/repository.git`".to_owned()
            }
            Self::RedirectRefused { to, .. } if to.starts_with("http://") => format!("if you trust it, name it yourself: {to}"),
            Self::RedirectRefused { .. } => "tell who runs the server; nothing of this kind is followed".to_owned(),
            Self::AccessDenied { .. } => "give a login by `.netrc` or by one of git's credential helpers".to_owned(),
            Self::NotFound { .. } => "compare the address; some servers hide what needs a login".to_owned(),
            Self::Certificate { .. } => "if the site has an authority of its own, name its file: `--ca-cert FILE`".to_owned(),
            Self::UnknownHost { .. } => {
                "compare the name; behind a proxy, set `https_proxy`, or for ssh its `ProxyCommand`".to_owned()
            }
            Self::Unreachable { .. } => {
                "compare host and port; behind a proxy, set `https_proxy`, or for ssh its `ProxyCommand`".to_owned()
            }
            Self::KeyRefused { .. } => "load a key that the host accepts: ssh-add".to_owned(),
            Self::NoRepository { .. } => "compare the address; some servers hide what your key may not read".to_owned(),
            Self::NoProgram { program, .. } => format!("install `{program}`, or put it on `PATH`"),
            Self::Spool { .. } => "free space where downloads are kept".to_owned(),
            Self::Silent { .. } | Self::TooSlow { .. } | Self::BrokenOff { .. } | Self::Unexpected { .. } => {
                "try again".to_owned()
            }
            Self::InvalidMethod { .. }
            | Self::InvalidHeader { .. }
            | Self::InvalidSetting { .. }
            | Self::BodyTooLarge { .. }
            | Self::TooManyRedirects { .. }
            | Self::TooLarge { .. } => return None,
        };
        Some(hint)
    }

    /// A stable identifier in kebab-case.
    pub fn code(&self) -> &'static str {
        self.kind_and_code().1
    }

    /// Whose move it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind_and_code().0
    }

    fn kind_and_code(&self) -> (ProblemKind, &'static str) {
        use ProblemKind::{Denied, Exhausted, Invalid, NotFound, Unavailable};
        match self {
            Self::InvalidMethod { .. } => (Invalid, "invalid-method"),
            Self::InvalidUrl { .. } => (Invalid, "invalid-url"),
            Self::InvalidHeader { .. } => (Invalid, "invalid-header"),
            Self::BodyTooLarge { .. } => (Invalid, "body-too-large"),
            Self::InvalidAddress { .. } => (Invalid, "invalid-address"),
            Self::InvalidSetting { .. } => (Invalid, "invalid-setting"),
            Self::NotGranted(_) => (Denied, "not-granted"),
            Self::AddressRefused { .. } => (Denied, "address-refused"),
            Self::RedirectRefused { .. } => (Denied, "redirect-refused"),
            Self::AccessDenied { .. } => (Unavailable, "access-denied"),
            Self::HostKeyChanged { .. } => (Unavailable, "host-key-changed"),
            Self::HostKeyUnknown { .. } => (Unavailable, "host-key-unknown"),
            Self::KeyRefused { .. } => (Unavailable, "key-refused"),
            Self::NotFound { .. } => (NotFound, "not-found"),
            Self::NoRepository { .. } => (NotFound, "no-repository"),
            Self::TooManyRedirects { .. } => (Unavailable, "too-many-redirects"),
            Self::TooLarge { .. } => (Exhausted, "download-too-large"),
            Self::Unexpected { .. } => (Unavailable, "unexpected-status"),
            Self::UnknownHost { .. } => (Unavailable, "unknown-host"),
            Self::Unreachable { .. } => (Unavailable, "unreachable"),
            Self::Certificate { .. } => (Unavailable, "certificate-not-trusted"),
            Self::Silent { .. } => (Unavailable, "timed-out"),
            Self::TooSlow { .. } => (Unavailable, "too-slow"),
            Self::BrokenOff { .. } => (Unavailable, "broken-off"),
            Self::NoProgram { .. } => (Unavailable, "program-missing"),
            Self::Spool { .. } => (Unavailable, "spool-failed"),
        }
    }
}

/// As a plugin is told of it.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let told = Self::new(error.kind(), error.code(), error.to_string());
        match error.hint() {
            Some(hint) => told.with_hint(hint),
            None => told,
        }
    }
}

/// `host:port` as the file of known hosts has it.
fn known_as(host: &str) -> String {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            format!("'[{}]:{port}'", name.trim_matches(['[', ']']))
        }
        _ => host.trim_matches(['[', ']']).to_owned(),
    }
}

/// `host:port` as the ssh client has it.
fn on_command_line(host: &str) -> String {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            format!("-p {port} {}", name.trim_matches(['[', ']']))
        }
        _ => host.trim_matches(['[', ']']).to_owned(),
    }
}
