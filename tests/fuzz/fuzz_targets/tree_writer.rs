//! Feeds `sti_fuzzed::tree_writer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sti_fuzzed::tree_writer(bytes));
