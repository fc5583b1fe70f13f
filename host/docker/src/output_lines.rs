//! Cuts what a script prints into lines that are safe to show, in bounded memory.
//!
//! Control sequences are those of ECMA-48: `ESC [ … final`, `ESC ] … BEL` and the rest of C0 and C1; only a tab stays.

use std::collections::VecDeque;

/// The longest piece that is told at once: a line without an end must not fill the memory.
const LONGEST_PIECE: usize = 8 * 1024;
/// How many lines an error shows.
const LAST_LINES: usize = 20;

/// One stream of a script, cut into lines.
#[derive(Default)]
pub(crate) struct Lines {
    line: String,
    half: Vec<u8>,
    state: State,
    after_return: bool,
}

/// Where within a control sequence the stream is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// `ESC [`: up to a final byte.
    Control,
    /// `ESC ]`, `ESC P` and their kind: up to BEL or `ESC \`.
    Words,
    WordsEscape,
    /// `ESC (` and its kind: one more character.
    Designation,
}

impl Lines {
    /// Takes the next bytes and tells each line that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8], tell: &mut dyn FnMut(String)) {
        self.half.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.half);
        let mut rest = bytes.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => return self.push_text(text, tell),
                Err(error) => {
                    let (text, broken) = rest.split_at(error.valid_up_to());
                    self.push_text(&String::from_utf8_lossy(text), tell);
                    let Some(length) = error.error_len() else {
                        // The rest of this character is in the next frame.
                        self.half = broken.to_vec();
                        return;
                    };
                    self.push_text("\u{FFFD}", tell);
                    rest = &broken[length..];
                }
            }
        }
    }

    /// Tells what is left where the stream ended without a line's end.
    pub(crate) fn finish(&mut self, tell: &mut dyn FnMut(String)) {
        if !std::mem::take(&mut self.half).is_empty() {
            self.line.push('\u{FFFD}');
        }
        if !self.line.is_empty() {
            tell(std::mem::take(&mut self.line));
        }
        *self = Self::default();
    }

    fn push_text(&mut self, text: &str, tell: &mut dyn FnMut(String)) {
        for character in text.chars() {
            self.push_character(character, tell);
        }
    }

    fn push_character(&mut self, character: char, tell: &mut dyn FnMut(String)) {
        self.state = match (self.state, character) {
            (State::Text, _) => return self.push_plain(character, tell),
            // A line's end inside a sequence ends both: otherwise one stray byte would swallow everything.
            (_, '\n') => {
                self.state = State::Text;
                return self.push_plain('\n', tell);
            }
            (State::Words, '\u{1b}') => State::WordsEscape,
            (State::Words, character) if !matches!(character, '\u{07}' | '\u{9c}') => State::Words,
            (State::WordsEscape, character) if character != '\\' => State::Words,
            (State::Escape | State::Control | State::Designation, '\u{1b}') => State::Escape,
            (State::Escape, '[') | (State::Control, ' '..='?') => State::Control,
            (State::Escape, ']' | 'P' | 'X' | '^' | '_') => State::Words,
            (State::Escape, ' '..='/') => State::Designation,
            _ => State::Text,
        };
    }

    fn push_plain(&mut self, character: char, tell: &mut dyn FnMut(String)) {
        let after_return = std::mem::replace(&mut self.after_return, character == '\r');
        match character {
            // `\r\n` is one end; a lone `\r` redraws the line, which a log shows as a line of its own.
            '\n' if after_return => {}
            '\n' | '\r' => tell(std::mem::take(&mut self.line)),
            '\u{1b}' => self.state = State::Escape,
            '\u{9b}' => self.state = State::Control,
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => self.state = State::Words,
            '\t' => self.append('\t', tell),
            _ if character.is_control() => {}
            _ => self.append(character, tell),
        }
    }

    fn append(&mut self, character: char, tell: &mut dyn FnMut(String)) {
        if self.line.len() + character.len_utf8() > LONGEST_PIECE {
            tell(std::mem::take(&mut self.line));
        }
        self.line.push(character);
    }
}

/// The last lines of a script, for the error that it may end in.
#[derive(Default)]
pub(crate) struct LastLines(VecDeque<String>);

impl LastLines {
    /// Takes a line; the oldest goes where there are too many.
    pub(crate) fn push(&mut self, line: String) {
        if self.0.len() == LAST_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// The lines, oldest first.
    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_lines(pieces: &[&[u8]], expected: &[&str]) {
        let mut lines = Lines::default();
        let mut told = Vec::new();
        for piece in pieces {
            lines.push(piece, &mut |line| told.push(line));
        }
        lines.finish(&mut |line| told.push(line));
        assert_eq!(told, expected, "{pieces:?}");
    }

    #[test]
    fn joins_lines_and_characters_that_frames_split() {
        check_lines(&[b"on", b"e\ntw", b"o"], &["one", "two"]);
        check_lines(
            &["gr\u{fc}\u{df}e\n".as_bytes().split_at(3).0, "gr\u{fc}\u{df}e\n".as_bytes().split_at(3).1],
            &["gr\u{fc}\u{df}e"],
        );
        check_lines(&[b"a\xffb\n"], &["a\u{FFFD}b"]);
        check_lines(&[b"a\xe2\x82"], &["a\u{FFFD}"]);
    }

    #[test]
    fn keeps_empty_lines_and_takes_either_line_end() {
        check_lines(&[b"a\n\nb\r\nc\r", b"\n10%\r20%\n"], &["a", "", "b", "c", "10%", "20%"]);
    }

    #[test]
    fn strips_control_sequences_even_split_ones() {
        check_lines(&[b"\x1b[31mred\x1b[0m\n"], &["red"]);
        check_lines(&[b"\x1b", b"[3", b"1mred\n"], &["red"]);
        check_lines(&[b"a\x1b]0;title\x07b\x1b]8;;x\x1b\\c\n"], &["abc"]);
        check_lines(&[b"\x1b(Ba\x00\x08\tb\n"], &["a\tb"]);
        check_lines(&["\u{9b}2Jx\n".as_bytes()], &["x"]);
        check_lines(&[b"\x1b]never ended\nnext\n"], &["", "next"]);
        check_lines(&[b"\x1b[2\x1b[31mred\n"], &["red"]);
    }

    #[test]
    fn cuts_an_endless_line_into_pieces() {
        let mut lines = Lines::default();
        let (mut pieces, mut longest) = (0, 0);
        for _ in 0..1000 {
            lines.push(&[b'x'; 1024], &mut |line| {
                pieces += 1;
                longest = longest.max(line.len());
            });
        }
        assert_eq!((pieces, longest), (124, LONGEST_PIECE));
    }

    #[test]
    fn remembers_the_last_twenty() {
        let mut last = LastLines::default();
        (0..100).for_each(|number| last.push(number.to_string()));
        let lines = last.into_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (20, "80"));
    }
}
