//! Whole archives. The first two bytes say what is done to the others before they are unpacked, and what the user set.

use sti_archive::Archive;
use sti_plugin::testing::AddressBuilder;

use crate::{
    deck::Deck,
    fetched::{self, MOST_BYTES, MOST_ENTRIES},
};

const BLOCK: usize = 512;

/// Unpacks bytes: as they are, or, where the first one is odd, with right sums in the headers of a tar file.
///
/// # Panics
/// Where something does not hold.
pub fn archives(bytes: &[u8]) {
    let mut deck = Deck::new(bytes);
    let (form, strip) = (deck.byte(), deck.one(&["auto", "0", "1", "2"]));
    let mut archive = deck.rest().to_vec();
    if form & 1 == 1 {
        repair_tar(&mut archive);
    }
    let address = AddressBuilder::new("an archive").file(archive).setting("strip-components", strip);
    fetched::check(&address.limits(MOST_ENTRIES, MOST_BYTES).fetch::<Archive>());
}

/// Gives every header the sum that it should have: a fuzzer hardly ever finds it.
fn repair_tar(archive: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = archive.get_mut(at..at + BLOCK) {
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            continue;
        }
        header[148..156].fill(b' ');
        let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).ok().and_then(|digits| usize::from_str_radix(digits.trim(), 8).ok());
        at += size.filter(|size| *size < archive.len()).unwrap_or_default().next_multiple_of(BLOCK);
    }
}
