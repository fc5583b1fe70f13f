//! Feeds `sti_fuzzed::git`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sti_fuzzed::git(bytes));
