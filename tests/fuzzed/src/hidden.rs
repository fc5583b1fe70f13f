//! Parts of the host that no crate shows, read here from their own files: so that they can be fed, and stay hidden where they are shipped.

#[path = "../../../host/src/cli/address.rs"]
#[allow(dead_code, clippy::needless_update, reason = "only its reading of words is fed, and so a part of an address")]
mod address;
#[path = "../../../host/network/src/place.rs"]
#[allow(dead_code, unreachable_pub, reason = "only its reading of hosts is fed")]
pub(crate) mod place;

use sti_network::Login;

/// Reads a word of the command line as an address, if it is one.
pub(crate) fn read_word(word: &str) -> Option<(SourceAddress, Option<Login>)> {
    address::parse(word)
}

/// As much of an address as is read from a word.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceAddress {
    pub(crate) written: String,
    pub(crate) prefix: Option<String>,
    pub(crate) text: String,
    pub(crate) reference: Option<String>,
}
