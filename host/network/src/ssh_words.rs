//! What an ssh client, or git on the other side, complains of, told in plain words.

use crate::error::Error;
use crate::place::plain;
use crate::repository::Repository;

/// How an ssh client says that the failure is its own, and not that of the command on the other side.
const OWN_FAILURE: i32 = 255;

#[derive(Clone, Copy)]
enum Complaint {
    KeyChanged,
    KeyUnknown,
    KeyRefused,
    NoName,
    NoAnswer,
    NoRepository,
}

use Complaint::{KeyChanged, KeyRefused, KeyUnknown, NoAnswer, NoName, NoRepository};

/// What the client itself says; the first row that fits decides, and a changed key is also one that cannot be verified.
const OF_CLIENT: &[(&str, Complaint)] = &[
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", KeyChanged),
    ("REVOKED HOST KEY", KeyChanged),
    ("Host key verification failed", KeyUnknown),
    ("Permission denied", KeyRefused),
    ("Too many authentication failures", KeyRefused),
    ("Could not resolve hostname", NoName),
    ("Connection refused", NoAnswer),
    ("Connection timed out", NoAnswer),
    ("Operation timed out", NoAnswer),
    ("No route to host", NoAnswer),
    ("Network is unreachable", NoAnswer),
];

/// What servers of git say.
const OF_SERVER: &[(&str, Complaint)] = &[
    ("does not appear to be a git repository", NoRepository),
    ("epository not found", NoRepository),
    ("does not exist", NoRepository),
    ("could not be found", NoRepository),
    ("Permission denied", KeyRefused),
    ("ccess denied", KeyRefused),
];

/// Says why a client ended with this code after these words.
pub(crate) fn understand(repository: &Repository, code: Option<i32>, words: &str) -> Error {
    let rows = if code == Some(OWN_FAILURE) { OF_CLIENT } else { OF_SERVER };
    // Some services answer through the client's own failure, so their words count there, too.
    let found = rows.iter().chain(OF_SERVER).find(|(sign, _)| words.contains(sign));
    let host = repository.origin.authority();
    let why = match found {
        Some((sign, _)) => words.lines().find(|line| line.contains(sign)),
        None => words.lines().rev().find(|line| !line.trim().is_empty()),
    };
    let why = why.map_or_else(|| "it said nothing".to_owned(), plain);
    match found.map(|(_, complaint)| *complaint) {
        Some(KeyChanged) => Error::HostKeyChanged { host },
        Some(KeyUnknown) => Error::HostKeyUnknown { host },
        Some(KeyRefused) => Error::KeyRefused { host, why },
        Some(NoName) => Error::UnknownHost { host, why },
        Some(NoAnswer) => Error::Unreachable { host, why },
        Some(NoRepository) => Error::NoRepository { address: repository.shown(), why },
        None => Error::BrokenOff { from: repository.shown(), why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: i32, words: &str, expected: &str) {
        let repository = Repository::parse("ssh://git@a.test:2222/b.git").unwrap();
        assert_eq!(understand(&repository, Some(code), words).code(), expected, "{words}");
    }

    #[test]
    fn a_changed_key_is_told_from_an_unknown_one() {
        let changed =
            "@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@\nHost key verification failed.\n";
        check(255, changed, "host-key-changed");
        check(
            255,
            "No ED25519 host key is known for a.test and you have requested strict checking.\nHost key verification failed.\n",
            "host-key-unknown",
        );
    }

    #[test]
    fn complaints_are_understood() {
        check(255, "git@a.test: Permission denied (publickey).\n", "key-refused");
        check(255, "ssh: Could not resolve hostname a.test: Name or service not known\n", "unknown-host");
        check(255, "ssh: connect to host a.test port 2222: Connection refused\n", "unreachable");
        check(128, "fatal: '/b.git' does not appear to be a git repository\n", "no-repository");
        check(1, "ERROR: Repository not found.\n", "no-repository");
        check(255, "Connection closed by 192.0.2.1 port 22\n", "broken-off");
        check(1, "", "broken-off");
    }

    #[test]
    fn the_other_side_cannot_speak_of_keys() {
        check(1, "Host key verification failed.\n", "broken-off");
    }

    #[test]
    fn what_is_told_is_plain_and_says_what_to_do() {
        let repository = Repository::parse("ssh://git@a.test:2222/b.git").unwrap();
        let refused = understand(&repository, Some(255), "\u{1b}[31mgit@a.test: Permission denied (publickey).\r\nmore\n");
        assert_eq!(
            refused.to_string(),
            "`a.test:2222` accepts none of your keys: [31mgit@a.test: Permission denied (publickey)."
        );
        let changed = understand(&repository, Some(255), "REMOTE HOST IDENTIFICATION HAS CHANGED");
        assert!(changed.hint().unwrap().ends_with("ssh-keygen -R '[a.test]:2222'"), "{changed:?}");
        let unknown = understand(&repository, Some(255), "Host key verification failed.");
        assert!(unknown.hint().unwrap().ends_with("ssh -p 2222 a.test"), "{unknown:?}");
    }
}
