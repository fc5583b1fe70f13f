//! The network that fetcher plugins reach through the host. Each host, each redirect and each address that a name leads to is judged;
//! TLS, proxies, logins, retries and timeouts are decided here and nowhere else. Knows no WebAssembly and no engine.
//!
//! Serves `wit/sti-host/http.wit` and `wit/sti-host/repositories.wit`.

use std::path::PathBuf;
use std::sync::{Arc, atomic::AtomicU64};

use cap_std::fs::Dir;
use sti_core::Progress;

mod authorities;
mod clients;
mod connection;
mod credentials;
mod download;
mod error;
mod failure;
mod grants;
mod helper;
mod judge;
mod login;
mod lookup;
mod netrc;
mod place;
mod plain_line;
mod post;
mod proxies;
mod redirect;
mod repository;
mod request;
mod response;
mod resume;
mod secret;
mod send;
mod ssh;
mod ssh_words;
mod timeouts;
mod validators;

pub use authorities::Authorities;
pub use connection::Connection;
pub use credentials::Credentials;
pub use download::Download;
pub use error::Error;
pub use grants::{Denied, Grants};
pub use judge::{Names, SystemNames};
pub use login::{Login, clean, is_scheme};
pub use place::{host_of, port_of};
pub use proxies::Proxies;
pub use request::{BODY_LIMIT, Request};
pub use response::Response;
pub use timeouts::Timeouts;
pub use validators::Validators;

use authorities::Trust;
use clients::Clients;
use credentials::Keyring;
use lookup::Lookup;
use proxies::ProxyTable;

/// All that the network of one plugin needs to know. `cli` reads the environment and fills this in.
pub struct Settings {
    /// What the plugin may reach.
    pub grants: Arc<dyn Grants>,
    /// Turns names into addresses; [`SystemNames`] but in tests.
    pub names: Arc<dyn Names>,
    /// Logins, never shown to anybody.
    pub credentials: Credentials,
    /// Whom TLS trusts.
    pub authorities: Authorities,
    /// What goes through a proxy.
    pub proxies: Proxies,
    /// Where downloads are kept while they are read.
    pub spool: Dir,
    /// Bytes of all downloads together.
    pub download_limit: u64,
    /// The site's ssh client.
    pub ssh: PathBuf,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Is told of retries and amounts.
    pub progress: Arc<dyn Progress>,
}

/// The network as one plugin reaches it. Makes no connection and reads no file before it is asked for something.
pub struct Network {
    grants: Arc<dyn Grants>,
    names: Arc<Lookup>,
    keyring: Keyring,
    clients: Clients,
    spool: Dir,
    download_limit: u64,
    downloaded: AtomicU64,
    ssh: PathBuf,
    timeouts: Timeouts,
    progress: Arc<dyn Progress>,
}

impl Network {
    /// Takes the settings; what cannot be used of proxies and authorities is told at once.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let names = Arc::new(Lookup::new(settings.names));
        let trust = Trust::new(&settings.authorities)?;
        let proxies = ProxyTable::new(&settings.proxies)?;
        Ok(Self {
            clients: Clients::new(Arc::clone(&names), trust, proxies, settings.timeouts.connect),
            grants: settings.grants,
            names,
            keyring: Keyring::new(settings.credentials),
            spool: settings.spool,
            download_limit: settings.download_limit,
            downloaded: AtomicU64::new(0),
            ssh: settings.ssh,
            timeouts: settings.timeouts,
            progress: settings.progress,
        })
    }
}
