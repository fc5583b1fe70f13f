//! Deltas: how an object is made from another one, as git's pack format describes it.
//!
//! <https://git-scm.com/docs/gitformat-pack#_deltified_representation>

use sti_plugin::Problem;

use crate::{store, trouble};

/// Makes an object from what it builds on. Both and the delta may have so many bytes together.
pub(super) fn apply(base: &[u8], delta: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let (base_size, made, mut rest) = sizes(delta)?;
    if base_size != base.len() as u64 {
        return Err(wrong());
    }
    let room = limit.saturating_sub(base.len() + delta.len());
    let size = usize::try_from(made).ok().filter(|size| *size <= room).ok_or_else(|| store::too_large(made))?;
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

/// Reads the start of a delta: how large is what it builds on, how large what it makes, and the rest.
pub(super) fn sizes(delta: &[u8]) -> Result<(u64, u64, &[u8]), Problem> {
    let (base, rest) = number(delta)?;
    let (made, rest) = number(rest)?;
    Ok((base, made, rest))
}

/// Reads a number of seven bits a byte, the lowest first.
fn number(bytes: &[u8]) -> Result<(u64, &[u8]), Problem> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[at + 1..]));
        }
    }
    Err(trouble::damaged("a delta does not say its size"))
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

    #[test]
    fn reads_numbers_as_deltas_write_them() {
        assert_eq!(number(&[0x80, 1, 7]).unwrap(), (128, &[7][..]));
        assert!(number(&[0x80]).is_err());
        assert!(number(&[0xff; 20]).is_err());
    }

    #[test]
    fn says_how_large_it_is_what_does_not_fit_into_memory() {
        let problem = apply(&[0; 10], &[10, 0x80, 0x80, 0x80, 0x40, 0x90, 1], 100 << 20).unwrap_err();
        assert_eq!(problem.code(), "object-too-large");
        assert!(problem.message().contains("128 MiB"), "{problem}");
    }
}
