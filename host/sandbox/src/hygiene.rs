//! Cleans what a guest says: nothing that it writes may move a cursor, change a colour, fake a line or reverse the text around it.

use sti_core::text::is_direction;

/// The longest line that a guest may say at once, in characters.
pub(crate) const LINE: usize = 4_000;

/// One line: control sequences are taken out, line ends and tabs become spaces, and what is longer than `most` characters is cut.
pub(crate) fn line(text: &str, most: usize) -> String {
    shortened(&without_controls(text, |_| false), most)
}

/// Several lines, such as a hint that is to be pasted: line ends stay.
pub(crate) fn lines(text: &str, most: usize) -> String {
    shortened(&without_controls(text, |character| character == '\n'), most)
}

/// Whether a text is a name such as `save-artifacts`: lower-case letters and digits, in words joined by single dashes.
pub(crate) fn is_kebab(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit())
    };
    text.len() <= 64 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.split('-').all(is_word)
}

fn without_controls(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\u{9b}' => skip_until_final(&mut characters),
            character if stays(character) => clean.push(character),
            '\n' | '\t' => clean.push(' '),
            character if character.is_control() || reorders(character) => {}
            character => clean.push(character),
        }
    }
    clean
}

/// What follows an ESC (ECMA-48, section 5.3 and 5.6): `[` opens a sequence that ends at its final byte; `]`, `P`, `X`, `^` and `_`
/// open a string that ends with BEL or ST; anything else stands alone.
fn skip_sequence(characters: &mut std::str::Chars<'_>) {
    match characters.clone().next() {
        Some('[') => {
            characters.next();
            skip_until_final(characters);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(characters),
        Some(next) if next.is_ascii_graphic() => drop(characters.next()),
        _ => {}
    }
}

fn skip_until_final(characters: &mut std::str::Chars<'_>) {
    while characters.clone().next().is_some_and(|next| ('\u{20}'..='\u{3f}').contains(&next)) {
        characters.next();
    }
    if characters.clone().next().is_some_and(|next| ('\u{40}'..='\u{7e}').contains(&next)) {
        characters.next();
    }
}

/// A string that never ends would swallow everything that is said after it: it ends with its line too.
fn skip_string(characters: &mut std::str::Chars<'_>) {
    while let Some(next) = characters.clone().next() {
        if next == '\n' {
            return;
        }
        characters.next();
        if matches!(next, '\u{7}' | '\u{9c}') {
            return;
        }
        if next == '\u{1b}' {
            characters.next();
            return;
        }
    }
}

/// Marks that change the direction of what follows (Unicode TR 9), and with it what a line seems to say.
fn reorders(character: char) -> bool {
    is_direction(character) || matches!(character, '\u{61c}' | '\u{2028}' | '\u{2029}')
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_kebab, line, lines};

    #[test]
    fn takes_control_sequences_out_and_leaves_the_words() {
        for (said, shown) in [
            ("plain ünïcode ✓", "plain ünïcode ✓"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}1;31mred", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{1b}]never ends", ""),
            ("\u{1b}cgone", "gone"),
            ("over\rwrite\u{8}\u{0}", "overwrite"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("abc\u{202e}cba", "abccba"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[12", ""),
        ] {
            assert_eq!(line(said, 100), shown, "{said:?}");
        }
    }

    #[test]
    fn cuts_what_is_too_long_at_a_character() {
        assert_eq!(line("äöü", 2), "äö…");
        assert_eq!(line("äö", 2), "äö");
    }

    #[test]
    fn keeps_line_ends_where_they_are_meant() {
        assert_eq!(lines("[plugins]\n\tx = \u{1b}[1m1", 100), "[plugins]\n x = 1");
    }

    #[test]
    fn knows_a_name_in_kebab_case() {
        assert!(["commit", "save-artifacts", "x2"].into_iter().all(is_kebab));
        assert!(!["", "-a", "a-", "a--b", "A", "a_b", "2x", "a b", "ä"].into_iter().any(is_kebab));
    }
}
