//! Numbers of zip records: little-endian, in fixed places; and the extra field that holds those which are too large for theirs.

use sti_plugin::Problem;

use crate::damage::damaged;

/// What stands in the place of a number that the zip64 extra field holds.
pub(super) const ELSEWHERE: u64 = 0xffff_ffff;

/// Reads a number of up to eight bytes. Places are constants, and records are read whole: what lies behind one is zero.
pub(super) fn number(record: &[u8], at: usize, length: usize) -> u64 {
    let bytes = record.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A number of two bytes.
pub(super) fn short(record: &[u8], at: usize) -> u16 {
    u16::try_from(number(record, at, 2)).unwrap_or_default()
}

/// A number of four bytes.
pub(super) fn long(record: &[u8], at: usize) -> u64 {
    number(record, at, 4)
}

/// Fills in the numbers that are elsewhere, from the zip64 extra field (APPNOTE 4.5.3), in the order in which it holds them.
pub(super) fn fill_in(numbers: [&mut u64; 3], extra: &[u8]) -> Result<(), Problem> {
    const ZIP64: u16 = 1;
    if numbers.iter().all(|number| **number != ELSEWHERE) {
        return Ok(());
    }
    let wrong = || damaged("a zip64 extra field is missing or too short");
    let mut held = field(extra, ZIP64).ok_or_else(wrong)?;
    for place in numbers.into_iter().filter(|number| **number == ELSEWHERE) {
        let (bytes, rest) = held.split_first_chunk::<8>().ok_or_else(wrong)?;
        *place = u64::from_le_bytes(*bytes);
        held = rest;
    }
    Ok(())
}

/// Finds an extra field by its number.
pub(super) fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let length = usize::from(short(head, 2));
        let content = rest.get(..length)?;
        if short(head, 0) == wanted {
            return Some(content);
        }
        extra = &rest[length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_is_elsewhere_and_nothing_else() {
        let extra = [b"\x09\x00\x01\x00x".as_slice(), b"\x01\x00\x10\x00", &7_u64.to_le_bytes(), &9_u64.to_le_bytes()].concat();
        let (mut size, mut compressed, mut offset) = (ELSEWHERE, 5, ELSEWHERE);
        fill_in([&mut size, &mut compressed, &mut offset], &extra).unwrap();
        assert_eq!((size, compressed, offset), (7, 5, 9));
    }

    #[test]
    fn refuses_an_extra_field_that_is_missing_or_cut_short() {
        for extra in [b"".as_slice(), b"\x01\x00\x08\x00abc", b"\x01\x00\x02\x00ab", b"\x01"] {
            let (mut size, mut compressed, mut offset) = (ELSEWHERE, 5, 0);
            assert!(fill_in([&mut size, &mut compressed, &mut offset], extra).is_err());
        }
    }
}
