//! In which letters a name of a zip file is written: UTF-8 where it says so, else those of the first PC (APPNOTE 4.4.4 and appendix D).

use std::borrow::Cow;

use flate2::Crc;

use super::fields::{field, long};

const UTF8: u16 = 1 << 11;
/// Info-ZIP's Unicode path (APPNOTE 4.6.9): a version, the sum of the name that it stands for, and the name.
const UNICODE_PATH: u16 = 0x7075;

/// The upper half of code page 437. The lower half is ASCII.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Gives the name of an entry in UTF-8, as far as it says that it is. `is_unix` tells whether it was made on a system where names are
/// bytes, which nowadays are UTF-8.
pub(super) fn name<'a>(raw: &'a [u8], flags: u16, is_unix: bool, extra: &'a [u8]) -> Cow<'a, [u8]> {
    if raw.is_ascii() || flags & UTF8 != 0 {
        return raw.into();
    }
    match unicode_path(raw, extra) {
        Some(path) => path.into(),
        None if is_unix && std::str::from_utf8(raw).is_ok() => raw.into(),
        None => raw.iter().map(|byte| letter(*byte)).collect::<String>().into_bytes().into(),
    }
}

/// What the extra field says, where it is about this name: who renames an entry may have left the field of its old one.
fn unicode_path<'a>(raw: &[u8], extra: &'a [u8]) -> Option<&'a [u8]> {
    let field = field(extra, UNICODE_PATH)?;
    let path = field.get(5..).filter(|path| !path.is_empty())?;
    let mut sum = Crc::new();
    sum.update(raw);
    (field[0] == 1 && long(field, 1) == u64::from(sum.sum())).then_some(path)
}

fn letter(byte: u8) -> char {
    let upper = byte.checked_sub(0x80).and_then(|place| CP437.chars().nth(usize::from(place)));
    upper.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], flags: u16, is_unix: bool, extra: &[u8], shown: &str) {
        assert_eq!(String::from_utf8_lossy(&name(raw, flags, is_unix, extra)), shown);
    }

    fn path_field(sum: [u8; 4], path: &str) -> Vec<u8> {
        let length = u16::try_from(5 + path.len()).unwrap().to_le_bytes();
        [b"\x75\x70".as_slice(), &length, &[1], &sum, path.as_bytes()].concat()
    }

    #[test]
    fn reads_the_letters_of_the_first_pc() {
        assert_eq!(CP437.chars().count(), 128);
        check(b"plain", 0, false, b"", "plain");
        check(b"\x81ber\\caf\x82\xe1", 0, false, b"", "über\\caféß");
        check("über".as_bytes(), 0, false, b"", "├╝ber");
        check(&[0x80, 0xff], 0, false, b"", "Ç\u{a0}");
    }

    #[test]
    fn takes_utf8_for_what_it_is() {
        check("über".as_bytes(), UTF8, false, b"", "über");
        check("über".as_bytes(), 0, true, b"", "über");
        check(b"\x81ber", 0, true, b"", "über");
        check(b"\x81ber", UTF8, false, b"", "\u{fffd}ber");
    }

    #[test]
    fn believes_a_unicode_path_that_is_about_this_name() {
        let mut sum = Crc::new();
        sum.update(b"\x81ber");
        let right = path_field(sum.sum().to_le_bytes(), "ŭber");
        check(b"\x81ber", 0, false, &right, "ŭber");
        check(b"\x82ber", 0, false, &right, "éber");
        check(b"\x81ber", 0, false, &path_field([0; 4], "ŭber"), "über");
        for cut in 0..right.len() {
            let _answered = name(b"\x81ber", 0, false, &right[..cut]);
        }
    }
}
