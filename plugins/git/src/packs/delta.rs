//! Deltas: how an object is made from another one, as git's pack format describes it.
//!
//! <https://git-scm.com/docs/gitformat-pack#_deltified_representation>

use sti_plugin::Problem;

use crate::{objects::number, trouble};

/// Makes an object of at most so many bytes from what it builds on.
pub(super) fn apply(base: &[u8], delta: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let (base_size, rest) = number(delta)?;
    let (size, mut rest) = number(rest)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= limit).ok_or_else(wrong)?;
    if base_size != base.len() as u64 {
        return Err(wrong());
    }
    let mut made = Vec::with_capacity(size);
    while let Some((instruction, more)) = rest.split_first() {
        let piece = if instruction & 0x80 == 0 {
            // Bytes that follow; none at all is reserved.
            let (piece, more) =
                more.split_at_checked((*instruction).into()).filter(|(piece, _)| !piece.is_empty()).ok_or_else(wrong)?;
            rest = more;
            piece
        } else {
            let (from, length, more) = range(*instruction, more)?;
            rest = more;
            base.get(from..).and_then(|from| from.get(..length)).ok_or_else(wrong)?
        };
        if made.len() + piece.len() > size {
            return Err(wrong());
        }
        made.extend_from_slice(piece);
    }
    if made.len() == size { Ok(made) } else { Err(wrong()) }
}

/// Reads from where and how much is copied: each bit of the instruction says whether its byte is there.
fn range(instruction: u8, bytes: &[u8]) -> Result<(usize, usize, &[u8]), Problem> {
    let (mut values, mut rest) = ([0_u8; 7], bytes);
    for (bit, value) in values.iter_mut().enumerate() {
        if instruction & (1 << bit) != 0 {
            let (byte, more) = rest.split_first().ok_or_else(wrong)?;
            (*value, rest) = (*byte, more);
        }
    }
    // Four bytes say from where, three how much.
    let at =
        |start: usize, count: usize| (0..count).fold(0, |number, byte| number | usize::from(values[start + byte]) << (8 * byte));
    let length = at(4, 3);
    let length = if length == 0 { 0x1_0000 } else { length };
    Ok((at(0, 4), length, rest))
}

fn wrong() -> Problem {
    trouble::damaged("a delta does not fit what it builds on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_inserts() {
        assert_eq!(apply(b"0123456789", &[10, 5, 0x91, 2, 3, 2, b'a', b'b'], 100).unwrap(), b"234ab");
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for delta in [
            &[][..],
            &[9, 1, 0x90, 1],
            &[10, 1, 0x90, 2],
            &[10, 2, 0x90, 1],
            &[10, 5, 0x91, 8, 5],
            &[10, 1, 0],
            &[10, 3, 3, 1],
            &[10, 1, 0x91],
            &[10, 101, 0x90, 1],
            &[10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            assert!(apply(b"0123456789", delta, 100).is_err(), "{delta:?}");
        }
    }
}
