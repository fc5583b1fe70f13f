//! Addresses: the first line is one, the second a reference, the third an address that a repository gives for one of its submodules.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex},
};

use sti_archive::Archive;
use sti_core::hosts::not_public;
use sti_git::Git;
use sti_network::{clean, host_of};
use sti_plugin::{Problem, testing::AddressBuilder};
use url::Url;

use crate::{
    deck::Deck,
    fetched,
    hidden::{place::Origin, read_word},
};

/// Reads an address as each reader of addresses does.
///
/// # Panics
/// Where something does not hold.
pub fn addresses(bytes: &[u8]) {
    numbers(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(2, '\n');
    let (word, reference) = (lines.next().unwrap_or_default(), lines.next());
    words(word);
    cleaned(word);
    asked(word, reference);
    if let Some((parsed, _)) = read_word(word) {
        asked(&parsed.text, parsed.reference.as_deref());
    }
}

/// Addresses of machines: each is judged alike however it is written.
fn numbers(bytes: &[u8]) {
    let mut deck = Deck::new(bytes);
    let four = Ipv4Addr::from_bits(u32::try_from(deck.long() & 0xffff_ffff).unwrap_or_default());
    let six = Ipv6Addr::from_bits(u128::from(deck.long()) << 64 | u128::from(deck.long()));
    let judged = not_public(four.into());
    for written in [four.to_ipv6_mapped(), Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(four.to_bits()))] {
        assert_eq!(not_public(written.into()), judged, "{written}");
    }
    let is_special =
        four.is_loopback() || four.is_private() || four.is_link_local() || four.is_multicast() || four.is_unspecified();
    assert!(judged.is_some() || !is_special && !four.is_broadcast() && !four.is_documentation(), "{four} is public");
    let is_special = six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local() || six.is_multicast();
    assert!(not_public(six.into()).is_some() || !is_special && !six.is_unspecified(), "{six} is public");
    for (address, url) in [(IpAddr::from(four), format!("http://{four}/")), (six.into(), format!("http://[{six}]/"))] {
        let literal = Origin::of(&Url::parse(&url).expect("an address of a machine")).and_then(|origin| origin.literal());
        assert_eq!(literal, Some(address), "{url}");
    }
}

/// The word as the command line reads it: what is shown of it holds no login, and says the same when it is read again.
fn words(word: &str) {
    let Some((parsed, _)) = read_word(word) else { return };
    let (again, login) = read_word(&parsed.written).unwrap_or_else(|| panic!("{parsed:?} is no address any more"));
    assert!(login.is_none(), "a login is left in {:?}", parsed.written);
    assert_eq!(again, parsed, "{word:?}");
    if let Some(password) = password_of(word) {
        assert!(!parsed.written.contains(&password), "{:?} shows the password of {word:?}", parsed.written);
    }
}

/// The password of an address with a scheme, where it stands there once.
fn password_of(word: &str) -> Option<String> {
    // Others hold another address, which is read by the rules of its own scheme, or are none that anybody fetches.
    let url = Url::parse(word).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "ssh"))?;
    let password = url.password().filter(|password| password.len() > 3)?.to_owned();
    (word.matches(&password).count() == 1 && word.contains(&format!("{password}@"))).then_some(password)
}

/// Taking a login away leaves the host that is asked as it is, and nothing to be taken away.
fn cleaned(word: &str) {
    let (cleaned, login) = clean(word);
    assert_eq!(clean(&cleaned), (cleaned.clone(), None), "{word:?}");
    if login.is_some() && word.contains("://") {
        assert_eq!(host_of(&cleaned), host_of(word), "{word:?} and {cleaned:?}");
    }
}

/// The fetchers ask nobody but the host that the address names, as the host reads it.
fn asked(text: &str, reference: Option<&str>) {
    let urls = Arc::<Mutex<Vec<String>>>::default();
    let note = |urls: &Arc<Mutex<Vec<String>>>| {
        let urls = Arc::clone(urls);
        move |url: &str| {
            urls.lock().expect("no holder panics").push(url.to_owned());
            Problem::unavailable("no-answer", "nobody is there")
        }
    };
    let (web, line) = (note(&urls), note(&urls));
    let address = AddressBuilder::new(text).web(move |request| Err(web(&request.url))).repositories(move |url| Err(line(url)));
    let address = reference.map_or_else(|| address.clone(), |reference| address.clone().reference(reference));
    for fetched in [address.fetch::<Git>(), address.fetch::<Archive>()] {
        fetched::check_problem(fetched.expect_problem());
    }
    for url in urls.lock().expect("no holder panics").iter() {
        // What the host cannot read it does not reach.
        let host = host_of(url);
        assert!(host.is_none() || host == host_of(text), "{url:?} is asked for {text:?}");
    }
}
