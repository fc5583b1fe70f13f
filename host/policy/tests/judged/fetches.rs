//! What a fetcher is granted: hosts by name and by address, on whose word, and how much may come. Each refusal brings what would allow it,
//! and what it brings is taken at its word here.

use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;

use sti_core::hosts::{HostPattern, Reach, Standing};
use sti_core::{Problem, ProblemKind};
use sti_policy::{Denial, FetchGrant, FetchLimit, FetchLimits, NamedHosts, Policy, Whose};

use crate::support::*;

/// A fetch: whose the file is and what stands in it, and what the command line names.
#[derive(Clone, Debug)]
struct Scene {
    file: Option<(Whose, String)>,
    own: Option<&'static str>,
    flags: Vec<String>,
}

/// Below `[defaults]` of the site's file; `example.com` is in the address.
fn site(rules: &str) -> Scene {
    Scene { file: Some((Whose::Site, format!("[defaults]\n{rules}\n"))), ..alone() }
}

/// Below `[defaults]` of a file that the user names.
fn user(rules: &str) -> Scene {
    Scene { file: Some((Whose::User, format!("[defaults]\n{rules}\n"))), ..alone() }
}

/// Without a file.
fn alone() -> Scene {
    Scene { file: None, own: Some("example.com"), flags: Vec::new() }
}

impl Scene {
    fn flag(mut self, host: &str) -> Self {
        self.flags.push(host.to_owned());
        self
    }

    fn grant(&self) -> FetchGrant {
        let policy = match &self.file {
            Some((whose, text)) => {
                Policy::parse(text, Path::new("policy.toml"), *whose).unwrap_or_else(|error| panic!("{text}\n{error}"))
            }
            None => Policy::none(),
        };
        let further =
            self.flags.iter().map(|flag| HostPattern::parse(flag).unwrap_or_else(|why| panic!("{flag} {why}"))).collect();
        policy.fetch_grant(
            &plugin(),
            NamedHosts { own: self.own.map(str::to_owned), own_port: Some(443), further, ..NamedHosts::default() },
        )
    }

    /// As the host is judged: by name, then by the address that it leads to.
    fn judge(&self, host: &str, port: u16, address: &str) -> Result<Reach, Denial> {
        let grant = self.grant();
        let address: IpAddr = address.parse().expect("tests have addresses");
        let reach = grant.may_reach(host, port)?;
        match reach.refuses(address) {
            Some(what) => Err(grant.refused_address(host, port, address, what)),
            None => Ok(reach),
        }
    }

    /// Does what a hint says: pastes the line into the file, and gives the flag.
    fn paste(mut self, hint: &str) -> Self {
        let (before, flag) = hint.split_once("--allow-host ").map_or((hint, None), |(before, flag)| (before, Some(flag)));
        if let Some((_, line)) = before.trim_end_matches("and name it: ").trim_end().split_once(".toml:  ") {
            let (key, _) = line.split_once(" = ").expect("a line of TOML");
            let (_, text) = self.file.as_mut().expect("there is a file to change");
            let others = text.lines().filter(|other| !other.starts_with(&format!("{key} = "))).collect::<Vec<_>>().join("\n");
            *text = format!("{others}\n{line}\n");
        }
        self.flags.extend(flag.map(|flag| flag.trim_matches('\'').to_owned()));
        self
    }

    fn standing(&self, host: &str) -> Option<Standing> {
        self.grant().may_reach(host, 443).ok().map(|reach| reach.standing)
    }
}

/// A host, and where it leads.
type Wish = (&'static str, u16, &'static str);

/// What is told, and after each paste what is told then, until it is allowed.
fn pasted(scene: &Scene, (host, port, address): Wish) -> String {
    let (mut scene, mut report) = (scene.clone(), String::new());
    for _ in 0..3 {
        match scene.judge(host, port, address) {
            Ok(_) => return report + "allowed\n",
            Err(denial) => {
                report += &printed(&denial);
                scene = scene.paste(&denial.hint().unwrap_or_else(|| panic!("{denial} says nothing to do")));
            }
        }
    }
    panic!("pasting does not help:\n{report}");
}

fn check_pastes(rows: &[(Scene, Wish)]) -> String {
    let mut report = String::new();
    for (scene, (host, port, address)) in rows {
        let file =
            scene.file.as_ref().map_or_else(|| "no file".to_owned(), |(whose, text)| format!("{whose:?}: {}", text.trim()));
        let flags = scene.flags.iter().flat_map(|flag| [" --allow-host ", flag]).collect::<String>();
        let _ = writeln!(report, "{file}\n{:?}{flags}: {host}:{port} at {address}", scene.own.unwrap_or_default());
        let _ = writeln!(report, "{}", pasted(scene, (host, *port, address)));
    }
    report
}

const PUBLIC: &str = "1.1.1.1";

#[test]
fn every_refusal_of_a_host_brings_what_allows_it() {
    let nobody = || Scene { own: None, ..alone() };
    let report = check_pastes(&[
        (alone(), ("cdn.example.com", 443, PUBLIC)),
        (alone(), ("cdn.example.com", 8443, PUBLIC)),
        (alone(), ("example.com", 8443, "127.0.0.1")),
        (nobody(), ("lib.example.org", 22, PUBLIC)),
        (alone(), ("10.1.2.3", 443, "10.1.2.3")),
        (alone(), ("::1", 8080, "::1")),
        (alone(), ("localhost", 3000, "127.0.0.1")),
        (alone(), ("git.intern.example", 443, "10.1.2.3")),
        (alone().flag("*.example.com"), ("cdn.example.com", 443, "127.0.0.1")),
        (alone().flag("*"), ("169.254.169.254", 80, "169.254.169.254")),
        (user("hosts = [\"github.com\"]"), ("example.com", 443, PUBLIC)),
        (user("hosts = [\"github.com\"]"), ("cdn.example.com", 443, PUBLIC)),
        (user("hosts = [\"*.example.com\"]"), ("cdn.example.com", 443, PUBLIC)),
        (user("hosts = []"), ("10.1.2.3", 443, "10.1.2.3")),
        (user("private-hosts = []"), ("example.com", 443, "10.1.2.3")),
        (user("private-hosts = []"), ("example.com", 443, "127.0.0.1")),
        (user("private-hosts = [\"git.intern.example\"]").flag("git.intern.example"), ("git.intern.example", 443, "10.1.2.3")),
        (user("private-hosts = []").flag("10.0.0.0/8"), ("10.1.2.3", 8443, "10.1.2.3")),
        (site("hosts = [\"github.com\"]"), ("example.com", 443, PUBLIC)),
        (site("allow-hosts = [\"*.example.com\"]"), ("cdn.example.com", 443, "10.1.2.3")),
        (site("allow-hosts = [\"*.example.com\"]\nprivate-hosts = []"), ("cdn.example.com", 443, "10.1.2.3")),
        (site("private-hosts = [\"git.intern.example\"]"), ("git.intern.example", 443, "127.0.0.1")),
        (site("private-hosts = [\"git.intern.example\"]"), ("example.com", 443, "10.1.2.3")),
    ]);
    insta::assert_snapshot!(report);
}

fn check_allowed(scene: &Scene, allowed: &[Wish], refused: &[Wish]) {
    for (host, port, address) in allowed {
        let judged = scene.judge(host, *port, address);
        assert!(judged.is_ok(), "{scene:?}: {host}:{port} at {address}: {judged:?}");
    }
    for (host, port, address) in refused {
        assert!(scene.judge(host, *port, address).is_err(), "{scene:?}: {host}:{port} at {address}");
    }
}

#[test]
fn the_site_names_hosts_and_a_file_of_the_users_does_not() {
    let internal = ("git.intern.example", 8443, "10.1.2.3");
    let rules = "private-hosts = [\"git.intern.example:8443\", \"10.9.0.0/16\"]";
    let others = [
        ("git.intern.example", 443, "10.1.2.3"),
        ("git.intern.example", 8443, "127.0.0.1"),
        ("git.intern.example", 8443, "169.254.169.254"),
        ("10.1.2.3", 8443, "10.1.2.3"),
        ("x.git.intern.example", 8443, "10.1.2.3"),
    ];
    let by_network = ("10.9.1.1", 443, "10.9.1.1");
    check_allowed(&site(rules), &[internal, ("git.intern.example", 8443, PUBLIC), by_network], &others);
    check_allowed(&user(rules), &[("example.com", 443, PUBLIC)], &[&others[..], &[internal, by_network]].concat());
    check_allowed(&user(rules).flag("git.intern.example"), &[], &[internal]);
    check_allowed(&user(rules).flag("git.intern.example").flag("10.1.2.3"), &[internal], &others[1..]);
    let public = site("allow-hosts = [\"github.com\", \"*.example.org:443\"]");
    let granted = [("github.com", 443, PUBLIC), ("a.example.org", 443, PUBLIC)];
    check_allowed(
        &public,
        &granted,
        &[("a.example.org", 80, PUBLIC), ("a.example.org", 443, "10.1.2.3"), ("github.com", 443, "::1")],
    );
    let text = "[defaults]\nallow-hosts = [\"github.com\"]\n";
    let error = Policy::parse(text, Path::new("policy.toml"), Whose::User).expect_err("it names hosts");
    assert!(error.to_string().starts_with("policy.toml:2: `allow-hosts` is for the site's own file"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--allow-host github.com")));
}

#[test]
fn a_file_narrows_what_the_address_and_flags_name() {
    let anywhere = [("example.com", 443, PUBLIC), ("example.com", 80, "127.0.0.1"), ("example.com", 443, "169.254.169.254")];
    check_allowed(&alone(), &anywhere, &[]);
    check_allowed(&user("private-hosts = []"), &anywhere[..1], &anywhere[1..]);
    check_allowed(&user("private-hosts = [\"example.com\"]"), &[("example.com", 443, "10.1.2.3")], &anywhere[1..]);
    check_allowed(&user("hosts = [\"example.com:443\"]"), &anywhere[..1], &anywhere[1..2]);
    check_allowed(
        &user("hosts = [\"*\"]").flag("b.test"),
        &[("b.test", 1, PUBLIC)],
        &[("c.test", 1, PUBLIC), ("b.test", 1, "10.0.0.1")],
    );
    // What a file lists under another key may be reached, too.
    check_allowed(&site("hosts = []\nallow-hosts = [\"b.test\"]"), &[("b.test", 1, PUBLIC)], &[("example.com", 1, PUBLIC)]);
}

#[test]
fn the_address_names_its_host_with_its_port_and_the_usual_ones() {
    let wish = |port| ("example.com", port, "127.0.0.1");
    check_allowed(&alone(), &[wish(443), wish(80), wish(22), wish(9418)], &[wish(6379), wish(2375), wish(8080)]);
    check_allowed(&alone().flag("example.com:8080"), &[wish(8080)], &[wish(6379)]);
    check_allowed(&alone().flag("*:6379"), &[], &[wish(6379)]);
}

#[test]
fn the_host_of_the_address_is_opened_in_digits_once_its_name_was_public() {
    let digits = |scene: &Scene| scene.grant().may_reach("example.com", 443).map(|reach| reach.steady.addresses.len());
    assert_eq!((digits(&alone()), digits(&alone().flag("127.0.0.1"))), (Ok(0), Ok(1)));
    let denial = alone().grant().refused_address("example.com", 443, [127, 0, 0, 1].into(), "a loopback address");
    insta::assert_snapshot!(printed(&denial));
}

#[test]
fn a_name_is_no_address_whatever_it_is_given_later() {
    for open in [
        alone().flag("b.test"),
        alone().flag("*"),
        site("allow-hosts = [\"b.test\", \"*\"]"),
        user("hosts = [\"*\"]").flag("b.test"),
    ] {
        check_allowed(&open, &[("b.test", 443, PUBLIC)], &[]);
        for address in ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0", "fd00::1", "224.0.0.1"]
        {
            check_allowed(&open, &[], &[("b.test", 443, address)]);
        }
    }
    let exact = alone().flag("b.test").flag("127.0.0.1:8080");
    check_allowed(&exact, &[("b.test", 8080, "127.0.0.1")], &[("b.test", 443, "127.0.0.1"), ("b.test", 8080, "127.0.0.2")]);
}

#[test]
fn it_is_known_on_whose_word_a_host_is_granted() {
    let scene = site("allow-hosts = [\"*.example.org\", \"named.test\"]").flag("named.test").flag("*.b.test");
    for (host, standing) in [
        ("example.com", Some(Standing::Address)),
        ("named.test", Some(Standing::Named)),
        ("a.b.test", Some(Standing::Granted)),
        ("a.example.org", Some(Standing::Granted)),
        ("c.test", None),
    ] {
        assert_eq!(scene.standing(host), standing, "{host}");
    }
    let denial = scene.grant().refused_login("a.example.org", 22);
    insta::assert_snapshot!(printed(&denial));
}

fn limits(asked: &[(FetchLimit, u64)]) -> FetchLimits {
    let mut limits = FetchLimits::default();
    for (limit, number) in asked {
        limits.set(*limit, *number);
    }
    limits
}

#[test]
fn limits_are_narrowed_by_flags_and_told_with_who_set_them() {
    use FetchLimit::{Bytes, Depth, Entries, PathBytes, TotalSeconds};
    let set = "entries = 500\nbytes = \"2 GiB\"\npath-bytes = 100\ndepth = 9\ndownload-bytes = 10\ntotal-seconds = 60";
    let settled = user(set).grant().settle(&limits(&[(Entries, 5)])).unwrap();
    assert_eq!(FetchLimit::ALL.map(|limit| settled.get(limit)), [5, 2 << 30, 100, 9, 10, 60]);
    assert_eq!((settled.write_limits().entries, settled.write_limits().depth, settled.total().as_secs()), (5, 9, 60));
    let built_in = alone().grant().settle(&limits(&[(Entries, 5_000_000)])).unwrap();
    assert_eq!((built_in.get(Entries), built_in.get(Depth)), (5_000_000, 512));
    let mut report = String::new();
    for (settled, code) in [
        (&settled, "too-many-entries"),
        (&settled, "too-many-bytes"),
        (&settled, "took-too-long"),
        (&built_in, "too-many-entries"),
        (&built_in, "too-many-bytes"),
        (&built_in, "too-deep"),
        (&built_in, "other"),
    ] {
        let told = settled.told(Problem::new(ProblemKind::Exhausted, code, "there is too much"));
        let _ = writeln!(report, "{code}: {}\n  hint: {}", told.message, told.hint.unwrap_or_default());
    }
    for asked in [(Entries, 501), (PathBytes, 101), (TotalSeconds, 61), (Bytes, u64::MAX)] {
        let denial = user(set).grant().settle(&limits(&[asked])).expect_err("it is more than the file grants");
        report += &printed(&denial);
        let wider = user(set).paste(&denial.hint().expect("a line"));
        assert_eq!(wider.grant().settle(&limits(&[asked])).map(|settled| settled.get(asked.0)), Ok(asked.1));
    }
    insta::assert_snapshot!(report);
}

#[test]
fn prints_what_a_fetcher_is_granted() {
    let wide = alone().flag("cdn.example.com");
    let locked = site(
        "hosts = [\"*.example.com\"]\nallow-hosts = [\"github.com\"]\nprivate-hosts = [\"10.0.0.0/8\"]\nentries = 10\nseconds = 5",
    );
    insta::assert_snapshot!(format!("{}\n\n{}", wide.grant(), locked.grant()));
}
