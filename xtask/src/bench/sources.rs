//! The sources: made once, of bytes that do not compress, and kept for the next time.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;

/// What a source consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// 10 files of 1 KB.
    Few,
    /// 20,000 files of 10 KB in 200 directories.
    Many,
    /// One file of 1 GiB.
    Large,
}

/// Makes a source below `folder`, unless it is there. Answers its directory.
pub(super) fn make(folder: &Path, source: Source) -> Result<PathBuf> {
    let top = folder.join(format!("{source:?}").to_lowercase());
    if top.is_dir() {
        return Ok(top);
    }
    // Under another name until it is whole: a run that was interrupted must not leave half a source for the next.
    let unfinished = folder.join("unfinished");
    if unfinished.is_dir() {
        fs::remove_dir_all(&unfinished)?;
    }
    fs::create_dir_all(&unfinished)?;
    match source {
        Source::Few => (0..10).try_for_each(|number| write(&unfinished.join(format!("{number}.txt")), 1_000, number))?,
        Source::Many => write_many(&unfinished)?,
        Source::Large => write(&unfinished.join("large.bin"), 1 << 30, 1)?,
    }
    fs::rename(unfinished, &top)?;
    Ok(top)
}

fn write_many(top: &Path) -> Result<()> {
    for folder in 0..200 {
        let directory = top.join(format!("folder-{folder}"));
        fs::create_dir(&directory)?;
        for file in 0..100 {
            write(&directory.join(format!("file-{file}.txt")), 10_000, folder * 100 + file)?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: usize, seed: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut left = bytes;
    let mut piece = 0;
    while left > 0 {
        let length = left.min(1 << 20);
        file.write_all(&noise(length, seed << 20 | piece))?;
        left -= length;
        piece += 1;
    }
    Ok(file.flush()?)
}

/// Bytes that look random and are the same for the same seed.
pub(super) fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        // Xorshift, by Marsaglia's triple 13, 7, 17.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}
