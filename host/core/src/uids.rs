//! User numbers: ranges of them as a user writes them, and which number a written user means inside an image.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Which users scripts and products may run as, by number: `1-`, `1000-1999,65534`, `-500`.
///
/// ```
/// use sti_core::UidRanges;
///
/// let ranges: UidRanges = "1-999,1001,60000-".parse().unwrap();
/// assert!(ranges.contains(1) && ranges.contains(1001) && ranges.contains(u32::MAX));
/// assert!(!ranges.contains(0) && !ranges.contains(1000));
/// assert!("5-1".parse::<UidRanges>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UidRanges(Vec<(u32, u32)>);

/// A text that is no list of ranges.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no range of user numbers")]
pub struct NoRange(String);

impl UidRanges {
    /// Tells whether a number lies in one of the ranges, ends included.
    pub fn contains(&self, uid: u32) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&uid))
    }
}

impl FromStr for UidRanges {
    type Err = NoRange;

    fn from_str(written: &str) -> Result<Self, NoRange> {
        written
            .split(',')
            .map(|piece| range(piece.trim()).ok_or_else(|| NoRange(piece.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for UidRanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces = self.0.iter().map(|range| match *range {
            (first, last) if first == last => first.to_string(),
            (first, u32::MAX) => format!("{first}-"),
            (first, last) => format!("{first}-{last}"),
        });
        formatter.write_str(&pieces.collect::<Vec<_>>().join(","))
    }
}

/// `N`, `N-M`, `N-` or `-M`.
fn range(piece: &str) -> Option<(u32, u32)> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let Some((first, last)) = piece.split_once('-') else { return number(piece).map(|one| (one, one)) };
    let range = match (first.trim(), last.trim()) {
        ("", "") => return None,
        ("", last) => (0, number(last)?),
        (first, "") => (number(first)?, u32::MAX),
        (first, last) => (number(first)?, number(last)?),
    };
    (range.0 <= range.1).then_some(range)
}

/// The number of a user as an image's configuration writes one (`user`, `uid`, each with `:group` behind it), by the image's `/etc/passwd`.
/// `None` where nobody can tell.
///
/// Engines take the first line that bears the name. What is written as a number they take for that number, or did once for a name of
/// digits: where a line of that name says another number, nobody can tell. Nor where the line says none: some read 0 there.
pub fn number_of(written: &str, passwd: &str) -> Option<u32> {
    let user = written.split_once(':').map_or(written, |(user, _)| user);
    let user = if user.is_empty() { "0" } else { user };
    let number = user.parse::<u32>().ok();
    let line = passwd.lines().map(str::trim).find(|line| line.split(':').next() == Some(user));
    match (line, number) {
        (Some(line), Some(number)) => number_in(line).filter(|listed| *listed == number),
        (Some(line), None) => number_in(line),
        (None, Some(number)) => Some(number),
        (None, None) => (user == "root").then_some(0),
    }
}

fn number_in(line: &str) -> Option<u32> {
    line.split(':').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{UidRanges, number_of};

    #[test]
    fn reads_ranges() {
        let cases = [
            ("1-", Some("1-")),
            ("-500", Some("0-500")),
            ("7", Some("7")),
            ("1-5, 9", Some("1-5,9")),
            ("0-0", Some("0")),
            ("", None),
            ("-", None),
            ("5-1", None),
            ("a", None),
            ("+1", None),
            ("1-2-3", None),
            ("1,", None),
            ("99999999999", None),
        ];
        for (written, expected) in cases {
            let read = written.parse::<UidRanges>().ok().map(|ranges| ranges.to_string());
            assert_eq!(read.as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn finds_root_in_all_its_spellings() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\n \ttoor:x:0:0::/:/bin/sh\ntoor:x:5:5::/:/none\ndefault:x:1002:0::/:/bin/sh\nbroken\n";
        for root in ["", "0", "00", "+0", "root", "toor", "0:1001", "root:1001", ":5"] {
            assert_eq!(number_of(root, passwd), Some(0), "{root}");
        }
        assert_eq!(number_of("default", passwd), Some(1002));
        assert_eq!(number_of("1002:0", passwd), Some(1002));
        assert_eq!(number_of("4711", passwd), Some(4711));
        assert_eq!((number_of("root", ""), number_of("", ""), number_of("4711", "")), (Some(0), Some(0), Some(4711)));
        for nobody in ["stranger", "-0", "0x0", "4294967296"] {
            assert_eq!(number_of(nobody, passwd), None, "{nobody}");
        }
    }

    #[test]
    fn believes_no_line_that_engines_may_read_otherwise() {
        let passwd = "0:x:1000:0::/:/none\n1001:x:0:0::/:/none\n7:x:7::\nworker:x:y:0::/:/none\nworker:x:431:0::/:/none\nshort\nshort:x:5:\n";
        for nobody in ["0", "", "0:5", "1001", "worker", "short"] {
            assert_eq!(number_of(nobody, passwd), None, "{nobody}");
        }
        assert_eq!((number_of("7", passwd), number_of("00", passwd)), (Some(7), Some(0)));
    }
}
