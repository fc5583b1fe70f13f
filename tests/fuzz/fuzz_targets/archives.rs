//! Feeds `sti_fuzzed::archives`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sti_fuzzed::archives(bytes));
