//! The network as one fetcher reaches it: `sti-network` behind the trait of the sandbox, held to what the user named.

mod downloads;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use cap_std::fs::Dir;
use sti_core::{Blob, Problem, ProblemKind, Progress};
use sti_network::{
    Authorities, Connection, Credentials, Denied, Grants, Network, Proxies, Reach, Response, SystemNames, Timeouts, host_of,
};
use sti_sandbox::{Answer, Line, Web, WebRequest};

use crate::{SourceAddress, pipeline::Checksum};
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
    /// Where downloads are kept while they are read.
    pub spool: Arc<Dir>,
    /// The largest download, in bytes.
    pub download_limit: u64,
    /// The site's ssh client.
    pub ssh: PathBuf,
    /// Further hosts that the user named, which may be reached at public addresses.
    pub hosts: Vec<String>,
}

/// The first refusal, in the words of whoever refused: a plugin may tell something else since.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Option<Denied>>);

impl Refusals {
    pub(crate) fn take(&self) -> Option<Problem> {
        let denied = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let problem = Problem::new(ProblemKind::Denied, "not-granted", denied.message);
        Some(Problem { hint: denied.hint, ..problem })
    }
}

/// The network of one address. One that leads to a directory of the user's names no host, and its submodules may still need some.
pub(crate) fn of(
    address: &SourceAddress,
    surroundings: &Surroundings,
    checksum: &Arc<Checksum>,
    refusals: &Arc<Refusals>,
    progress: &Arc<dyn Progress>,
) -> Result<Arc<dyn Web>, Problem> {
    let own = if address.input.is_some() { None } else { host_of(&address.text) };
    let named = Named { own, further: surroundings.hosts.clone(), refusals: Arc::clone(refusals) };
    let spool = surroundings.spool.try_clone();
    let spool = spool
        .map_err(|error| Problem::new(ProblemKind::Unavailable, "unwritable", format!("cannot keep a download: {error}")))?;
    let network = Network::new(sti_network::Settings {
        grants: Arc::new(named),
        names: Arc::new(SystemNames),
        credentials: surroundings.credentials.clone(),
        authorities: surroundings.authorities.clone(),
        proxies: surroundings.proxies.clone(),
        spool,
        download_limit: surroundings.download_limit,
        ssh: surroundings.ssh.clone(),
        timeouts: Timeouts::USUAL,
        progress: Arc::clone(progress),
    })?;
    let (store, checksum, progress) = (address.store.clone(), Arc::clone(checksum), Arc::clone(progress));
    Ok(Arc::new(Servers { network, downloads: Downloads { store, checksum, progress } }))
}

/// The host of the user's own address, and those that the user named beside it.
struct Named {
    own: Option<String>,
    further: Vec<String>,
    refusals: Arc<Refusals>,
}

impl Grants for Named {
    fn may_reach(&self, host: &str, _: u16) -> Result<Reach, Denied> {
        if self.own.as_deref() == Some(host) {
            return Ok(Reach::Anywhere);
        }
        if self.further.iter().any(|named| named.eq_ignore_ascii_case(host)) {
            return Ok(Reach::Public);
        }
        let own = self.own.as_ref().map_or_else(|| "no host".to_owned(), |own| format!("`{own}`"));
        let denied = Denied {
            message: format!("the fetch may not reach `{host}`: the address names {own}"),
            hint: Some(format!("where that is right: --allow-host {host}")),
        };
        self.refusals.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(denied.clone());
        Err(denied)
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
    use super::*;

    #[test]
    fn only_named_hosts_are_reached_and_a_refusal_is_kept_with_what_allows_it() {
        let refusals = Arc::new(Refusals::default());
        let further = vec!["cdn.example.com".to_owned()];
        let named = Named { own: Some("example.com".to_owned()), further, refusals: Arc::clone(&refusals) };
        assert_eq!(named.may_reach("example.com", 443), Ok(Reach::Anywhere));
        assert_eq!(named.may_reach("cdn.example.com", 443), Ok(Reach::Public));
        assert!(named.may_reach("127.0.0.1", 80).is_err());
        let problem = refusals.take().expect("it was refused");
        assert_eq!(problem.hint.as_deref(), Some("where that is right: --allow-host 127.0.0.1"));
        assert!(refusals.take().is_none());
    }
}
