//! The network as one fetcher reaches it: `sti-network` behind the trait of the sandbox, held to what policy grants.

mod callback;
mod downloads;

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use cap_std::fs::Dir;
use sti_cache::Store;
use sti_core::{
    Blob, Problem, ProblemKind, Progress,
    hosts::{HostPattern, Reach},
};
use sti_network::{
    Authorities, Connection, Credentials, Denied, Grants, Network, Proxies, Response, SystemNames, Timeouts, host_of, port_of,
};
use sti_policy::{Denial, FetchGrant, FetchLimit, NamedHosts, Settled};
use sti_sandbox::{Answer, Line, Web, WebRequest};

use crate::{NamedBy, SourceAddress, pipeline::Checksum};
pub use callback::{BuildReport, Callback};
use downloads::Downloads;

/// What this machine and its user have to say about servers. None of it reaches a plugin.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Logins.
    pub credentials: Credentials,
    /// Whom TLS trusts.
    pub authorities: Authorities,
    /// What goes through a proxy.
    pub proxies: Proxies,
    /// The site's ssh client.
    pub ssh: PathBuf,
    /// Further hosts that the user named. Names are reached at public addresses, addresses as they are.
    pub hosts: Vec<HostPattern>,
}

/// The first refusal, in the words of whoever refused: a plugin may tell something else since.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Option<Problem>>);

impl Refusals {
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, denial: Denial) -> Denied {
        let problem = Problem::from(denial);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| problem.clone());
        Denied { message: problem.message, hint: problem.hint }
    }
}

/// The hosts that the user named. An address that leads to a directory of the user's names none, and its submodules may still need some.
pub(crate) fn named(address: &SourceAddress) -> NamedHosts {
    let is_here = address.input.is_some() || address.file.is_some();
    let (own, own_port) = if is_here { (None, None) } else { (host_of(&address.text), port_of(&address.text)) };
    let further = address.web.as_ref().map(|surroundings| surroundings.hosts.clone()).unwrap_or_default();
    match (address.named_by, &own) {
        (NamedBy::Label, Some(host)) => {
            let offered = vec![HostPattern::only(host, own_port.unwrap_or(443))];
            NamedHosts { own: None, own_port: None, further, offered }
        }
        _ => NamedHosts { own, own_port, further, offered: Vec::new() },
    }
}

/// The host of an address, and others that the user named.
pub(crate) fn named_in(url: &str, further: Vec<HostPattern>) -> NamedHosts {
    NamedHosts { own: host_of(url), own_port: port_of(url), further, offered: Vec::new() }
}

/// The network of one address.
pub(crate) fn of(
    surroundings: &Surroundings,
    (grant, limits): (&FetchGrant, &Settled),
    spool: &Dir,
    store: Option<&Arc<Store>>,
    checksum: &Arc<Checksum>,
    refusals: &Arc<Refusals>,
    progress: &Arc<dyn Progress>,
) -> Result<Arc<dyn Web>, Problem> {
    let granted = Granted { grant: grant.clone(), refusals: Arc::clone(refusals) };
    let most = limits.get(FetchLimit::DownloadBytes);
    let spool = spool
        .try_clone()
        .map_err(|error| Problem::new(ProblemKind::Unavailable, "unwritable", format!("cannot keep a download: {error}")))?;
    let network = Network::new(sti_network::Settings {
        grants: Arc::new(granted),
        names: Arc::new(SystemNames),
        credentials: surroundings.credentials.clone(),
        authorities: surroundings.authorities.clone(),
        proxies: surroundings.proxies.clone(),
        spool,
        download_limit: most,
        ssh: surroundings.ssh.clone(),
        timeouts: Timeouts::USUAL,
        progress: Arc::clone(progress),
    })?;
    let (store, checksum, progress) = (store.cloned(), Arc::clone(checksum), Arc::clone(progress));
    Ok(Arc::new(Servers { network, downloads: Downloads { store, most, checksum, progress } }))
}

/// What policy grants, with note of what it refuses.
struct Granted {
    grant: FetchGrant,
    refusals: Arc<Refusals>,
}

impl Grants for Granted {
    fn may_reach(&self, host: &str, port: u16) -> Result<Reach, Denied> {
        self.grant.may_reach(host, port).map_err(|denial| self.refusals.keep(denial))
    }

    fn refused_address(&self, host: &str, port: u16, address: IpAddr, what: &str) -> Denied {
        self.refusals.keep(self.grant.refused_address(host, port, address, what))
    }

    fn refused_login(&self, host: &str, port: u16) -> Denied {
        self.refusals.keep(self.grant.refused_login(host, port))
    }
}

struct Servers {
    network: Network,
    downloads: Downloads,
}

#[async_trait]
impl Web for Servers {
    async fn send(&self, request: WebRequest) -> Result<Box<dyn Answer>, Problem> {
        let headers = request.headers.into_iter().map(|header| (header.name, header.value)).collect();
        let request = sti_network::Request { method: request.method, url: request.url, headers, body: request.body };
        Ok(Box::new(Answered(self.network.send(request).await?)))
    }

    async fn download(&self, url: &str) -> Result<Blob, Problem> {
        self.downloads.download(&self.network, url).await
    }

    async fn connect(&self, address: &str) -> Result<Box<dyn Line>, Problem> {
        Ok(Box::new(Connected(self.network.connect(address).await?)))
    }
}

struct Answered(Response);

#[async_trait]
impl Answer for Answered {
    fn status(&self) -> u16 {
        self.0.status()
    }

    fn url(&self) -> String {
        self.0.url().to_owned()
    }

    fn header(&self, name: &str) -> Option<String> {
        self.0.header(name)
    }

    async fn read(&mut self, most: usize) -> Result<Vec<u8>, Problem> {
        Ok(self.0.read(most).await?.to_vec())
    }
}

struct Connected(Connection);

#[async_trait]
impl Line for Connected {
    async fn read(&mut self, most: usize) -> Result<Vec<u8>, Problem> {
        Ok(self.0.read(most).await?.to_vec())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.0.write(bytes).await?)
    }

    async fn finish(&mut self) -> Result<(), Problem> {
        Ok(self.0.finish().await?)
    }
}

#[cfg(test)]
mod tests {
    use sti_policy::{Origin, PluginIdentity, Policy};

    use super::*;

    #[test]
    fn the_first_refusal_is_kept_with_what_allows_it() {
        let fetcher = PluginIdentity { name: "git".to_owned(), digest: String::new(), origin: Origin::Shipped };
        let further = vec![HostPattern::parse("cdn.example.com").unwrap()];
        let grant = Policy::none().fetch_grant(
            &fetcher,
            NamedHosts { own: Some("example.com".to_owned()), own_port: Some(443), further, offered: Vec::new() },
        );
        let granted = Granted { grant, refusals: Arc::default() };
        assert_eq!(granted.may_reach("example.com", 443), Ok(Reach::anywhere()));
        assert_eq!(granted.may_reach("cdn.example.com", 443), Ok(Reach::public()));
        assert!(granted.may_reach("127.0.0.1", 80).is_err());
        granted.refused_address("cdn.example.com", 443, [10, 0, 0, 1].into(), "a private address");
        let problem = granted.refusals.take().expect("it was refused");
        assert_eq!(problem.hint.as_deref(), Some("where that is right: --allow-host 127.0.0.1"));
        assert!(granted.refusals.take().is_none());
    }
}
