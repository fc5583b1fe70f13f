//! How far a connection to a granted host may reach: to public addresses always, to others where everybody who has a say agrees.

use std::net::IpAddr;

use super::{AddressRange, is_private, not_public};

/// How far a connection to a granted host may reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    /// On whose word it is granted.
    pub standing: Standing,
    /// An address that is not public must lie within each. Without any, every address will do.
    pub bounds: Vec<Bound>,
    /// Of the host in the user's own address: what is left to it once its name led to public addresses only.
    pub steady: Bound,
}

/// On whose word a host is granted. Logins of the user's are for hosts that the user named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The user's own address names it.
    Address,
    /// The user named it beside the address.
    Named,
    /// A pattern or a policy grants it: it may be the plugin's choice.
    Granted,
}

/// Which addresses that are not public somebody grants to a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bound {
    /// Whether the host is granted by name at private addresses, wherever these are.
    pub private: bool,
    /// What is granted in digits.
    pub addresses: Vec<AddressRange>,
}

impl Reach {
    /// Of the host that the user's own address names: everything.
    pub fn anywhere() -> Self {
        Self { standing: Standing::Address, bounds: Vec::new(), steady: Bound::default() }
    }

    /// Of a host that the user named beside it: public addresses.
    pub fn public() -> Self {
        Self { standing: Standing::Named, bounds: vec![Bound::default()], steady: Bound::default() }
    }

    /// Says what an address is that may not be reached, as it reads after "leads to 10.0.0.1,".
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        not_public(address).filter(|_| !self.bounds.iter().all(|bound| bound.permits(address)))
    }
}

impl Bound {
    /// Whether an address that is not public lies within.
    pub fn permits(&self, address: IpAddr) -> bool {
        (self.private && is_private(address)) || self.addresses.iter().any(|range| range.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bounds: &[(bool, &[&str])], open: &[&str], refused: &[&str]) {
        let range = |written: &&str| AddressRange::parse(written).unwrap().unwrap();
        let bound =
            |(private, ranges): &(bool, &[&str])| Bound { private: *private, addresses: ranges.iter().map(range).collect() };
        let reach = Reach { standing: Standing::Granted, bounds: bounds.iter().map(bound).collect(), ..Reach::public() };
        let is_refused = |address: &&&str| reach.refuses(address.parse().unwrap()).is_some();
        assert_eq!(open.iter().filter(is_refused).collect::<Vec<_>>(), Vec::<&&str>::new(), "{bounds:?}");
        assert_eq!(refused.iter().filter(|address| !is_refused(address)).collect::<Vec<_>>(), Vec::<&&str>::new(), "{bounds:?}");
    }

    #[test]
    fn public_addresses_are_open_and_others_where_all_bounds_hold_them() {
        let all = ["1.1.1.1", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"];
        check(&[], &all, &[]);
        check(&[(false, &[])], &all[..1], &all[1..]);
        check(&[(true, &[])], &["1.1.1.1", "10.0.0.1", "fd00::1"], &["127.0.0.1", "169.254.169.254", "::1"]);
        check(&[(false, &["127.0.0.1"])], &["127.0.0.1", "::ffff:127.0.0.1"], &["127.0.0.2", "::1", "10.0.0.1"]);
        check(&[(true, &["127.0.0.1"]), (false, &["10.0.0.0/8"])], &["10.1.1.1", "1.1.1.1"], &["127.0.0.1", "192.168.0.1"]);
        check(&[(true, &[]), (false, &[])], &["1.1.1.1"], &["10.1.1.1"]);
    }
}
