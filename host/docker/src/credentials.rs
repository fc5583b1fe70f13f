//! Credentials for registries, as docker's own configuration keeps them: in it, or with a helper that it names.

use std::sync::Arc;

use bollard::auth::DockerCredentials;
use cap_std::fs::Dir;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use sti_core::Reference;

/// What docker's configuration calls its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
const FILE: &str = "config.json";
/// How a helper says that it knows no such registry.
const NOT_FOUND: &str = "credentials not found";

/// The text of docker's `config.json`.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    text: Arc<str>,
}

impl DockerConfig {
    /// Takes the text of a `config.json`; `None` where it is no JSON object.
    pub fn parse(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value.is_object().then(|| Self { text: text.into() })
    }

    /// Reads `config.json` in docker's directory; `None` where there is none that can be read.
    pub fn read(directory: &Dir) -> Option<Self> {
        Self::parse(&directory.read_to_string(FILE).ok()?)
    }

    /// The context that is in use; `None` for the default one.
    pub(crate) fn current_context(&self) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(&self.text).ok()?;
        value.get("currentContext")?.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// What a registry is told about who asks; `Ok(None)` where nothing is known. A helper may take its time, so it is asked on a
    /// thread of its own.
    pub(crate) async fn credentials(&self, image: &Reference) -> Result<Option<DockerCredentials>, String> {
        let server = server_of(image);
        let (text, asked) = (self.text.clone(), server.clone());
        let asked = tokio::task::spawn_blocking(move || get_credential_from_reader(text.as_bytes(), &asked));
        match asked.await {
            Ok(Ok(credential)) => Ok(Some(for_engine(credential, server))),
            Ok(Err(error)) if is_unknown(&error) => Ok(None),
            Ok(Err(error)) => Err(first_line(&error.to_string())),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn server_of(image: &Reference) -> String {
    if image.registry() == "docker.io" { DOCKER_HUB.to_owned() } else { image.registry().to_owned() }
}

fn is_unknown(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::NoCredentialConfigured => true,
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            stdout.contains(NOT_FOUND) || stderr.contains(NOT_FOUND)
        }
        _ => false,
    }
}

fn for_engine(credential: DockerCredential, server: String) -> DockerCredentials {
    let serveraddress = Some(server);
    match credential {
        DockerCredential::IdentityToken(token) => {
            DockerCredentials { identitytoken: Some(token), serveraddress, ..DockerCredentials::default() }
        }
        DockerCredential::UsernamePassword(username, password) => {
            let (username, password) = (Some(username), Some(password));
            DockerCredentials { username, password, serveraddress, ..DockerCredentials::default() }
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_finds(config: &str, image: &str, user: Option<&str>) {
        let config = DockerConfig::parse(config).unwrap();
        let image = Reference::parse(image).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(config.credentials(&image)).unwrap();
        assert_eq!(found.and_then(|found| found.username).as_deref(), user, "{image}");
    }

    #[test]
    fn finds_the_credentials_of_the_right_registry() {
        // `ada:secret` and `bob:secret`.
        let config = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "YWRhOnNlY3JldA=="},
            "localhost:5000": {"auth": "Ym9iOnNlY3JldA=="}
        }}"#;
        check_finds(config, "app", Some("ada"));
        check_finds(config, "localhost:5000/app", Some("bob"));
        check_finds(config, "registry.example.com/app", None);
        check_finds("{}", "app", None);
    }

    #[test]
    fn says_which_helper_does_not_answer() {
        let config = DockerConfig::parse(r#"{"credsStore": "sti-does-not-exist"}"#).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(config.credentials(&Reference::parse("app").unwrap())).unwrap_err();
        assert!(error.contains("helper"), "{error}");
    }

    #[test]
    fn reads_the_context_in_use() {
        let context = |text: &str| DockerConfig::parse(text).and_then(|config| config.current_context());
        assert_eq!(context(r#"{"currentContext": "far"}"#).as_deref(), Some("far"));
        assert_eq!(context("{}"), None);
        assert!(DockerConfig::parse("[]").is_none() && DockerConfig::parse("{").is_none());
    }
}
