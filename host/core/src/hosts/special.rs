//! Which addresses are public. Everything else (this machine, the site's own network, what is reserved) is reached only where somebody
//! named it.
//!
//! Source: the special-purpose registries of IANA for IPv4 and IPv6 (RFC 6890 and what updates it).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is not public in IPv4: a network, the length of its prefix, and what it is. The first row that holds an address names it.
const NOT_PUBLIC_4: &[([u8; 4], u8, &str)] = &[
    ([0, 0, 0, 0], 8, "an unspecified address"),
    ([10, 0, 0, 0], 8, "a private address"),
    ([100, 64, 0, 0], 10, "a shared address of a carrier"),
    ([127, 0, 0, 0], 8, "a loopback address"),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 0, 0, 0], 24, "a reserved address"),
    ([192, 0, 2, 0], 24, "an address for documentation"),
    ([192, 88, 99, 0], 24, "a reserved address"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([198, 18, 0, 0], 15, "an address for benchmarks"),
    ([198, 51, 100, 0], 24, "an address for documentation"),
    ([203, 0, 113, 0], 24, "an address for documentation"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
];

/// The same for IPv6. What no row holds is public only within `2000::/3`.
const NOT_PUBLIC_6: &[([u16; 8], u8, &str)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "an unspecified address"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "a loopback address"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a private address"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "a link-local address"),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a private address"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "a multicast address"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "a reserved address"),
    ([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32, "an address for documentation"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "an address for documentation"),
];

/// Networks of IPv6 whose addresses lead to one of IPv4: the network, the length of its prefix, and the first byte of the inner address.
const LEADS_TO_4: &[([u16; 8], u8, usize)] = &[
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, 12),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, 12),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, 12),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, 2),
];

/// What a site has its own servers at.
const PRIVATE: &[&str] = &["a private address", "a shared address of a carrier"];

/// Says what an address is if it is not public, as it reads after "leads to 10.0.0.1,".
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => not_public_4(address),
        IpAddr::V6(address) => not_public_6(address),
    }
}

/// Whether it is one of a site's own network: neither public nor this machine, its links, or what is reserved.
pub fn is_private(address: IpAddr) -> bool {
    not_public(address).is_some_and(|what| PRIVATE.contains(&what))
}

fn not_public_4(address: Ipv4Addr) -> Option<&'static str> {
    let found = NOT_PUBLIC_4.iter().find(|(network, length, _)| {
        let shift = 32 - u32::from(*length);
        address.to_bits() >> shift == u32::from_be_bytes(*network) >> shift
    });
    found.map(|(_, _, what)| *what)
}

fn not_public_6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = inner_address(address) {
        return not_public_4(inner);
    }
    let found = NOT_PUBLIC_6.iter().find(|(network, length, _)| lies_in(address, *network, *length));
    match found {
        Some((_, _, what)) => Some(what),
        None if lies_in(address, [0x2000, 0, 0, 0, 0, 0, 0, 0], 3) => None,
        None => Some("a reserved address"),
    }
}

/// The address of IPv4 that this one leads to.
fn inner_address(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (_, _, at) = LEADS_TO_4.iter().find(|(network, length, _)| lies_in(address, *network, *length))?;
    let bytes = address.octets();
    let inner: [u8; 4] = bytes.get(*at..*at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(inner))
}

fn lies_in(address: Ipv6Addr, network: [u16; 8], length: u8) -> bool {
    let shift = 128 - u32::from(length);
    address.to_bits() >> shift == Ipv6Addr::from(network).to_bits() >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<&str>) {
        assert_eq!(not_public(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn what_anybody_can_reach_is_public() {
        for address in ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0"] {
            check(address, None);
        }
        for address in ["192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::8a"]
        {
            check(address, None);
        }
    }

    #[test]
    fn what_lies_within_the_site_is_not_public() {
        check("10.0.0.1", Some("a private address"));
        check("172.16.0.1", Some("a private address"));
        check("172.31.255.255", Some("a private address"));
        check("192.168.1.1", Some("a private address"));
        check("100.64.0.1", Some("a shared address of a carrier"));
        check("fd00::1", Some("a private address"));
        check("fec0::1", Some("a private address"));
        check("169.254.169.254", Some("a link-local address"));
        check("fe80::1", Some("a link-local address"));
    }

    #[test]
    fn a_sites_own_network_is_neither_this_machine_nor_its_links() {
        for address in ["10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "1.1.1.1", "2002:7f00:1::"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn this_machine_is_not_public_however_it_is_written() {
        check("127.0.0.1", Some("a loopback address"));
        check("127.255.255.254", Some("a loopback address"));
        check("::1", Some("a loopback address"));
        check("0.0.0.0", Some("an unspecified address"));
        check("0.1.2.3", Some("an unspecified address"));
        check("::", Some("an unspecified address"));
        check("::ffff:127.0.0.1", Some("a loopback address"));
        check("::ffff:0:127.0.0.1", Some("a loopback address"));
        check("::127.0.0.1", Some("a reserved address"));
        check("64:ff9b::7f00:1", Some("a loopback address"));
        check("64:ff9b:1::7f00:1", Some("a reserved address"));
        check("2002:7f00:1::", Some("a loopback address"));
        check("2001::1", Some("a reserved address"));
    }

    #[test]
    fn what_leads_to_a_public_address_is_public() {
        check("::ffff:1.1.1.1", None);
        check("64:ff9b::101:101", None);
        check("2002:101:101::1", None);
    }

    #[test]
    fn what_is_no_host_is_not_public() {
        check("224.0.0.1", Some("a multicast address"));
        check("ff02::1", Some("a multicast address"));
        check("240.0.0.1", Some("a reserved address"));
        check("255.255.255.255", Some("a reserved address"));
        check("192.0.2.1", Some("an address for documentation"));
        check("198.18.0.1", Some("an address for benchmarks"));
        check("2001:db8::1", Some("an address for documentation"));
        check("100::1", Some("a reserved address"));
        check("4000::1", Some("a reserved address"));
    }
}
