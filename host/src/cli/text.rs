//! Small words for people: sizes and times.

use std::time::Duration;

/// The words without what would move a cursor, change a terminal or turn the direction of reading: much of what is shown was written
/// by an engine, a registry or a file name.
pub(super) fn plain(words: &str) -> String {
    let is_unseen = |character: char| {
        character.is_control() && character != '\t' || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    words.chars().map(|character| if is_unseen(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// The same for words of several lines, each of which stays a line.
pub(super) fn plain_lines(words: &str) -> String {
    words.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// Bytes in the largest unit that leaves a whole number before the point.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut hundredths = bytes / 10;
    let mut unit = 0;
    while hundredths >= 100_000 && unit + 1 < UNITS.len() {
        hundredths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", hundredths / 100, hundredths % 100 / 10, UNITS[unit])
}

/// A time as a person reads it.
pub(super) fn duration(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    match tenths {
        0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} min {} s", tenths / 600, tenths % 600 / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let shown: Vec<_> = [0, 999, 1000, 1_550, 999_999, 1_000_000, 2_340_000_000].map(size).into();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "1.5 kB", "999.9 kB", "1.0 MB", "2.3 GB"]);
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d\u{9b}e\tf"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e\tf");
        assert_eq!(plain_lines("a\n\rb"), "a\n\u{fffd}b");
    }

    #[test]
    fn times_read_well() {
        let shown: Vec<_> = [0, 1_240, 59_990, 61_000].map(|millis| duration(Duration::from_millis(millis))).into();
        assert_eq!(shown, ["0.0 s", "1.2 s", "59.9 s", "1 min 1 s"]);
    }
}
