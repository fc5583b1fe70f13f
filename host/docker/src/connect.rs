//! Connects to the engine at one endpoint and agrees on a version of the API.

use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker, errors::Error as Answer, models::SystemVersion};
use sti_engine::{About, Error};

use crate::{
    endpoint::{Endpoint, Transport},
    failures::Failure,
    tls::TlsFiles,
};

/// Docker 19.03 and Podman 3 speak it: mounts with options, and commits and archives as they are used here.
const OLDEST_API: (usize, usize) = (1, 40);
/// An engine that does not say within this time who it is counts as dead.
const SECONDS_TO_CONNECT: u64 = 20;
/// The time for an ordinary answer; a busy disk can take its time with a container.
const SECONDS_TO_ANSWER: u64 = 300;

/// What connecting found out.
pub(crate) struct Connected {
    pub(crate) docker: Docker,
    pub(crate) about: About,
    pub(crate) is_podman: bool,
}

/// Connects, and asks who answers: one request, which also settles the version of the API.
pub(crate) async fn connect(endpoint: &Endpoint, tls: Option<&TlsFiles>) -> Result<Connected, Error> {
    let failed = |answer: &Answer| Failure::new("GET /version".to_owned(), endpoint.to_string(), answer).plain();
    let asked = open(endpoint, tls, API_DEFAULT_VERSION, SECONDS_TO_CONNECT).map_err(|answer| unusable(endpoint, &answer))?;
    let version = asked.version().await.map_err(|answer| failed(&answer))?;
    let api = version.api_version.clone().unwrap_or_default();
    let Some(spoken) = read_version(&api).filter(|spoken| (spoken.major_version, spoken.minor_version) >= OLDEST_API) else {
        let needed = format!("{}.{}", OLDEST_API.0, OLDEST_API.1);
        return Err(Error::TooOld { endpoint: endpoint.to_string(), found: api, needed });
    };
    let agreed = if spoken < *API_DEFAULT_VERSION { spoken } else { *API_DEFAULT_VERSION };
    let docker = open(endpoint, tls, &agreed, SECONDS_TO_ANSWER).map_err(|answer| unusable(endpoint, &answer))?;
    let is_podman = is_podman(&version);
    Ok(Connected { docker, about: about(endpoint, &version, &agreed, is_podman), is_podman })
}

fn open(endpoint: &Endpoint, tls: Option<&TlsFiles>, version: &ClientVersion, seconds: u64) -> Result<Docker, Answer> {
    match (endpoint.transport(), tls) {
        (Transport::Unix, _) => Docker::connect_with_unix(endpoint.address(), seconds, version),
        (Transport::Tcp | Transport::Https, Some(tls)) => {
            Docker::connect_with_ssl(endpoint.address(), &tls.key, &tls.cert, &tls.ca, seconds, version)
        }
        (Transport::Tcp, None) => Docker::connect_with_http(&format!("http://{}", endpoint.address()), seconds, version),
        (Transport::Https, None) => Err(Answer::UnsupportedURISchemeError { uri: endpoint.to_string() }),
    }
}

fn unusable(endpoint: &Endpoint, answer: &Answer) -> Error {
    let why = match answer {
        Answer::SocketNotFoundError(_) => "there is no such socket".to_owned(),
        Answer::UnsupportedURISchemeError { .. } => {
            "TLS needs certificates: set DOCKER_CERT_PATH to a directory with `ca.pem`, `cert.pem` and `key.pem`".to_owned()
        }
        other => other.to_string(),
    };
    Error::ConnectionFailed { endpoint: endpoint.to_string(), why }
}

fn read_version(api: &str) -> Option<ClientVersion> {
    let (major, minor) = api.split_once('.')?;
    Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
}

fn is_podman(version: &SystemVersion) -> bool {
    version.components.iter().flatten().any(|component| component.name.to_ascii_lowercase().contains("podman"))
}

fn about(endpoint: &Endpoint, version: &SystemVersion, agreed: &ClientVersion, is_podman: bool) -> About {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    About {
        product: if is_podman { "Podman" } else { "Docker" }.to_owned(),
        version: part(&version.version),
        api: format!("{}.{}", agreed.major_version, agreed.minor_version),
        platform: format!("{}/{}", part(&version.os), part(&version.arch)),
        endpoint: endpoint.to_string(),
    }
}
