//! Sends requests: each hop is judged, given the login that belongs to it, and tried again where that is safe.

use reqwest::header::{LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, StatusCode};
use sti_core::hosts::Standing;
use sti_core::progress::Level;
use tokio::time::sleep;

use crate::Network;
use crate::error::Error;
use crate::failure::{Again, Failure, understand};
use crate::judge::judge;
use crate::place::{Origin, shown};
use crate::redirect;
use crate::request::{Request, Sendable};
use crate::response::Response;
use crate::secret::Pair;
use crate::timeouts::{RETRIES, heard};

impl Network {
    /// Sends a request and answers as soon as the headers are there, after redirects.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        self.exchange(request.try_into()?).await
    }

    /// Sends a request and follows where it leads.
    pub(crate) async fn exchange(&self, first: Sendable) -> Result<Response, Error> {
        let began = shown(&first.url);
        let (mut asked, mut by_login) = (first, false);
        for _ in 0..=redirect::MOST {
            let (answer, had_login) = self.hop(&asked).await?;
            by_login |= had_login;
            let location = answer.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
            match redirect::next(&asked, answer.status(), location.as_deref())? {
                None => return Ok(Response::new(answer, asked.url, self.timeouts.idle).by_login(by_login)),
                Some(next) => asked = next,
            }
        }
        Err(Error::TooManyRedirects { url: began, limit: redirect::MOST })
    }

    /// Sends to one host, with a login where one belongs to it; says whether there was one.
    async fn hop(&self, asked: &Sendable) -> Result<(reqwest::Response, bool), Error> {
        let origin = asked.origin()?;
        self.at(&origin, asked).await.map_err(|error| self.worded(&origin, error))
    }

    /// An address that was refused is refused by whoever grants, in their words.
    pub(crate) fn worded(&self, origin: &Origin, error: Error) -> Error {
        match error {
            Error::AddressRefused { host, address, what, .. } => {
                let denied = self.grants.refused_address(&origin.host, origin.port, address, what);
                Error::AddressRefused { host, address, what, hint: denied.hint }
            }
            error => error,
        }
    }

    async fn at(&self, origin: &Origin, asked: &Sendable) -> Result<(reqwest::Response, bool), Error> {
        let reach = judge(&*self.grants, origin)?;
        let client = self.clients.choose(&asked.url, &reach).await?;
        // A login that the plugin brought is not ours to add to, nor to replace where it is refused.
        let known = if asked.is_authorized() { None } else { self.keyring.known(origin, reach.standing).await };
        let answer = self.persist(&client, asked, known.as_ref()).await?;
        if known.is_some() || asked.is_authorized() || !asks_for_login(&answer) {
            return Ok((answer, known.is_some() || asked.is_authorized()));
        }
        match self.login_for(origin, reach.standing).await {
            Some(login) => Ok((self.persist(&client, asked, Some(&login)).await?, true)),
            None => Ok((answer, false)),
        }
    }

    async fn login_for(&self, origin: &Origin, standing: Standing) -> Option<Pair> {
        self.progress.say(Level::Debug, format!("`{origin}` asks for a login"));
        self.keyring.asked_for(origin, standing).await
    }

    /// Tries again, with growing pauses, where no harm can come of it.
    async fn persist(&self, client: &Client, asked: &Sendable, login: Option<&Pair>) -> Result<reqwest::Response, Error> {
        let mut retry = 0;
        loop {
            let Failure { error, again } = match self.once(client, asked, login).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let may_repeat = again == Again::Always || (again == Again::IfRepeatable && asked.is_repeatable());
            if !may_repeat || retry == RETRIES {
                return Err(error);
            }
            self.progress.say(Level::Debug, format!("{error}; trying again"));
            sleep(self.timeouts.before(retry)).await;
            retry += 1;
        }
    }

    pub(crate) async fn once(
        &self,
        client: &Client,
        asked: &Sendable,
        login: Option<&Pair>,
    ) -> Result<reqwest::Response, Failure> {
        let request = client.request(asked.method.clone(), asked.url.clone()).headers(asked.headers.clone());
        let request = if asked.body.is_empty() { request } else { request.body(asked.body.clone()) };
        let request = match login {
            Some(Pair { user, password }) => request.basic_auth(user.reveal(), Some(password.reveal())),
            None => request,
        };
        let waiting = self.timeouts.connect + self.timeouts.idle;
        let answer = heard(waiting, &shown(&asked.url), request.send()).await;
        let answer = answer.map_err(|error| Failure { error, again: Again::Never })?;
        answer.map_err(|error| understand(&asked.url, &error))
    }
}

/// True where a name and a password would be taken.
fn asks_for_login(answer: &reqwest::Response) -> bool {
    let challenges = answer.headers().get_all(WWW_AUTHENTICATE);
    let is_basic = |text: &[u8]| text.to_ascii_lowercase().windows(5).any(|word| word == b"basic");
    answer.status() == StatusCode::UNAUTHORIZED && challenges.iter().any(|challenge| is_basic(challenge.as_bytes()))
}
