//! Hosts that somebody else's words name, such as a label: reached at public addresses and without a login, until the user names them too.

use sti_core::hosts::{HostPattern, Standing};
use sti_policy::{FetchGrant, NamedHosts, Policy};

use crate::support::*;

fn grant(offered: &str, flags: &[&str]) -> FetchGrant {
    let pattern = |written: &str| HostPattern::parse(written).expect("tests name real hosts");
    let further = flags.iter().copied().map(pattern).collect();
    Policy::none().fetch_grant(&plugin(), NamedHosts { further, offered: vec![pattern(offered)], ..NamedHosts::default() })
}

fn check(offered: &str, flags: &[&str], address: &str, expected: Option<Standing>) {
    let reach = grant(offered, flags).may_reach("example.com", 443).expect("it is named by somebody");
    let refused = reach.refuses(address.parse().expect("an address")).is_some();
    assert_eq!((!refused).then_some(reach.standing), expected, "{offered} {flags:?} {address}");
}

#[test]
fn an_offered_host_is_reached_as_one_that_a_pattern_grants() {
    check("example.com:443", &[], "192.0.43.8", Some(Standing::Granted));
    for private in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"] {
        check("example.com:443", &[], private, None);
    }
    check("example.com:443", &["example.com"], "192.0.43.8", Some(Standing::Named));
    assert!(grant("example.com:443", &[]).may_reach("other.com", 443).is_err());
    assert!(grant("example.com:443", &[]).may_reach("example.com", 8080).is_err());
}

#[test]
fn an_offered_address_that_is_not_public_is_refused_with_what_allows_it() {
    let grant = grant("127.0.0.1:8080", &[]);
    let reach = grant.may_reach("127.0.0.1", 8080).expect("it is named by somebody");
    let address = "127.0.0.1".parse().expect("an address");
    let what = reach.refuses(address).expect("it is this machine");
    let denial = printed(&grant.refused_address("127.0.0.1", 8080, address, what));
    assert!(denial.contains("--allow-host 127.0.0.1:8080"), "{denial}");
    let login = printed(&grant.refused_login("127.0.0.1", 8080));
    assert!(login.contains("--allow-host 127.0.0.1:8080"), "{login}");
}

#[test]
fn what_is_granted_tells_who_named_it() {
    let (label, user) = (grant("example.com", &[]).to_string(), grant("other.com", &["example.com"]).to_string());
    assert!(label.contains("by a label     `example.com`") && label != user, "{label}");
}
