//! Judges where a connection may lead: the host by what is granted, the address that it is written as, or that its name leads to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use sti_core::hosts::{Reach, is_localhost};
use tokio::net::lookup_host;

use crate::error::Error;
use crate::grants::Grants;
use crate::lookup::Lookup;
use crate::place::{Origin, plain};

/// Turns names into addresses.
#[async_trait]
pub trait Names: Send + Sync {
    /// All addresses of a name.
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Holds a host against what is granted, and against where it leads as far as that can be told without a question to anybody.
pub(crate) fn judge(grants: &dyn Grants, origin: &Origin) -> Result<Reach, Error> {
    let reach = grants.may_reach(&origin.host, origin.port).map_err(Error::NotGranted)?;
    let address = match origin.literal() {
        None if is_localhost(&origin.host) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        literal => literal,
    };
    match address {
        Some(address) => judge_address(&reach, &origin.host, address).map(|()| reach),
        None => Ok(reach),
    }
}

/// Looks a name up, once, and leaves of its addresses those that may be reached. The connection goes to one of these and to no other:
/// a name that is given another address a moment later gains nothing.
pub(crate) async fn judged_addresses(names: &Lookup, reach: &Reach, host: &str) -> Result<Vec<IpAddr>, Error> {
    let (found, reach) = match host.parse::<IpAddr>() {
        Ok(literal) => (vec![literal], reach.clone()),
        Err(_) => names.look_up(host, reach).await.map_err(|error| unknown(host, &error.to_string()))?,
    };
    let refused = found.iter().find_map(|address| judge_address(&reach, host, *address).err());
    let open = found.into_iter().filter(|address| judge_address(&reach, host, *address).is_ok()).collect::<Vec<_>>();
    match (open.is_empty(), refused) {
        (false, _) => Ok(open),
        (true, Some(refused)) => Err(refused),
        (true, None) => Err(unknown(host, "it has no address")),
    }
}

/// Holds all addresses of a name against what may be reached, for a program that will look it up by itself. A name that leads nowhere
/// passes: it may be one that only this program knows.
pub(crate) async fn judge_all_addresses(names: &Lookup, reach: &Reach, host: &str) -> Result<(), Error> {
    let Ok((found, reach)) = names.look_up(host, reach).await else { return Ok(()) };
    found.into_iter().try_for_each(|address| judge_address(&reach, host, address))
}

fn judge_address(reach: &Reach, host: &str, address: IpAddr) -> Result<(), Error> {
    match reach.refuses(address) {
        Some(what) => Err(Error::AddressRefused { host: host.to_owned(), address, what, hint: None }),
        None => Ok(()),
    }
}

fn unknown(host: &str, why: &str) -> Error {
    // What the system says begins with words about itself.
    let why = why.strip_prefix("failed to lookup address information: ").unwrap_or(why);
    Error::UnknownHost { host: host.to_owned(), why: plain(why) }
}

/// The resolver of a client whose connections may all reach as far.
pub(crate) struct JudgingResolver {
    pub(crate) names: Arc<Lookup>,
    pub(crate) reach: Reach,
}

impl reqwest::dns::Resolve for JudgingResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (names, reach) = (self.names.clone(), self.reach.clone());
        Box::pin(async move {
            let addresses = judged_addresses(&names, &reach, name.as_str()).await?;
            // Port 0 stands for the port of the address that is asked for.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::Denied;

    struct Fixed(Vec<IpAddr>);

    #[async_trait]
    impl Names for Fixed {
        async fn look_up(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.clone())
        }
    }

    struct Granted(Reach);

    impl Grants for Granted {
        fn may_reach(&self, _host: &str, _port: u16) -> Result<Reach, Denied> {
            Ok(self.0.clone())
        }

        fn refused_address(&self, _: &str, _: u16, _: IpAddr, _: &str) -> Denied {
            Denied { message: String::new(), hint: None }
        }

        fn refused_login(&self, _: &str, _: u16) -> Denied {
            Denied { message: String::new(), hint: None }
        }
    }

    fn check_name(addresses: &[&str], reach: &Reach, open: &[&str]) {
        let names = Lookup::new(Arc::new(Fixed(addresses.iter().map(|address| address.parse().unwrap()).collect())));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let judged = runtime.block_on(judged_addresses(&names, reach, "a.test"));
        let judged = judged.unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(judged, open, "{addresses:?} with {reach:?}");
    }

    #[test]
    fn of_a_names_addresses_only_those_are_used_that_may_be_reached() {
        check_name(&["1.1.1.1", "10.0.0.1", "::1"], &Reach::public(), &["1.1.1.1"]);
        check_name(&["1.1.1.1", "10.0.0.1", "::1"], &Reach::anywhere(), &["1.1.1.1", "10.0.0.1"]);
        check_name(&["10.0.0.1", "::1"], &Reach::anywhere(), &["10.0.0.1", "::1"]);
        check_name(&["10.0.0.1"], &Reach::public(), &[]);
        check_name(&[], &Reach::anywhere(), &[]);
    }

    fn check_host(url: &str, reach: &Reach, passes: bool) {
        let origin = Origin::of(&url::Url::parse(url).unwrap()).unwrap();
        assert_eq!(judge(&Granted(reach.clone()), &origin).is_ok(), passes, "{url} with {reach:?}");
    }

    #[test]
    fn the_system_knows_its_own_name() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(SystemNames.look_up("localhost")).unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[test]
    fn addresses_of_digits_and_the_names_of_this_machine_are_judged_at_once() {
        for url in ["http://127.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://localhost/", "git://127.0.0.1/a"] {
            check_host(url, &Reach::public(), false);
            check_host(url, &Reach::anywhere(), true);
        }
        check_host("http://1.1.1.1/", &Reach::public(), true);
        check_host("http://example.com/", &Reach::public(), true);
    }
}
