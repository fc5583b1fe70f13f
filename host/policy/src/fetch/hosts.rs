//! Judges hosts: by name before anybody is asked where it leads, and by the addresses that it leads to.
//!
//! | who | says |
//! |---|---|
//! | the address and `--allow-host` | which hosts are named; digits name addresses, too |
//! | `allow-hosts` and `private-hosts` of the site's file | which are as good as named |
//! | `hosts` of any file | which of these may be reached |
//! | `private-hosts` of any file | which of these may be at addresses that are not public |

use std::net::IpAddr;

use sti_core::hosts::{Bound, HostPattern, Reach, Standing, is_private};

use super::{FetchGrant, written};
use crate::denial::Denial;
use crate::grant::Giver;
use crate::quoting::listed;

impl FetchGrant {
    /// Says how far a connection to a host may reach. The host is in lower case, without brackets and without a dot at its end.
    pub fn may_reach(&self, host: &str, port: u16) -> Result<Reach, Denial> {
        match self.standing(host, port) {
            Some(standing) if self.is_permitted(host, port) => {
                let named = self.naming(host, port);
                let naming = Some(named.clone()).filter(|_| standing != Standing::Address);
                let bounds = naming.into_iter().chain(self.narrowing(host, port)).collect();
                Ok(Reach { standing, bounds, steady: named })
            }
            standing => Err(self.refused_host(host, port, standing)),
        }
    }

    /// Refuses an address that a granted host leads to; `what` says what it is.
    pub fn refused_address(&self, host: &str, port: u16, address: IpAddr, what: &str) -> Denial {
        let standing = self.standing(host, port).unwrap_or(Standing::Granted);
        let only = HostPattern::only(&address.to_canonical().to_string(), port);
        let is_narrowed = self.narrowing(host, port).is_some_and(|bound| !bound.permits(address));
        let is_own = standing == Standing::Address;
        let is_unnamed = !(self.naming(host, port).permits(address) || is_own && is_narrowed);
        let by_name = is_private(address) && host.parse::<IpAddr>().is_err();
        let entry = if by_name { HostPattern::only(host, port) } else { only.clone() };
        let line = self
            .rules
            .private_hosts
            .as_ref()
            .filter(|_| is_narrowed)
            .and_then(|listed| self.line("private-hosts", listed, &entry));
        // What the site's file lists is as good as named.
        let is_named_by_it = line.is_some() && self.giver.as_ref().is_some_and(Giver::is_site);
        let hint = joined(line, (is_unnamed && !is_named_by_it).then_some(&only));
        let grant = match &self.rules.private_hosts {
            Some(listed_hosts) if is_narrowed => {
                self.by_the_file(&format!("addresses that are not public to {}", listed(&written(listed_hosts))))
            }
            _ if is_own => "its name leads to public addresses, too, or did so before".to_owned(),
            _ => "what is granted by name is reached at public addresses".to_owned(),
        };
        let at = if host.parse() == Ok(address) { String::new() } else { format!(" at {address}") };
        self.denial(format!("reach `{host}`{at}, {what}"), grant, hint)
    }

    /// Refuses a line that would log in as the user to a host that the user did not name.
    pub fn refused_login(&self, host: &str, port: u16) -> Denial {
        let grant = format!("{}; a host that is logged in to as you is one that you named", self.all_named());
        self.denial(format!("log in to `{host}` as you"), grant, joined(None, Some(&HostPattern::only(host, port))))
    }

    fn refused_host(&self, host: &str, port: u16, standing: Option<Standing>) -> Denial {
        let only = HostPattern::only(host, port);
        let narrowing = self.rules.hosts.as_ref().filter(|_| !self.is_permitted(host, port));
        let line = narrowing.and_then(|hosts| self.line("hosts", hosts, &only));
        let grant = match narrowing {
            Some(hosts) => self.by_the_file(&format!("it {}", listed(&written(hosts)))),
            None => self.all_named(),
        };
        self.denial(format!("reach `{only}`"), grant, joined(line, standing.is_none().then_some(&only)))
    }

    fn all_named(&self) -> String {
        let site =
            self.of_the_site(self.rules.allow_hosts.as_ref()).iter().chain(self.of_the_site(self.rules.private_hosts.as_ref()));
        let site: Vec<_> = site.map(ToString::to_string).collect();
        let beside = if site.is_empty() { String::new() } else { format!(", and {}", self.by_the_file(&listed(&site))) };
        format!("the command line names {}{beside}", self.named_hosts())
    }

    /// Whether the file lets a host be reached at all.
    fn is_permitted(&self, host: &str, port: u16) -> bool {
        let rules = &self.rules;
        let Some(hosts) = &rules.hosts else { return true };
        let others = [&rules.allow_hosts, &rules.private_hosts].into_iter().flatten().flatten();
        hosts.iter().chain(others).any(|listed| listed.matches(host, port))
    }

    /// The addresses that are named with the host, or beside it.
    fn naming(&self, host: &str, port: u16) -> Bound {
        let private = self.of_the_site(self.rules.private_hosts.as_ref());
        let named = self.named.further.iter().chain(self.of_the_site(self.rules.allow_hosts.as_ref()));
        Bound { addresses: named.flat_map(|named| named.addresses(port)).collect(), ..Bound::default() }.with(private, host, port)
    }

    /// The addresses that the file leaves.
    fn narrowing(&self, host: &str, port: u16) -> Option<Bound> {
        self.rules.private_hosts.as_ref().map(|listed| Bound::default().with(listed, host, port))
    }

    fn by_the_file(&self, what: &str) -> String {
        self.giver.as_ref().map_or_else(String::new, |giver| giver.grants(what))
    }

    /// The line of the file with one more entry.
    fn line(&self, key: &str, listed: &[HostPattern], more: &HostPattern) -> Option<String> {
        let entries: Vec<_> = listed.iter().chain([more]).map(|entry| format!("\"{entry}\"")).collect();
        Some(self.giver.as_ref()?.line(key, &format!("[{}]", entries.join(", "))))
    }
}

trait With {
    fn with(self, listed: &[HostPattern], host: &str, port: u16) -> Self;
}

impl With for Bound {
    /// This, and what `private-hosts` opens for a host: private addresses by name, all others by digits.
    fn with(mut self, listed: &[HostPattern], host: &str, port: u16) -> Self {
        self.private |= host.parse::<IpAddr>().is_err() && listed.iter().any(|entry| entry.matches(host, port));
        self.addresses.extend(listed.iter().flat_map(|entry| entry.addresses(port)));
        self
    }
}

/// What to do: the line of a file, the flag, or both.
fn joined(line: Option<String>, flag: Option<&HostPattern>) -> Option<String> {
    match (line, flag.map(as_flag)) {
        (Some(line), Some(flag)) => Some(format!("{line}\nand name it: {flag}")),
        (line, flag) => line.or_else(|| flag.map(|flag| format!("where that is right: {flag}"))),
    }
}

/// As a shell takes it: brackets mean something to some of them.
fn as_flag(host: &HostPattern) -> String {
    let written = host.to_string();
    if written.starts_with('[') { format!("--allow-host '{written}'") } else { format!("--allow-host {written}") }
}
