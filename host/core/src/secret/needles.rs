//! The bytes by which secrets are found again: in lines that scripts print, and in what a build made.

use std::{borrow::Cow, fmt};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use memchr::memmem::Finder;

use super::{SHORTEST, Secret};

/// So much of a secret is proof enough of the whole.
const LONGEST: usize = 4096;
/// Shorter files of a directory are too likely to be something that is anywhere.
const SHORTEST_FILE: usize = 16;
/// The same of a line of a value that has several: what a line says alone may be anybody's.
const SHORTEST_LINE: usize = 8;
/// Shorter pieces of base64 may be chance.
const SHORTEST_ENCODED: usize = 8;
/// What stands in the place of a secret.
const VEILED: &str = "***";

/// What is looked for.
#[derive(Clone, Default)]
pub struct Needles {
    /// In products: whole, and in base64.
    kept: Vec<Needle>,
    /// In lines: the longest first.
    said: Vec<Needle>,
}

#[derive(Clone)]
struct Needle {
    secret: String,
    finder: Finder<'static>,
}

impl Needle {
    fn new(secret: &str, bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(LONGEST)];
        Self { secret: secret.to_owned(), finder: Finder::new(bytes).into_owned() }
    }

    fn length(&self) -> usize {
        self.finder.needle().len()
    }
}

impl Needles {
    /// What tells these secrets, by their names.
    pub fn of<'a>(secrets: impl IntoIterator<Item = (&'a String, &'a Secret)>) -> Self {
        let mut needles = Self::default();
        for (name, secret) in secrets {
            for file in secret.files() {
                needles.add(name, trimmed(&file.bytes), secret.is_directory());
            }
        }
        needles.said.sort_by_key(|needle| std::cmp::Reverse(needle.length()));
        needles
    }

    fn add(&mut self, name: &str, value: &[u8], is_file: bool) {
        if value.len() < if is_file { SHORTEST_FILE } else { SHORTEST } {
            return;
        }
        let encoded = encodings(&value[..value.len().min(LONGEST)]);
        self.kept.push(Needle::new(name, value));
        self.kept.extend(encoded.iter().map(|text| Needle::new(name, text.as_bytes())));
        self.said.extend(encoded.iter().map(|text| Needle::new(name, text.as_bytes())));
        if !value.contains(&b'\n') {
            self.said.push(Needle::new(name, value));
        } else if !is_file {
            let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            self.said.extend(lines.filter(|line| line.len() >= SHORTEST_LINE).map(|line| Needle::new(name, line)));
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The name of a secret that is in these bytes.
    pub fn in_bytes(&self, bytes: &[u8]) -> Option<&str> {
        self.kept.iter().find(|needle| needle.finder.find(bytes).is_some()).map(|needle| needle.secret.as_str())
    }

    /// Begins to look through bytes that come in pieces.
    pub fn search(&self) -> Search<'_> {
        let longest = self.kept.iter().map(Needle::length).max().unwrap_or(0);
        Search { needles: self, overlap: longest.saturating_sub(1), held: Vec::new() }
    }

    /// The text with asterisks in the place of secrets.
    pub fn veiled<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for needle in &self.said {
            if needle.finder.find(text.as_bytes()).is_some()
                && let Ok(word) = std::str::from_utf8(needle.finder.needle())
            {
                text = Cow::Owned(text.replace(word, VEILED));
            }
        }
        text
    }
}

/// Says how many there are, and nothing of them.
impl fmt::Debug for Needles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Needles({})", self.kept.len())
    }
}

/// Looks through a stream, also across the seams of its pieces.
pub struct Search<'a> {
    needles: &'a Needles,
    overlap: usize,
    held: Vec<u8>,
}

impl<'a> Search<'a> {
    /// The name of a secret that ends in this piece.
    pub fn feed(&mut self, piece: &[u8]) -> Option<&'a str> {
        self.held.extend_from_slice(piece);
        let found = self.needles.in_bytes(&self.held);
        let gone = self.held.len().saturating_sub(self.overlap);
        self.held.drain(..gone);
        found
    }
}

/// Editors and `echo` end a file with a line's end that is no part of the value.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    &bytes[..end]
}

/// How the value reads in base64 that begins at any byte before it, without the characters that its neighbours have a part in.
fn encodings(value: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for before in 0..3 {
        let padded = [&[0; 3][..before], value].concat();
        let (begin, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for text in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            let piece = text.get(begin..end).unwrap_or_default();
            if piece.len() >= SHORTEST_ENCODED && !all.iter().any(|other| other == piece) {
                all.push(piece.to_owned());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanFile;

    fn of(secret: &Secret) -> Needles {
        Needles::of([(&"token".to_owned(), secret)])
    }

    fn value(text: &str) -> Needles {
        of(&Secret::value(text.as_bytes().to_vec()))
    }

    #[test]
    fn finds_a_value_as_it_is_and_in_base64_wherever_that_begins() {
        let needles = value("s3cr3t-v4lue\n");
        assert_eq!(needles.in_bytes(b"x=s3cr3t-v4lue;"), Some("token"));
        assert_eq!(needles.in_bytes(b"s3cr3t-v4lu"), None);
        for before in ["", "u", "us", "user:", "another:"] {
            for after in ["", "x", "xy", "\n"] {
                let encoded = STANDARD.encode(format!("{before}s3cr3t-v4lue{after}"));
                assert_eq!(needles.in_bytes(format!("auth {encoded}").as_bytes()), Some("token"), "{encoded}");
            }
        }
        let odd = value("\u{ff}\u{fe}>>>???\u{fb}\u{ff}");
        for encoded in [STANDARD.encode("\u{ff}\u{fe}>>>???\u{fb}\u{ff}"), URL_SAFE.encode("\u{ff}\u{fe}>>>???\u{fb}\u{ff}")] {
            assert_eq!(odd.in_bytes(encoded.as_bytes()), Some("token"), "{encoded}");
        }
    }

    #[test]
    fn finds_across_the_seams_of_a_stream() {
        let needles = value("s3cr3t-v4lue");
        let bytes = b"0123456789 s3cr3t-v4lue 0123456789";
        for size in 1..bytes.len() {
            let mut search = needles.search();
            assert!(bytes.chunks(size).any(|piece| search.feed(piece).is_some()), "in pieces of {size}");
        }
        let mut search = needles.search();
        assert!(b"s3cr3t-v4lu s3cr3t-v4lu".chunks(3).all(|piece| search.feed(piece).is_none()));
    }

    #[test]
    fn veils_what_is_said_line_by_line() {
        let needles = value("-----BEGIN KEY-----\nabcdefghij\n}\n");
        assert_eq!(needles.veiled("key: abcdefghij}"), "key: ***}");
        assert!(needles.in_bytes(b"abcdefghij").is_none() && needles.in_bytes(b"-----BEGIN KEY-----\nabcdefghij\n}").is_some());
        assert_eq!(value("hush").veiled("hush, hush"), "***, ***");
        assert!(matches!(value("hush").veiled("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn short_files_and_values_are_not_looked_for() {
        let file = |text: &str| PlanFile { path: "a".to_owned(), mode: 0o600, bytes: text.as_bytes().to_vec() };
        assert!(of(&Secret::directory(vec![file("debug = true")])).is_empty());
        let long = of(&Secret::directory(vec![file("password = 0123456789")]));
        assert_eq!(long.in_bytes(b"..password = 0123456789.."), Some("token"));
        assert!(value("abc").is_empty() && value("\n\n").is_empty());
    }

    #[test]
    fn the_beginning_of_a_long_secret_is_enough() {
        let needles = of(&Secret::value(vec![b'x'; 100_000]));
        assert_eq!(needles.in_bytes(&[b'x'; LONGEST]), Some("token"));
        assert_eq!(needles.search().overlap, LONGEST - 1);
    }
}
