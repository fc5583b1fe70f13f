//! What the HTTP client's errors mean, and whether trying again may help.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;

use url::Url;

use crate::error::Error;
use crate::place::{Origin, plain, shown};

/// A request that got no answer.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) again: Again,
}

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would fail in the same way, or take as long.
    Never,
    /// It may, and something may have been done already.
    IfRepeatable,
    /// It may, and nothing was sent.
    Always,
}

/// Says in our words why there is no answer.
pub(crate) fn understand(url: &Url, error: &reqwest::Error) -> Failure {
    if let Some(judged) = chain(error).find_map(|cause| cause.downcast_ref::<Error>()) {
        return Failure { error: judged.clone(), again: Again::Never };
    }
    let host = Origin::of(url).map(|origin| origin.authority()).unwrap_or_default();
    if let Some(why) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return Failure { error: of_tls(host, why), again: Again::Never };
    }
    let why = innermost(error);
    match (error.is_connect(), error.is_timeout()) {
        (_, true) => Failure { error: Error::Unreachable { host, why: "no connection in time".to_owned() }, again: Again::Never },
        (true, false) => Failure { error: Error::Unreachable { host, why }, again: Again::Always },
        (false, false) => Failure { error: Error::BrokenOff { from: shown(url), why }, again: Again::IfRepeatable },
    }
}

fn of_tls(host: String, error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(why) => Error::Certificate { host, why: plain(&why.to_string()) },
        rustls::Error::InvalidMessage(_) => Error::Unreachable { host, why: "it does not speak TLS on this port".to_owned() },
        other => Error::Unreachable { host, why: plain(&other.to_string()) },
    }
}

/// The last cause, without the addresses that the causes before it may hold.
fn innermost(error: &reqwest::Error) -> String {
    chain(error).last().map(|cause| plain(&cause.to_string())).unwrap_or_default()
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |cause| beneath(*cause))
}

fn beneath<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        // An error of I/O leaves the one that it wraps out of its sources.
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}
