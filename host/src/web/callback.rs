//! `--callback-url`: tells somebody how a build ended. One document, posted to the address that the user named.
//!
//! The keys `success` and `labels` are those of `OpenShift`'s source-to-image, `pkg/util/callback.go`; the others are ours.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use cap_std::fs::Dir;
use serde::Serialize;
use sti_core::{Problem, Progress, hosts::Reach};
use sti_network::{Denied, Grants, Network, SystemNames, Timeouts, host_of, port_of};
use sti_policy::{Denial, FetchGrant, NamedHosts, Origin, PluginIdentity, Policy};

use super::Surroundings;
use crate::StiError;

/// As whom the host asks policy: no plugin, so that what holds for all of them holds for it.
const ASKER: &str = "--callback-url";

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Whether everything was tagged.
    pub success: bool,
    /// Of the product; none where there is none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What the product is called, or should have been.
    pub tag: String,
    /// Its identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What the failure is known by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// From the request to the end.
    pub milliseconds: u64,
}

/// Where it is told how a build ended.
pub struct Callback {
    address: String,
    grant: FetchGrant,
    surroundings: Surroundings,
    spool: Arc<Dir>,
}

impl Callback {
    /// Takes an address without credentials, which are in `surroundings`. Naming it grants its host, as far as policy goes along.
    ///
    /// # Errors
    /// Where it is no `http://` or `https://` address, or policy does not let its host be reached.
    pub fn new(address: String, policy: &Policy, surroundings: Surroundings, spool: Arc<Dir>) -> Result<Self, StiError> {
        let is_web = ["http://", "https://"]
            .iter()
            .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        let (Some(host), Some(port)) = (host_of(&address).filter(|_| is_web), port_of(&address)) else {
            return Err(StiError::InvalidArgument {
                what: format!("`{}` is no address that a callback can go to", without_query(&address)),
                hint: Some("--callback-url http://HOST/PATH or https://HOST/PATH".to_owned()),
            });
        };
        let asker = PluginIdentity { name: ASKER.to_owned(), digest: String::new(), origin: Origin::Shipped };
        let named = NamedHosts { own: Some(host.clone()), own_port: Some(port), ..NamedHosts::default() };
        let grant = policy.fetch_grant(&asker, named);
        grant.may_reach(&host, port).map_err(refused)?;
        Ok(Self { address, grant, surroundings, spool })
    }

    /// The address without what it may hold for the server alone.
    pub fn shown(&self) -> &str {
        without_query(&self.address)
    }

    /// Hands the report in, as often as it takes within reason; answers with the status that came of it.
    ///
    /// # Errors
    /// Where the host may not be reached, or nobody took it.
    pub async fn send(&self, report: &BuildReport, progress: Arc<dyn Progress>) -> Result<u16, Problem> {
        let json = serde_json::to_vec(report).unwrap_or_default();
        let spool = self.spool.try_clone().map_err(|error| sti_network::Error::Spool { why: error.to_string() })?;
        let network = Network::new(sti_network::Settings {
            grants: Arc::new(Granted(self.grant.clone())),
            names: Arc::new(SystemNames),
            credentials: self.surroundings.credentials.clone(),
            authorities: self.surroundings.authorities.clone(),
            proxies: self.surroundings.proxies.clone(),
            spool,
            download_limit: 0,
            ssh: self.surroundings.ssh.clone(),
            timeouts: Timeouts::USUAL,
            progress,
        })?;
        Ok(network.post(&self.address, json).await?)
    }
}

fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or(address)
}

fn refused(denial: Denial) -> StiError {
    let (because, hint) = (denial.because(), denial.hint());
    let wish = match denial {
        Denial::NotGranted(denied) => denied.wish,
        Denial::NotVetted(denied) => denied.to_string(),
    };
    StiError::CallbackRefused { wish, because, hint }
}

/// What policy grants whoever the user names.
struct Granted(FetchGrant);

impl Granted {
    fn worded(denial: Denial) -> Denied {
        let error = refused(denial);
        let because = error.because().first().map(|because| format!(": {because}")).unwrap_or_default();
        Denied { message: format!("{error}{because}"), hint: error.hint() }
    }
}

impl Grants for Granted {
    fn may_reach(&self, host: &str, port: u16) -> Result<Reach, Denied> {
        self.0.may_reach(host, port).map_err(Self::worded)
    }

    fn refused_address(&self, host: &str, port: u16, address: IpAddr, what: &str) -> Denied {
        Self::worded(self.0.refused_address(host, port, address, what))
    }

    fn refused_login(&self, host: &str, port: u16) -> Denied {
        Self::worded(self.0.refused_login(host, port))
    }
}
