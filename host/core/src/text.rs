//! Words of others, as people read them.

/// Whether a character turns the direction of writing, and with it makes a text read other than it is (Unicode TR 9).
pub fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
