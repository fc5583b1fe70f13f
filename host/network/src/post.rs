//! Hands one document in at one address, where the user wants to be told something. Each try brings the whole of it.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use sti_core::progress::Level;
use tokio::time::sleep;

use crate::Network;
use crate::error::Error;
use crate::failure::{Again, Failure};
use crate::judge::judge;
use crate::redirect;
use crate::request::{Request, Sendable};

/// How often it is tried.
const TRIES: u32 = 3;
/// How many redirects are followed in one try.
const MOST_REDIRECTS: usize = 3;

impl Network {
    /// Posts JSON, and answers with the status that came of it. Tried again, with growing pauses, where nobody answers, or who answers is
    /// busy or broken; so it may arrive twice. A redirect is followed where it keeps the document (307, 308) and stays with its host;
    /// every other one is an answer.
    pub async fn post(&self, url: &str, json: Vec<u8>) -> Result<u16, Error> {
        let request = Request { method: "POST".to_owned(), url: url.to_owned(), headers: Vec::new(), body: json };
        let mut asked = Sendable::try_from(request)?;
        asked.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut retry = 0;
        loop {
            let outcome = self.try_to_post(&asked).await;
            let (may_repeat, why) = match &outcome {
                Ok(status) => (is_passing(*status), format!("it answers with status {status}")),
                Err(failure) => (failure.again != Again::Never, failure.error.to_string()),
            };
            retry += 1;
            if !may_repeat || retry == TRIES {
                return outcome.map(|status| status.as_u16()).map_err(|failure| failure.error);
            }
            self.progress.say(Level::Debug, format!("{why}; trying again"));
            sleep(self.timeouts.before(retry)).await;
        }
    }

    async fn try_to_post(&self, first: &Sendable) -> Result<StatusCode, Failure> {
        let mut asked = first.clone();
        for _ in 0..MOST_REDIRECTS {
            let answer = self.post_once(&asked).await?;
            let status = answer.status();
            let location = answer.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let keeps_it = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let next = redirect::next(&asked, status, location.as_deref()).map_err(never)?;
            match next.filter(|next| keeps_it && next.origin().ok() == asked.origin().ok()) {
                Some(next) => asked = next,
                None => return Ok(status),
            }
        }
        Ok(StatusCode::LOOP_DETECTED)
    }

    async fn post_once(&self, asked: &Sendable) -> Result<reqwest::Response, Failure> {
        let origin = asked.origin().map_err(never)?;
        let worded = |failure: Failure| Failure { error: self.worded(&origin, failure.error), ..failure };
        let reach = judge(&*self.grants, &origin).map_err(never).map_err(worded)?;
        let client = self.clients.choose(&asked.url, &reach).await.map_err(never)?;
        let login = self.keyring.known(&origin, reach.standing).await;
        let answer = self.once(&client, asked, login.as_ref()).await.map_err(worded)?;
        if login.is_some() || answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        // A name without a password is sent to whoever asks for one.
        match self.keyring.asked_for(&origin, reach.standing).await {
            Some(login) => self.once(&client, asked, Some(&login)).await.map_err(worded),
            None => Ok(answer),
        }
    }
}

fn never(error: Error) -> Failure {
    Failure { error, again: Again::Never }
}

/// What another moment may mend.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}
