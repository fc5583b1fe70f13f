//! Which login goes to which host, and when. What is sent nowhere else: to another host, scheme or port than it belongs to.
//!
//! | from | belongs to | is sent |
//! |---|---|---|
//! | the user's address | its scheme, host and port | with each request |
//! | `.netrc` | a host | with each request |
//! | git's helpers | the scheme, host and port that they were asked for | after the server asked for one (401) |
//!
//! The last two are sent only to a host that the user named: a plugin that may choose among hosts could else read with the user's login
//! what a server keeps for the user, and carry it elsewhere. Over plain `http://` they are sent only where the user's own address names
//! the host: else a plugin could have them sent so that anybody on the way reads them.

use std::collections::HashMap;
use std::path::PathBuf;

use sti_core::hosts::Standing;
use tokio::sync::Mutex;

use crate::helper;
use crate::login::Login;
use crate::netrc::{self, Machine};
use crate::place::Origin;
use crate::secret::{Pair, Secret};

/// Where logins come from. Its text for debugging holds none.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    logins: Vec<Login>,
    machines: Vec<Machine>,
    git: Option<PathBuf>,
}

impl Credentials {
    /// None at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// These, and a login that [`crate::clean`] took from an address.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.logins.push(login);
        self
    }

    /// These, and what the text of a `.netrc` holds.
    #[must_use]
    pub fn with_netrc(mut self, text: &str) -> Self {
        self.machines.extend(netrc::parse(text));
        self
    }

    /// These, and what git's helpers know; `git` is the program to ask.
    #[must_use]
    pub fn with_helpers(self, git: PathBuf) -> Self {
        Self { git: Some(git), ..self }
    }
}

/// The logins of a build, with what the helpers said.
pub(crate) struct Keyring {
    credentials: Credentials,
    /// Each place is asked about once. The lock is held while git runs, so that ten requests ask once too.
    told: Mutex<HashMap<Origin, Option<Pair>>>,
}

impl Keyring {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, told: Mutex::new(HashMap::new()) }
    }

    /// The login that is sent without having been asked for.
    pub(crate) async fn known(&self, origin: &Origin, standing: Standing) -> Option<Pair> {
        let login = self.login(origin);
        if let Some(Login { user, password: Some(password), .. }) = login {
            return Some(Pair { user: user.clone(), password: password.clone() });
        }
        if !may_travel(origin, standing) {
            return None;
        }
        match self.told.lock().await.get(origin) {
            Some(Some(told)) => Some(told.clone()),
            _ => self.machine(origin, login.map(|login| &login.user)),
        }
    }

    /// The login for a server that asked for one and got none.
    pub(crate) async fn asked_for(&self, origin: &Origin, standing: Standing) -> Option<Pair> {
        let user = self.login(origin).map(|login| &login.user);
        // Some servers take a token as the user's name, with an empty password.
        let alone = user.map(|user| Pair { user: user.clone(), password: Secret::new("") });
        let Some(git) = self.credentials.git.as_ref().filter(|_| may_travel(origin, standing)) else {
            return alone;
        };
        let mut told = self.told.lock().await;
        if let Some(told) = told.get(origin) {
            return told.clone().or(alone);
        }
        let answer = helper::ask(git, origin, user).await;
        told.insert(origin.clone(), answer.clone());
        answer.or(alone)
    }

    fn login(&self, origin: &Origin) -> Option<&Login> {
        self.credentials.logins.iter().find(|login| login.origin == *origin)
    }

    fn machine(&self, origin: &Origin, user: Option<&Secret>) -> Option<Pair> {
        let fits = |machine: &&Machine| machine.host == origin.host && user.is_none_or(|user| *user == machine.pair.user);
        self.credentials.machines.iter().find(fits).map(|machine| machine.pair.clone())
    }
}

fn may_travel(origin: &Origin, standing: Standing) -> bool {
    match standing {
        Standing::Address => true,
        Standing::Named => origin.scheme == "https",
        Standing::Granted => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::clean;

    fn check(keyring: &Keyring, url: &str, standing: Standing, expected: Option<&str>) {
        let origin = Origin::of(&url::Url::parse(url).unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(keyring.known(&origin, standing));
        assert_eq!(found.as_ref().map(|pair| pair.password.reveal()), expected, "{url} with {standing:?}");
    }

    #[test]
    fn a_login_of_an_address_belongs_to_its_scheme_host_and_port() {
        let (_, login) = clean("https://ada:pw@a.test/b");
        let keyring = Keyring::new(Credentials::none().with_login(login.unwrap()));
        check(&keyring, "https://a.test/c", Standing::Address, Some("pw"));
        for other in ["http://a.test/", "https://a.test:8443/", "https://b.test/", "https://a.a.test/"] {
            check(&keyring, other, Standing::Address, None);
        }
    }

    #[test]
    fn a_login_of_netrc_travels_in_the_open_only_where_the_user_says_so() {
        let keyring = Keyring::new(Credentials::none().with_netrc("machine a.test login ada password pw"));
        check(&keyring, "https://a.test/", Standing::Named, Some("pw"));
        check(&keyring, "http://a.test/", Standing::Address, Some("pw"));
        check(&keyring, "http://a.test/", Standing::Named, None);
        check(&keyring, "https://a.test/", Standing::Granted, None);
        check(&keyring, "https://b.test/", Standing::Address, None);
    }

    #[test]
    fn of_several_logins_of_netrc_the_named_one_is_taken() {
        let netrc = "machine a.test login bob password no\nmachine a.test login ada password pw";
        let (_, login) = clean("https://ada@a.test/b");
        let keyring = Keyring::new(Credentials::none().with_netrc(netrc).with_login(login.unwrap()));
        check(&keyring, "https://a.test/", Standing::Named, Some("pw"));
    }

    #[test]
    fn credentials_are_not_printed() {
        let (_, login) = clean("https://ada:swordfish@a.test/b");
        let credentials =
            Credentials::none().with_login(login.unwrap()).with_netrc("machine a.test login ada password swordfish");
        let text = format!("{credentials:?}");
        assert!(text.contains("a.test") && !text.contains("swordfish") && !text.contains("ada"), "{text}");
    }
}
