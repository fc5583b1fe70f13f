//! Rows of calls, as `sti_fuzzed::tree_writer` draws them.

/// Parts of paths, by their places in the table of the target.
const A: u8 = 0;
const B: u8 = 1;
const D: u8 = 3;
const LINK: u8 = 4;
const DECOY: u8 = 5;
const FILE: u8 = 6;
const UP: u8 = 8;
const TOP: u8 = 15;

/// Limits that nothing here reaches.
const WIDE: [u8; 4] = [200, 200, 200, 15];

fn path(parts: &[u8]) -> Vec<u8> {
    [&[u8::try_from(parts.len()).expect("few parts")], parts].concat()
}

fn file(parts: &[u8], mode: u16, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("few bytes");
    [&[0], &path(parts)[..], &mode.to_le_bytes(), &[length], bytes].concat()
}

fn directory(parts: &[u8], mode: u16) -> Vec<u8> {
    [&[2], &path(parts)[..], &mode.to_le_bytes()].concat()
}

fn symlink(parts: &[u8], target: &[u8]) -> Vec<u8> {
    [&[3], &path(parts)[..], target].concat()
}

fn hardlink(parts: &[u8], existing: &[u8]) -> Vec<u8> {
    [vec![5], path(parts), path(existing)].concat()
}

fn open(parts: &[u8]) -> Vec<u8> {
    [&[6], &path(parts)[..], &0o644_u16.to_le_bytes()].concat()
}

fn append(file: u8, bytes: &[u8]) -> Vec<u8> {
    [&[7, file, u8::try_from(bytes.len()).expect("few bytes")], bytes].concat()
}

/// Finishes a file, or gives it up.
fn end(file: u8, form: u8) -> Vec<u8> {
    vec![8, file, form]
}

fn remove(parts: &[u8]) -> Vec<u8> {
    [vec![9], path(parts)].concat()
}

fn set_top(parts: &[u8]) -> Vec<u8> {
    [vec![10], path(parts)].concat()
}

fn row(limits: [u8; 4], calls: &[Vec<u8>]) -> Vec<u8> {
    [limits.to_vec(), calls.concat()].concat()
}

pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let rows = [
        ("proper", row(WIDE, &[directory(&[D], 0o700), file(&[D, A], 0o644, b"x"), hardlink(&[B], &[D, A])])),
        ("closed", row(WIDE, &[directory(&[D], 0o555), file(&[D, A], 0o400, b""), directory(&[D], 0)])),
        (
            "growing",
            row(
                WIDE,
                &[open(&[A, B]), append(0, b"one"), open(&[D]), append(1, b"two"), end(0, 0), append(0, b"three"), end(0, 0)],
            ),
        ),
        ("given-up", row(WIDE, &[open(&[A, B]), append(0, b"one"), end(0, 0xff)])),
        (
            "removed",
            row(WIDE, &[file(&[A], 0o644, b"1"), remove(&[A]), directory(&[A], 0o700), remove(&[A]), symlink(&[A], &[0xff])]),
        ),
        ("lifted", row(WIDE, &[file(&[A, B, A], 0o644, b"1"), directory(&[A, B, TOP], 0o500), set_top(&[A, B])])),
        ("lifted-link", row(WIDE, &[symlink(&[A], &[0xff]), set_top(&[A]), set_top(&[UP, DECOY])])),
        ("unfinished", row(WIDE, &[open(&[A])])),
        (
            "through-absolute",
            row(WIDE, &[symlink(&[LINK], &[0xff]), file(&[LINK, FILE], 0o644, b"out"), directory(&[LINK], 0o777)]),
        ),
        ("through-relative", row(WIDE, &[symlink(&[LINK], &path(&[UP, DECOY])), file(&[LINK, A, B], 0o644, b"out")])),
        (
            "through-chain",
            row(WIDE, &[symlink(&[A], &path(&[LINK])), symlink(&[LINK], &[0xff]), file(&[A, FILE], 0o644, b"out")]),
        ),
        ("steal", row(WIDE, &[symlink(&[LINK], &[0xff]), hardlink(&[A], &[LINK, FILE]), hardlink(&[B], &[UP, DECOY, FILE])])),
        ("above", row(WIDE, &[file(&[UP, DECOY, FILE], 0o644, b"out"), file(&[A, UP, UP, A], 0o644, b"out")])),
        ("below-file", row(WIDE, &[file(&[A], 0o644, b"x"), file(&[A, B], 0o644, b"x"), file(&[A], 0o600, b"y")])),
        ("entries", row([2, 9, 99, 9], &[file(&[A, B, D, FILE], 0o644, b"x")])),
        ("bytes", row([9, 1, 99, 9], &[file(&[A], 0o644, &[7; 17])])),
        ("deep", row([9, 9, 99, 2], &[file(&[A, B, D], 0o644, b"")])),
    ];
    rows.map(|(name, row)| (name.to_owned(), row)).to_vec()
}
