//! What a fuzzer made up before, and what it found: on stable, with every run of the tests.
#![expect(clippy::disallowed_methods, reason = "reads the files that the fuzzer reads")]

mod seeds {
    pub(crate) mod addresses;
    pub(crate) mod archives;
    pub(crate) mod git;
    pub(crate) mod tree_writer;
}

use std::{env, fs, path::Path};

use sti_fuzzed::TARGETS;

#[test]
fn every_target_takes_its_corpus() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in TARGETS {
        let mut fed = 0;
        for entry in fs::read_dir(corpora.join(name)).expect("each target has a corpus") {
            let path = entry.expect("a corpus can be read").path();
            // Where the target panics, this is the last line.
            println!("{}", path.display());
            target(&fs::read(path).expect("a corpus can be read"));
            fed += 1;
        }
        assert!(fed > 5, "{name} has a corpus of {fed}");
    }
}

/// Where `STI_CORPUS` names a folder they are written there, for a fuzzer to begin with.
#[test]
fn every_target_takes_the_seeds_of_its_corpus() {
    let seeds = [seeds::addresses::all(), seeds::tree_writer::all(), seeds::archives::all(), seeds::git::all()];
    for ((name, target), seeds) in TARGETS.iter().zip(seeds) {
        for (seed, bytes) in seeds {
            println!("{name}: {seed}");
            target(&bytes);
            if let Some(corpora) = env::var_os("STI_CORPUS") {
                let folder = Path::new(&corpora).join(name);
                fs::create_dir_all(&folder).expect("a folder to be written");
                fs::write(folder.join(format!("seed-{seed}")), bytes).expect("a folder to be written");
            }
        }
    }
}

#[test]
fn every_target_takes_bytes_of_no_meaning() {
    for (_, target) in TARGETS {
        for length in [0, 1, 2, 3, 64, 1000] {
            for byte in [0, 1, 4, 5, 0x20, 0x7f, 0xff] {
                target(&vec![byte; length]);
            }
        }
    }
}
