//! Networks of addresses, as `10.0.0.0/8`, and single addresses as the smallest of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    /// The bits behind the prefix are 0.
    network: IpAddr,
    /// Of the prefix, in bits.
    length: u8,
}

impl AddressRange {
    /// This machine.
    pub const LOOPBACK: [Self; 2] = [
        Self { network: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), length: 8 },
        Self { network: IpAddr::V6(Ipv6Addr::LOCALHOST), length: 128 },
    ];

    /// Reads `ADDRESS` or `ADDRESS/LENGTH`; `None` where it is neither, and an error, as it reads after the text, where it means nothing
    /// or too much.
    pub fn parse(written: &str) -> Result<Option<Self>, String> {
        let (address, length) = match written.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (written, None),
        };
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
        let Some(length) = length else { return Ok(Some(Self::only(address))) };
        let length = match length.parse() {
            Ok(length) if length <= bits(address) => length,
            _ if length.contains(':') => return Err("has a port, and networks have none".to_owned()),
            _ => return Err(format!("has no prefix of {length} bits")),
        };
        let range = Self { network: masked(address, length), length };
        match range {
            _ if range.network != address => Err(format!("is no network: `{range}` is")),
            _ if range.holds_more_than_this_machine() => Err("is so wide that it holds this machine, too".to_owned()),
            _ => Ok(Some(range)),
        }
    }

    /// One address.
    pub fn only(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { network: address, length: bits(address) }
    }

    /// Whether an address lies within. One of IPv4 that is written as one of IPv6 is the same.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        bits(address) == bits(self.network) && masked(address, self.length) == self.network
    }

    /// Whether it is a single address.
    pub fn is_single(&self) -> bool {
        self.length == bits(self.network)
    }

    /// Its first address.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    fn holds_more_than_this_machine(&self) -> bool {
        Self::LOOPBACK.iter().any(|machine| self.length < machine.length && self.contains(machine.network))
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() {
            return write!(formatter, "{}", self.network);
        }
        write!(formatter, "{}/{}", self.network, self.length)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or_default();
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or_default();
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
