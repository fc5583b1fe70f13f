//! Has the engine pull an image, tells how far it is, and says what to do where a registry refuses.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bollard::{models::CreateImageInfo, query_parameters::CreateImageOptionsBuilder};
use futures_util::StreamExt;
use sti_core::{Event, Progress, Reference, progress::Level};
use sti_engine::Error;

use crate::{
    DockerEngine,
    failures::{self, Failure},
};

const TELL_EVERY: Duration = Duration::from_millis(100);

impl DockerEngine {
    /// Pulls an image; `false` where its registry does not know it.
    pub(crate) async fn pull(&self, image: &Reference, progress: &dyn Progress) -> Result<bool, Error> {
        let credentials = match &self.docker_config {
            Some(config) => config.credentials(image).await.unwrap_or_else(|why| {
                progress.say(Level::Warning, format!("pulling `{image}` without credentials: {why}"));
                None
            }),
            None => None,
        };
        let version = image.digest().or(image.tag()).unwrap_or("latest");
        let options = CreateImageOptionsBuilder::new().from_image(&image.name()).tag(version).build();
        let request = format!("POST /images/create?fromImage={}&tag={version}", image.name());
        self.requests.begin(&request);
        let mut answers = self.requests.patient().create_image(Some(options), None, credentials);
        let mut layers = Layers::new(format!("pulling {image}"));
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(answer) => layers.take(&answer, progress),
                Err(error) => return judge(image, &self.requests.failure(request, &error)),
            }
        }
        Ok(true)
    }
}

fn judge(image: &Reference, failure: &Failure) -> Result<bool, Error> {
    let message = failure.message();
    if failure.is_connection() || failures::is_no_space(message) {
        return Err(failure.clone().plain());
    }
    if is_unknown(message) {
        return Ok(false);
    }
    Err(Error::PullFailed { image: image.clone(), why: message.to_owned(), hint: hint(image, message) })
}

/// How registries say that they answer, and do not have it. "Denied" may mean the same, but not surely.
const UNKNOWN: &[&str] = &["manifest unknown", "name unknown", "repository name not known"];

fn is_unknown(message: &str) -> bool {
    UNKNOWN.iter().any(|part| message.contains(part)) || (message.contains("manifest for ") && message.contains("not found"))
}

/// What to do about a refusal; `{registry}` is filled in, and the first row that fits is taken.
const HINTS: &[(&[&str], &str)] = &[
    (&["toomanyrequests", "rate limit"], "the registry limits anonymous pulls: `docker login {registry}`, or try again later"),
    (
        &["denied", "unauthorized", "authentication required", "no basic auth", "401"],
        "check the name, or log in: `docker login {registry}`",
    ),
    (
        &["HTTP response to HTTPS client"],
        "the registry speaks no TLS: add it to `insecure-registries` in the engine's `/etc/docker/daemon.json`",
    ),
    (&["x509", "certificate"], "give the engine the registry's certificate as `/etc/docker/certs.d/{registry}/ca.crt`"),
    (
        &["no such host", "dial tcp", "timeout", "connection refused", "EOF", "reset by peer", "misbehaving"],
        "the engine does not reach `{registry}`: check its network and proxy, or `docker load` the image and use `--pull never`",
    ),
];

fn hint(image: &Reference, message: &str) -> Option<String> {
    let (_, hint) = HINTS.iter().find(|(parts, _)| parts.iter().any(|part| message.contains(part)))?;
    Some(hint.replace("{registry}", image.registry()))
}

/// How far each layer is.
struct Layers {
    what: String,
    by_id: BTreeMap<String, (u64, u64)>,
    told_at: Option<Instant>,
}

impl Layers {
    fn new(what: String) -> Self {
        Self { what, by_id: BTreeMap::new(), told_at: None }
    }

    fn take(&mut self, answer: &CreateImageInfo, progress: &dyn Progress) {
        let (Some(id), Some(status)) = (&answer.id, &answer.status) else { return };
        let detail = answer.progress_detail.as_ref();
        let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        match status.as_str() {
            "Downloading" => {
                let done = number(detail.and_then(|detail| detail.current)).unwrap_or_default();
                let total = number(detail.and_then(|detail| detail.total)).unwrap_or(done);
                self.by_id.insert(id.clone(), (done, total.max(done)));
            }
            "Download complete" | "Pull complete" => {
                self.by_id.entry(id.clone()).and_modify(|(done, total)| *done = *total);
            }
            _ => return,
        }
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Instant::now());
            progress.tell(self.amount());
        }
    }

    fn amount(&self) -> Event {
        let done = self.by_id.values().map(|(done, _)| done).sum();
        let total = self.by_id.values().map(|(_, total)| total).sum();
        Event::Amount { what: self.what.clone(), done, total: Some(total) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::{errors::Error as Answer, models::ProgressDetail};
    use sti_core::progress::Silent;

    fn check_judges(status_code: u16, message: &str) -> Result<bool, Error> {
        let answer = Answer::DockerResponseServerError { status_code, message: message.to_owned() };
        let failure = Failure::new("POST /images/create".to_owned(), "unix:///x".to_owned(), &answer);
        judge(&Reference::parse("registry.example.com:5000/app:1").unwrap(), &failure)
    }

    #[test]
    fn tells_what_is_not_there_from_what_cannot_be_had() {
        assert!(!check_judges(404, "manifest for registry.example.com:5000/app:1 not found: manifest unknown").unwrap());
        let denied = "pull access denied for app, repository does not exist or may require 'docker login': denied";
        for (message, hint) in [
            (denied, "docker login registry.example.com:5000"),
            ("Get \"http://x/v2/\": unauthorized: authentication required", "docker login"),
            ("Get \"https://x/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused", "--pull never"),
            ("http: server gave HTTP response to HTTPS client", "insecure-registries"),
            ("x509: certificate signed by unknown authority", "certs.d/registry.example.com:5000"),
        ] {
            let error = check_judges(500, message).expect_err(message);
            assert!(matches!(&error, Error::PullFailed { hint: Some(said), .. } if said.contains(hint)), "{error:?}");
        }
        assert!(matches!(check_judges(500, "write /x: no space left on device"), Err(Error::NoSpace { .. })));
    }

    #[test]
    fn sums_layers() {
        let mut layers = Layers::new("pulling app".to_owned());
        let mut take = |id: &str, status: &str, current: i64, total: i64| {
            let progress_detail = Some(ProgressDetail { current: Some(current), total: Some(total) });
            let (id, status) = (Some(id.to_owned()), Some(status.to_owned()));
            layers.take(&CreateImageInfo { id, status, progress_detail, ..CreateImageInfo::default() }, &Silent);
        };
        take("a", "Downloading", 10, 100);
        take("b", "Downloading", 5, 50);
        take("a", "Download complete", 0, 0);
        take("c", "Already exists", 0, 0);
        assert_eq!(layers.amount(), Event::Amount { what: "pulling app".to_owned(), done: 105, total: Some(150) });
    }
}
