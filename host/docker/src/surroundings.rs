//! Where an engine may be found: what was given, what the environment and docker's configuration name, and where engines listen
//! by default.

use std::path::PathBuf;

use cap_std::fs::Dir;
use serde::Deserialize;
use sti_engine::Error;
use thiserror::Error as ThisError;

use crate::{
    connect::{Connected, connect},
    credentials::DockerConfig,
    endpoint::{Endpoint, Malformed, Transport},
    tls::{TlsFiles, Trouble},
};

/// What the environment says. Only `host/src/cli` reads it; everything here takes values.
#[derive(Default)]
pub struct Surroundings {
    /// `--url`.
    pub given: Option<String>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_TLS_VERIFY`: any text but none means TLS.
    pub docker_tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`.
    pub docker_cert_path: Option<PathBuf>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// Docker's directory (`DOCKER_CONFIG`, else `~/.docker`), where there is one, and its path for bollard, which reads
    /// certificates by path.
    pub docker_directory: Option<(Dir, PathBuf)>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_directory: Option<PathBuf>,
}

/// Where an endpoint was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--url`.
    Given,
    /// `DOCKER_HOST`.
    DockerHost,
    /// The docker context of this name.
    Context(String),
    /// A place where engines listen by default.
    Standard,
}

/// An endpoint to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub endpoint: Endpoint,
    /// With which certificates.
    pub tls: Option<TlsFiles>,
    /// Who named it.
    pub origin: Origin,
}

/// Why there is no engine.
#[derive(Debug, ThisError)]
pub enum NoEndpoint {
    /// Somebody named an endpoint that is none.
    #[error("{named}: {malformed}")]
    Malformed {
        /// Who named it.
        named: String,
        /// What is wrong with it.
        malformed: Malformed,
    },
    /// The docker context does not exist, or cannot be read.
    #[error("the docker context `{name}` cannot be used: {why}")]
    Context {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// TLS is asked for, and there is nowhere to take certificates from.
    #[error("`{endpoint}` of {named} cannot be spoken to in TLS: TLS needs certificates")]
    NoCertificates {
        /// Who named the endpoint.
        named: String,
        /// Where it is.
        endpoint: Endpoint,
    },
    /// TLS does not come about with the certificates of one side or the other.
    #[error("`{endpoint}` of {named} cannot be spoken to in TLS: {why}")]
    Tls {
        /// Who named the endpoint.
        named: String,
        /// Where it is.
        endpoint: Endpoint,
        /// What is wrong, with the path of the file that it is about.
        why: String,
        /// What to do about it.
        hint: String,
    },
    /// What was named does not answer.
    #[error("{error}")]
    Dead {
        /// Who named it.
        named: String,
        /// What the system said.
        error: Error,
    },
    /// Nothing was named, and nothing answers.
    #[error("no container engine answers; looked at {}", looked_at.join(", "))]
    None {
        /// Each place, with what happened there.
        looked_at: Vec<String>,
    },
}

impl NoEndpoint {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed { malformed, .. } => Some(malformed.hint()),
            Self::Context { .. } => Some("`docker context ls` lists what there is, and `docker context use` chooses".to_owned()),
            Self::NoCertificates { .. } => Some(
                "set DOCKER_CERT_PATH to a directory with `ca.pem`, `cert.pem` and `key.pem`; without TLS, write `tcp://HOST:PORT` and \
                 unset DOCKER_TLS_VERIFY"
                    .to_owned(),
            ),
            Self::Tls { hint, .. } => Some(hint.clone()),
            Self::Dead { error: error @ Error::TooOld { .. }, .. } => error.hint(),
            Self::Dead { named, .. } => {
                Some(format!("it was named by {named}; start the engine there, or name another with --url"))
            }
            Self::None { .. } => Some(
                "start one (`sudo systemctl start docker`, or `systemctl --user start podman.socket`), or \
                 name one with --url"
                    .to_owned(),
            ),
        }
    }
}

impl Origin {
    /// Who named it, for people.
    pub fn shown(&self) -> String {
        match self {
            Self::Given => "--url".to_owned(),
            Self::DockerHost => "DOCKER_HOST".to_owned(),
            Self::Context(name) => format!("the docker context `{name}`"),
            Self::Standard => "default".to_owned(),
        }
    }
}

/// Lists what is to be tried, in order. What somebody named stands alone: it is that or nothing.
pub fn candidates(facts: &Surroundings) -> Result<Vec<Candidate>, NoEndpoint> {
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(written) = named(&facts.given) {
        return Ok(vec![by_environment(facts, &written, Origin::Given)?]);
    }
    if let Some(written) = named(&facts.docker_host) {
        return Ok(vec![by_environment(facts, &written, Origin::DockerHost)?]);
    }
    let config = facts.docker_directory.as_ref().and_then(|(directory, _)| DockerConfig::read(directory));
    let context = named(&facts.docker_context).or_else(|| config.and_then(|config| config.current_context()));
    match context.filter(|name| name != "default") {
        Some(name) => Ok(vec![by_context(facts, &name)?]),
        None => Ok(standard(facts)),
    }
}

/// Finds the endpoint that is to be used, by asking each who answers.
pub(crate) async fn find(facts: &Surroundings) -> Result<(Candidate, Connected), NoEndpoint> {
    let mut looked_at = Vec::new();
    for candidate in candidates(facts)? {
        candidate.tls.as_ref().map_or(Ok(()), TlsFiles::check).map_err(|trouble| in_tls(&candidate, trouble))?;
        match connect(&candidate.endpoint, candidate.tls.as_ref()).await {
            Ok(connected) => return Ok((candidate, connected)),
            Err(error) if candidate.origin != Origin::Standard => return Err(dead(&candidate, error)),
            Err(Error::ConnectionFailed { endpoint, why }) => looked_at.push(format!("{endpoint} ({why})")),
            Err(error) => looked_at.push(error.to_string()),
        }
    }
    Err(NoEndpoint::None { looked_at })
}

fn dead(candidate: &Candidate, error: Error) -> NoEndpoint {
    let trouble = match (&error, &candidate.tls) {
        (Error::ConnectionFailed { why, .. }, Some(tls)) => tls.meaning(why),
        _ => None,
    };
    match trouble {
        Some(trouble) => in_tls(candidate, trouble),
        None => NoEndpoint::Dead { named: candidate.origin.shown(), error },
    }
}

fn in_tls(candidate: &Candidate, Trouble { why, hint }: Trouble) -> NoEndpoint {
    NoEndpoint::Tls { named: candidate.origin.shown(), endpoint: candidate.endpoint.clone(), why, hint }
}

fn by_environment(facts: &Surroundings, written: &str, origin: Origin) -> Result<Candidate, NoEndpoint> {
    let endpoint = Endpoint::parse(written).map_err(|malformed| NoEndpoint::Malformed { named: origin.shown(), malformed })?;
    let verify = facts.docker_tls_verify.as_ref().is_some_and(|text| !text.is_empty());
    let wants_tls = match endpoint.transport() {
        Transport::Unix => false,
        Transport::Tcp => verify,
        Transport::Https => true,
    };
    if !wants_tls {
        return Ok(Candidate { endpoint, tls: None, origin });
    }
    let given = facts.docker_cert_path.clone().filter(|path| !path.as_os_str().is_empty());
    match given.or_else(|| facts.docker_directory.as_ref().map(|(_, path)| path.clone())) {
        Some(directory) => Ok(Candidate { endpoint, tls: Some(TlsFiles::of(&directory)), origin }),
        // What is to be secret never goes out in the open instead.
        None => Err(NoEndpoint::NoCertificates { named: origin.shown(), endpoint }),
    }
}

/// What docker keeps of a context, in `contexts/meta/<SHA-256 of its name>/meta.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: DockerEndpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerEndpoint {
    host: String,
}

fn by_context(facts: &Surroundings, name: &str) -> Result<Candidate, NoEndpoint> {
    let unusable = |why: String| NoEndpoint::Context { name: name.to_owned(), why };
    let Some((directory, path)) = &facts.docker_directory else {
        return Err(unusable("docker's directory does not exist".to_owned()));
    };
    let digits = sti_core::digest::sha256(name.as_bytes());
    let text = directory
        .read_to_string(format!("contexts/meta/{digits}/meta.json"))
        .map_err(|error| unusable(format!("its description cannot be read: {error}")))?;
    let meta: Meta = serde_json::from_str(&text).map_err(|error| unusable(format!("its description makes no sense: {error}")))?;
    let origin = Origin::Context(name.to_owned());
    let endpoint = Endpoint::parse(&meta.endpoints.docker.host)
        .map_err(|malformed| NoEndpoint::Malformed { named: origin.shown(), malformed })?;
    let files = format!("contexts/tls/{digits}/docker");
    // Whoever keeps any of them wants TLS: what is missing is said by the connection.
    let wants_tls = directory.read_dir(&files).is_ok_and(|mut files| files.next().is_some());
    let tls = wants_tls.then(|| TlsFiles::of(&path.join(files)));
    Ok(Candidate { endpoint, tls, origin })
}

/// Docker's before Podman's, and the system's before the user's: as users have them in that order.
fn standard(facts: &Surroundings) -> Vec<Candidate> {
    let user = |name: &str| facts.runtime_directory.as_ref().map(|directory| directory.join(name).to_string_lossy().into_owned());
    let system = |path: &str| Some(path.to_owned());
    let places =
        [system("/var/run/docker.sock"), user("docker.sock"), system("/run/podman/podman.sock"), user("podman/podman.sock")];
    let candidate = |path: String| Candidate { endpoint: Endpoint::unix(&path), tls: None, origin: Origin::Standard };
    places.into_iter().flatten().map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docker_directory(files: &[(&str, &str)]) -> (tempfile::TempDir, Surroundings) {
        let home = tempfile::tempdir().unwrap();
        let directory = Dir::open_ambient_dir(home.path(), cap_std::ambient_authority()).unwrap();
        for (path, text) in files {
            directory.create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
            directory.write(path, text).unwrap();
        }
        let facts = Surroundings { docker_directory: Some((directory, home.path().to_owned())), ..Surroundings::default() };
        (home, facts)
    }

    fn shown(facts: &Surroundings) -> Vec<String> {
        candidates(facts).unwrap().iter().map(|candidate| candidate.endpoint.to_string()).collect()
    }

    #[test]
    fn takes_what_was_given_before_the_environment_before_the_context() {
        let name = sti_core::digest::sha256(b"far");
        let meta = format!("contexts/meta/{name}/meta.json");
        let files = [
            ("config.json", r#"{"currentContext": "far"}"#),
            (&*meta, r#"{"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:2376"}}}"#),
            (&*format!("contexts/tls/{name}/docker/cert.pem"), "x"),
        ];
        let (home, mut facts) = docker_directory(&files);
        let candidate = candidates(&facts).unwrap().remove(0);
        assert_eq!(
            (candidate.endpoint.to_string().as_str(), &candidate.origin),
            ("tcp://far:2376", &Origin::Context("far".to_owned()))
        );
        assert!(candidate.tls.is_some_and(|tls| tls.ca.starts_with(home.path())));
        facts.docker_host = Some("unix:///run/one.sock".to_owned());
        assert_eq!(shown(&facts), ["unix:///run/one.sock"]);
        facts.given = Some("unix:///run/two.sock".to_owned());
        assert_eq!(shown(&facts), ["unix:///run/two.sock"]);
    }

    #[test]
    fn tries_the_standard_sockets_in_turn_where_nothing_is_named() {
        let facts = Surroundings { runtime_directory: Some("/run/user/1000".into()), ..Surroundings::default() };
        let expected = [
            "unix:///var/run/docker.sock",
            "unix:///run/user/1000/docker.sock",
            "unix:///run/podman/podman.sock",
            "unix:///run/user/1000/podman/podman.sock",
        ];
        assert_eq!(shown(&facts), expected);
    }

    #[test]
    fn uses_certificates_where_tls_is_asked_for() {
        let facts = Surroundings {
            docker_host: Some("tcp://host:2376".to_owned()),
            docker_tls_verify: Some("1".to_owned()),
            docker_cert_path: Some("/certs".into()),
            ..Surroundings::default()
        };
        let candidate = candidates(&facts).unwrap().remove(0);
        assert_eq!(candidate.tls.map(|tls| tls.key), Some("/certs/key.pem".into()));
        let facts = Surroundings { docker_tls_verify: None, ..facts };
        assert_eq!(candidates(&facts).unwrap().remove(0).tls, None);
    }

    #[test]
    fn never_speaks_openly_where_tls_is_asked_for_and_no_certificates_are_to_be_had() {
        for (host, verify) in [("tcp://host:2376", Some("1")), ("https://host", None)] {
            let (docker_host, docker_tls_verify) = (Some(host.to_owned()), verify.map(str::to_owned));
            let facts = Surroundings { docker_host, docker_tls_verify, ..Surroundings::default() };
            let error = candidates(&facts).unwrap_err();
            assert!(matches!(error, NoEndpoint::NoCertificates { .. }), "{error}");
            assert!(error.to_string().contains("DOCKER_HOST"), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("DOCKER_CERT_PATH")));
        }
        let given = Some("unix:///run/docker.sock".to_owned());
        let facts = Surroundings { given, docker_tls_verify: Some("1".to_owned()), ..Surroundings::default() };
        assert_eq!(candidates(&facts).unwrap().remove(0).tls, None);
    }

    #[test]
    fn a_context_with_any_certificate_is_spoken_to_in_tls() {
        let name = sti_core::digest::sha256(b"far");
        let meta = format!("contexts/meta/{name}/meta.json");
        let text = r#"{"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:2376"}}}"#;
        for (files, is_tls) in [(Some("ca.pem"), true), (Some("key.pem"), true), (None, false)] {
            let certificate = files.map(|file| format!("contexts/tls/{name}/docker/{file}"));
            let all: Vec<_> =
                [(meta.as_str(), text)].into_iter().chain(certificate.iter().map(|at| (at.as_str(), "x"))).collect();
            let (_home, mut facts) = docker_directory(&all);
            facts.docker_context = Some("far".to_owned());
            assert_eq!(candidates(&facts).unwrap().remove(0).tls.is_some(), is_tls, "{files:?}");
        }
    }

    #[test]
    fn names_a_context_that_does_not_exist_and_who_named_a_malformed_endpoint() {
        let (_home, mut facts) = docker_directory(&[("config.json", "{}")]);
        facts.docker_context = Some("gone".to_owned());
        let error = candidates(&facts).unwrap_err();
        assert!(error.to_string().contains("`gone`"), "{error}");
        facts.docker_host = Some("nonsense".to_owned());
        let error = candidates(&facts).unwrap_err();
        assert!(error.to_string().contains("DOCKER_HOST"), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn never_changes_to_something_else_where_a_named_endpoint_is_dead() {
        let home = tempfile::tempdir().unwrap();
        let dead = format!("unix://{}/none.sock", home.path().display());
        let facts = Surroundings { given: Some(dead.clone()), ..Surroundings::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(find(&facts)).err().expect("nothing listens there");
        assert!(matches!(error, NoEndpoint::Dead { .. }) && error.to_string().contains(&dead), "{error}");
    }
}
