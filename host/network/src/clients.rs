//! The HTTP clients: one for each way that a connection can be judged, made when it is first needed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Proxy, redirect, retry};
use rustls::ClientConfig;
use sti_core::hosts::Reach;
use tokio::sync::OnceCell;
use url::Url;

use crate::authorities::Trust;
use crate::error::Error;
use crate::judge::JudgingResolver;
use crate::lookup::Lookup;
use crate::proxies::{ProxyTable, Through};

/// What the host calls itself where a plugin says nothing.
const USER_AGENT: &str = concat!("sti/", env!("CARGO_PKG_VERSION"));
/// Connections that are kept for the next request to the same host.
const MOST_IDLE: usize = 4;

/// Clients differ in what their connections may reach, so that a connection made for one host is never taken for a stricter one.
pub(crate) struct Clients {
    names: Arc<Lookup>,
    trust: Trust,
    proxies: ProxyTable,
    connect_timeout: Duration,
    tls: OnceCell<ClientConfig>,
    made: Mutex<Vec<((Way, Cover), Client)>>,
}

/// Whether connections are made in TLS. Whom it trusts takes as long to read as a short answer takes to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cover {
    None,
    Tls,
}

/// What a client's connections have in common. There are as many as there are ways in which hosts are granted.
#[derive(Clone, PartialEq, Eq)]
enum Way {
    Direct(Reach),
    /// The only name that such a client looks up is its proxy's.
    Proxy(Through),
}

impl Clients {
    pub(crate) fn new(names: Arc<Lookup>, trust: Trust, proxies: ProxyTable, connect_timeout: Duration) -> Self {
        Self { names, trust, proxies, connect_timeout, tls: OnceCell::new(), made: Mutex::default() }
    }

    /// The client for an address whose host was judged.
    pub(crate) async fn choose(&self, url: &Url, reach: &Reach) -> Result<Client, Error> {
        let way = self.proxies.choose(url).map_or_else(|| Way::Direct(reach.clone()), Way::Proxy);
        let cover = if url.scheme() == "http" && matches!(way, Way::Direct(_)) { Cover::None } else { Cover::Tls };
        let way = (way, cover);
        if let Some(client) = self.made_for(&way) {
            return Ok(client);
        }
        let tls = match cover {
            Cover::None => &Trust::none()?,
            Cover::Tls => self.tls.get_or_try_init(async || self.trust.configuration()).await?,
        };
        let client = self.make(&way.0, tls)?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push((way, client.clone()));
        Ok(client)
    }

    fn made_for(&self, way: &(Way, Cover)) -> Option<Client> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().find(|(of, _)| of == way).map(|(_, client)| client.clone())
    }

    fn make(&self, way: &Way, tls: &ClientConfig) -> Result<Client, Error> {
        let (through, reach) = match way {
            Way::Direct(reach) => (None, reach.clone()),
            Way::Proxy(through) => (Some(*through), Reach::anywhere()),
        };
        let resolver = JudgingResolver { names: self.names.clone(), reach };
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(Arc::new(resolver))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(MOST_IDLE)
            .user_agent(USER_AGENT);
        let builder = match through.and_then(|through| self.proxies.url(through)) {
            Some(proxy) => builder.proxy(Proxy::all(proxy.clone()).map_err(invalid)?),
            None => builder,
        };
        builder.build().map_err(invalid)
    }
}

fn invalid(error: reqwest::Error) -> Error {
    Error::InvalidSetting { what: "HTTP client".to_owned(), why: error.without_url().to_string() }
}
