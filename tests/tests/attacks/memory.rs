//! The memory of the whole process, for what would take the most of it.

use std::{fs, thread, time::Duration};

use gix_object::Kind;

use crate::{
    codecs::{gzip, noise, xz, zstd},
    packs::{self, Entry},
    repositories::Repository,
    tar,
    yard::Yard,
    zip,
};

/// The program, its plugin with all that the plugin may have, and what waits to be written.
const MOST: u64 = 512 << 20;

impl Yard {
    /// Fetches something, which may be refused, and holds the kernel's high-water mark against the limit.
    #[track_caller]
    fn fits(&self, what: &str, address: &str, more: &[&str], exit: i32) {
        let _gone = fs::remove_dir_all(self.out());
        let running = self.lab.start([&["fetch", address, "out", "--json"], more].concat());
        let status = format!("/proc/{}/status", running.id());
        let watch = thread::spawn(move || {
            let mut peak = 0;
            while let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark) {
                peak = peak.max(now);
                thread::sleep(Duration::from_millis(2));
            }
            peak
        });
        let (outcome, peak) = (self.lab.finish(running), watch.join().unwrap());
        self.check(what, &outcome);
        outcome.assert_exit(exit);
        assert!(peak > 1 << 20 && peak < MOST, "{what}: {} MiB\n{outcome}", peak >> 20);
    }
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// A tar file of one file of zeros, larger than any window; all but the zeros at its end.
const ZEROS: usize = 80 << 20;

fn of_zeros() -> Vec<u8> {
    tar::header(b'0', b"zeros", ZEROS as u64 - 1024, |_| {})
}

#[test]
fn windows_as_large_as_programs_make_them_fit() {
    let yard = Yard::new();
    let plain = [of_zeros(), vec![0; ZEROS]].concat();
    let mut wide = xz(&plain, 1 << 20);
    // The properties of LZMA2 in the header of the block say 64 MiB, and its sum is made right again.
    let at = wide.windows(2).position(|bytes| bytes == [0x21, 1]).unwrap() + 2;
    wide[at] = 28;
    let header = 12..12 + (usize::from(wide[12]) + 1) * 4 - 4;
    let mut sum = flate2::Crc::new();
    sum.update(&wide[header.clone()]);
    wide[header.end..header.end + 4].copy_from_slice(&sum.sum().to_le_bytes());
    yard.fits("a window of xz", &yard.archive(&wide), &[], 0);
    yard.fits("a window of zstd", &yard.archive(&zstd(&of_zeros(), ZEROS, 16)), &[], 0);
    yard.fits("a bomb of gzip", &yard.archive(&gzip(&plain)), &["--limit", "bytes=52428800"], 1);
}

#[test]
fn entries_without_number_fit() {
    let yard = Yard::new();
    let member = |at: u32| zip::stored(&format!("directory-{}/a-name-of-some-length-{at}", at / 1000), b"");
    // The last of them is refused.
    let mut members: Vec<_> = (0..20_000).map(member).collect();
    members.push(zip::symlink("directory-0", "/nonexistent/decoy"));
    yard.fits("a zip file of many entries", &yard.archive(&zip::whole(&members)), &[], 1);
    let entry = |at: u32| tar::file(&format!("directory-{}/a-name-of-some-length-{at}", at / 1000), b"");
    let entries = (0..30_000).map(entry).chain([tar::END.to_vec()]).collect::<Vec<_>>();
    yard.fits("a tar file of many entries", &yard.archive(&gzip(&entries.concat())), &[], 0);
}

#[test]
fn packs_of_any_form_fit() {
    let yard = Yard::new();
    // Larger than what would fit twice.
    let pieces: Vec<_> = (0..12)
        .map(|_| noise(12 << 20))
        .enumerate()
        .map(|(at, mut piece)| {
            piece[0] = u8::try_from(at).unwrap();
            piece
        })
        .collect();
    let names: Vec<_> = (0..12).map(|at| format!("f{at:02}")).collect();
    let entries: Vec<_> =
        names.iter().zip(&pieces).map(|(name, piece)| ("100644", name.as_str(), packs::id(Kind::Blob, piece))).collect();
    let server = Repository::new(packs::tree(&entries), pieces.into_iter().map(|piece| Entry::Whole(3, piece)).collect()).serve();
    yard.fits("a large pack", &format!("{}/a.git", server.url), &[], 0);
    let mut content = noise(1 << 20);
    let mut chain = vec![Entry::Whole(3, content.clone())];
    for at in 0..500 {
        chain.push(Entry::Delta(at, packs::appending(content.len() as u64, b"more")));
        content.extend(b"more");
    }
    let tree = packs::tree(&[("100644", "f", packs::id(Kind::Blob, &content))]);
    let server = Repository::new(tree, chain).serve();
    yard.fits("a deep chain of large objects", &format!("{}/a.git", server.url), &[], 0);
    let size = 24 << 20;
    let mut bomb = vec![Entry::Whole(3, vec![0; size])];
    bomb.extend((0..200_u8).map(|number| Entry::Delta(0, packs::appending(size as u64, &[number]))));
    let server = Repository::new(packs::tree(&[("100644", "f", packs::id(Kind::Blob, &vec![0; size]))]), bomb).serve();
    let outcome = format!("{}/a.git", server.url);
    yard.fits("a bomb of deltas", &outcome, &["--limit", "bytes=104857600"], 1);
}
