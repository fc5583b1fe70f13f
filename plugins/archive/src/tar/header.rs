//! Judges single headers: their sums, their sizes, and kinds that no tree may have.

use std::ops::Range;

use sti_plugin::Problem;
use tar::Header;

use crate::{damage::damaged, names::shown};

/// Where a header keeps its own sum, which counts as spaces.
const SUM: Range<usize> = 148..156;

/// Holds the sum of a header against its bytes, taken as unsigned, or as signed, as some old programs did.
pub(super) fn has_right_sum(header: &Header) -> bool {
    let Ok(told) = header.cksum() else { return false };
    let bytes = || header.as_bytes().iter().enumerate().map(|(at, byte)| if SUM.contains(&at) { b' ' } else { *byte });
    let unsigned = bytes().map(u32::from).sum::<u32>();
    let signed = bytes().map(|byte| i32::from(byte.cast_signed())).sum::<i32>();
    told == unsigned || i32::try_from(told) == Ok(signed)
}

/// Reads the size of a header. Numbers in base 256 can be negative, and nothing else is.
pub(super) fn size_of(header: &Header) -> Result<u64, Problem> {
    let field = &header.as_old().size;
    if is_blank(field) {
        return Ok(0);
    }
    let is_binary = field[0] & 0x80 != 0;
    let fits = !is_binary || (field[0] == 0x80 && field[1..4].iter().all(|byte| *byte == 0));
    let size = header.entry_size().ok().filter(|_| fits);
    size.ok_or_else(|| damaged(format!("the size of `{}` is no number of bytes", shown(&header.path_bytes()))))
}

/// Reads the mode of a header.
pub(super) fn mode_of(header: &Header) -> Result<u32, Problem> {
    if is_blank(&header.as_old().mode) {
        return Ok(0);
    }
    header.mode().map_err(|_| damaged(format!("the mode of `{}` is no number", shown(&header.path_bytes()))))
}

/// Whether a writer left a field out, which counts as zero.
fn is_blank(field: &[u8]) -> bool {
    field.iter().all(|byte| matches!(byte, 0 | b' '))
}

/// Whether bytes begin with a header.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let mut header = Header::new_old();
    let Some(block) = bytes.get(..header.as_bytes().len()) else { return false };
    header.as_mut_bytes().copy_from_slice(block);
    has_right_sum(&header)
}

/// What no tree may have, by its type in the header.
const REFUSED: &[(u8, &str, &str)] = &[
    (b'3', "special-file", "a character device"),
    (b'4', "special-file", "a block device"),
    (b'6', "special-file", "a FIFO"),
    (b'M', "unsupported-entry", "the rest of a file of another volume"),
    (b'N', "unsupported-entry", "a list of long names in a form that is no longer used"),
];

/// Makes the problem of an entry of a kind that is not unpacked.
pub(super) fn refused(kind: u8, name: &[u8]) -> Problem {
    let name = shown(name);
    match REFUSED.iter().find(|(refused, ..)| *refused == kind) {
        Some((_, code, what)) => Problem::invalid(*code, format!("`{name}` is {what}, which a source may not have"))
            .hint("make the archive anew without it"),
        None => Problem::invalid("unsupported-entry", format!("`{name}` is of the unknown type `{}`", shown(&[kind]))),
    }
}
