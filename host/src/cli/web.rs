//! What surrounds the network: variables, `.netrc`, certificates, the site's ssh. Read here once, and handed down as values.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use sti_core::hosts::HostPattern;
use sti_network::{Authorities, Credentials, Login, Proxies};

use super::args::Fetching;
use crate::{StiError, web::Surroundings};

/// The network as this user has it.
pub(super) fn surroundings(login: Option<Login>, flags: &Fetching) -> Result<Surroundings, StiError> {
    let credentials = login.into_iter().fold(credentials(), Credentials::with_login);
    Ok(Surroundings {
        credentials,
        authorities: authorities(flags.ca_cert.as_deref())?,
        proxies: Proxies::from_variables(variable),
        ssh: PathBuf::from("ssh"),
        hosts: flags.allow_host.iter().map(|host| named_host(host)).collect::<Result<_, _>>()?,
    })
}

/// The network of a callback: whom TLS trusts and the proxies as this user has them, and no login but that of its own address.
pub(super) fn of_callback(login: Option<Login>, ca_cert: Option<&Path>) -> Result<Surroundings, StiError> {
    Ok(Surroundings {
        credentials: login.into_iter().fold(Credentials::none(), Credentials::with_login),
        authorities: authorities(ca_cert)?,
        proxies: Proxies::from_variables(variable),
        ssh: PathBuf::from("ssh"),
        hosts: Vec::new(),
    })
}

fn named_host(written: &str) -> Result<HostPattern, StiError> {
    HostPattern::parse(written).map_err(|why| StiError::InvalidArgument {
        what: format!("`--allow-host {written}` {why}"),
        hint: Some("--allow-host HOST, --allow-host HOST:PORT, --allow-host '*.DOMAIN' or --allow-host ADDRESS".to_owned()),
    })
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// `.netrc` (or what `NETRC` names), and git's credential helpers.
fn credentials() -> Credentials {
    let netrc = variable("NETRC").map(PathBuf::from).or_else(|| Some(PathBuf::from(variable("HOME")?).join(".netrc")));
    let text = netrc.and_then(|path| fs::read_to_string(path).ok());
    let credentials = Credentials::none().with_helpers(PathBuf::from("git"));
    text.iter().fold(credentials, |credentials, text| credentials.with_netrc(text))
}

/// The system's authorities and those of a file; `SSL_CERT_FILE` takes the place of the system's, as it does for others.
fn authorities(flag: Option<&Path>) -> Result<Authorities, StiError> {
    let added = flag.map(Path::to_owned).or_else(|| variable("LOCAL_CA_CERTIFICATE").map(PathBuf::from));
    let added: Vec<_> = added.iter().map(|path| certificates(path)).collect::<Result<_, _>>()?;
    match variable("SSL_CERT_FILE") {
        None => Ok(Authorities::SystemAnd(added)),
        Some(only) => Ok(Authorities::Only([added, vec![certificates(Path::new(&only))?]].concat())),
    }
}

fn certificates(path: &Path) -> Result<Vec<u8>, StiError> {
    fs::read(path).map_err(|error| StiError::InvalidArgument {
        what: format!("cannot read the certificates `{}`: {error}", path.display()),
        hint: Some("--ca-cert FILE, with certificates in PEM".to_owned()),
    })
}
