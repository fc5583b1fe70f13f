//! Which fetcher an address is for, by the cards of all: a prefix that the user wrote, then the longest ending, then the scheme. Of several
//! that fit alike it is the first: a shipped one goes before an installed one.

use sti_sandbox::Card;

use crate::pipeline::SourceAddress;

/// The place of the fetcher that an address is for.
pub(super) fn fitting(cards: &[&Card], address: &SourceAddress) -> Option<usize> {
    let serves = |scheme: &str| cards.iter().position(|card| card.schemes.iter().any(|served| served == scheme));
    if let Some(prefix) = &address.prefix {
        return serves(prefix);
    }
    by_ending(cards, &address.text).or_else(|| serves(scheme_of(&address.text)))
}

fn by_ending(cards: &[&Card], text: &str) -> Option<usize> {
    let path = text.split(['?', '#']).next().unwrap_or(text).to_ascii_lowercase();
    let endings: Vec<_> =
        cards.iter().enumerate().flat_map(|(place, card)| card.suffixes.iter().map(move |ending| (place, ending))).collect();
    let fitting = endings.into_iter().filter(|(_, ending)| path.ends_with(&ending.to_ascii_lowercase()));
    // Of equals the last would be taken.
    fitting.rev().max_by_key(|(_, ending)| ending.len()).map(|(place, _)| place)
}

/// An address without a scheme is one of ssh's: `user@host:path`. What is none of both is a path.
fn scheme_of(text: &str) -> &str {
    match text.split_once("://") {
        Some((scheme, _)) => scheme,
        None if text.split_once(':').is_some_and(|(host, _)| host.contains('@')) => "ssh",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(prefix: Option<&str>, text: &str, expected: Option<&str>) {
        let card = |name: &str, schemes: &[&str], suffixes: &[&str]| Card {
            name: name.to_owned(),
            schemes: schemes.iter().map(|scheme| (*scheme).to_owned()).collect(),
            suffixes: suffixes.iter().map(|suffix| (*suffix).to_owned()).collect(),
            ..Card::default()
        };
        let archive = card("archive", &["archive"], &[".tar", ".tar.gz", ".zip"]);
        let git = card("git", &["git", "ssh", "http", "https"], &[".git"]);
        let odd = card("odd", &["odd"], &[".gz"]);
        let late = card("late", &["https", "late"], &[".tar.gz", ".git", ".late"]);
        let cards = [&archive, &git, &odd, &late];
        let address = SourceAddress { prefix: prefix.map(str::to_owned), text: text.to_owned(), ..SourceAddress::default() };
        let found = fitting(&cards, &address).map(|place| cards[place].name.as_str());
        assert_eq!(found, expected, "{prefix:?} {text}");
    }

    #[test]
    fn a_prefix_decides_then_the_longest_ending_then_the_scheme() {
        check(Some("archive"), "https://example.com/app.git", Some("archive"));
        check(Some("git"), "app.tar.gz", Some("git"));
        check(Some("none"), "app.tar.gz", None);
        check(None, "https://example.com/app-1.0.tar.gz", Some("archive"));
        check(None, "https://example.com/app-1.0.TAR.GZ?raw=1", Some("archive"));
        check(None, "https://example.com/app.gz", Some("odd"));
        check(None, "https://example.com/app", Some("git"));
        check(None, "git@example.com:app", Some("git"));
        check(None, "odd://x", Some("odd"));
        check(None, "https://example.com/app.git", Some("git"));
        check(None, "https://example.com/app.late", Some("late"));
        check(None, "ftp://example.com/x", None);
    }
}
