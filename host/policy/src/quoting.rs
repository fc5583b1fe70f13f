//! Foreign words in our own sentences: short, on one line and without control sequences.

use sti_core::text::is_direction;

const MOST_CHARACTERS: usize = 200;

/// Writes text of a plugin so that it can be shown: control characters are spelled out, and what is long is cut.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MOST_CHARACTERS {
            shown.push('…');
            break;
        }
        if character.is_control() || is_direction(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Joins words as a sentence does: "`a`, `b` and `c`".
pub(crate) fn listed<Word: AsRef<str>>(words: &[Word]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", shown(word.as_ref()))).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{listed, shown};

    #[test]
    fn spells_out_what_would_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\u{a}c\\u{202e}d");
    }

    #[test]
    fn cuts_what_is_long() {
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 201);
    }

    #[test]
    fn lists_as_a_sentence_does() {
        assert_eq!(listed::<&str>(&[]), "nothing");
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
